// Package rustbuild compiles Rust guests to WebAssembly for tests.
package rustbuild

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Target is what guests are built for.
const Target = "wasm32-unknown-unknown"

// linkers serve where the toolchain brings none of its own, as Debian's does not. Debian's Rust is of version 1.63, whose libraries hold
// files that linkers from 15 on refuse.
var linkers = []string{"wasm-ld-14", "rust-lld"}

// Build compiles the crate in a folder, a cdylib, with the profile release, and returns the module's bytes. It needs no
// network: the crate depends on other folders alone. The result is kept in the user's cache folder under a digest of the toolchain, the
// profile, the crate's files and those of the folders it depends on, so that only the first run after a change pays for the compiler. It
// ends the test when there is no compiler for [Target] or the crate does not compile.
func Build(t testing.TB, dir string) []byte {
	t.Helper()
	return must(t, dir, "release")
}

// BuildDebug is [Build] with the profile dev: not optimised, and with checks of overflow.
func BuildDebug(t testing.TB, dir string) []byte {
	t.Helper()
	return must(t, dir, "dev")
}

func must(t testing.TB, dir, profile string) []byte {
	t.Helper()
	wasm, err := build(t.TempDir(), dir, profile)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func build(scratch, dir, profile string) ([]byte, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	env, err := find()
	if err != nil {
		return nil, err
	}
	key, err := digest(env, dir, profile)
	if err != nil {
		return nil, err
	}
	folder := scratch
	if cache, err := os.UserCacheDir(); err == nil {
		if d := filepath.Join(cache, "wasmill", "rustbuild"); os.MkdirAll(d, 0o755) == nil {
			folder = d
		}
	}
	kept := filepath.Join(folder, key+".wasm")
	if wasm, err := os.ReadFile(kept); err == nil {
		return wasm, nil
	}
	cmd := exec.Command(env.cargo, "build", "--offline", "--profile", profile, "--quiet", "--target", Target)
	cmd.Dir = dir
	target := filepath.Join(scratch, "target")
	cmd.Env = append(append(os.Environ(), env.variables...), "CARGO_TARGET_DIR="+target)
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cargo build in %s: %v\n%s", dir, err, text)
	}
	made, err := filepath.Glob(filepath.Join(target, Target, "*", "*.wasm"))
	if err != nil || len(made) != 1 {
		return nil, fmt.Errorf("cargo build in %s: expected one module, got %q", dir, made)
	}
	wasm, err := os.ReadFile(made[0])
	if err != nil {
		return nil, err
	}
	// Written under another name and renamed: several test processes build the same module at once.
	if temporary, err := os.CreateTemp(folder, "build-*"); err == nil {
		_, err = temporary.Write(wasm)
		if closeErr := temporary.Close(); err != nil || closeErr != nil || os.Rename(temporary.Name(), kept) != nil {
			os.Remove(temporary.Name())
		}
	}
	return wasm, nil
}

// toolchain is a Rust that builds for [Target].
type toolchain struct {
	cargo     string   // the program
	version   string   // all that its compiler says of itself
	variables []string // that cargo must be run with
}

// find finds a toolchain: that on the PATH, or that of Debian's packages, which need not be the same where rustup is installed too.
func find() (toolchain, error) {
	for _, folder := range []string{"", "/usr/bin/"} {
		rustc, err := exec.LookPath(folder + "rustc")
		if err != nil {
			continue
		}
		cargo, err := exec.LookPath(folder + "cargo")
		if err != nil {
			continue
		}
		lib, err := exec.Command(rustc, "--print", "target-libdir", "--target", Target).Output()
		if err != nil {
			continue
		}
		if std, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(lib)), "libstd-*.rlib")); len(std) == 0 {
			continue
		}
		version, err := exec.Command(rustc, "-vV").Output()
		if err != nil {
			continue
		}
		found := toolchain{cargo: cargo, version: string(version), variables: []string{"RUSTC=" + rustc, "RUSTFLAGS="}}
		own, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(lib)), "..", "..", "*", "bin", "rust-lld"))
		if len(own) > 0 {
			return found, nil
		}
		for _, name := range linkers {
			if linker, err := exec.LookPath(name); err == nil {
				found.variables = append(found.variables, "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="+linker)
				return found, nil
			}
		}
		return toolchain{}, fmt.Errorf("no linker for WebAssembly: none of %s is on the PATH; script/setup installs lld-14", strings.Join(linkers, ", "))
	}
	return toolchain{}, fmt.Errorf("no Rust for %s; script/setup installs rustc, cargo and libstd-rust-dev-wasm32", Target)
}

// dependency is a path in a Cargo.toml.
var dependency = regexp.MustCompile(`path = "([^"]+)"`)

// digest covers what a module is made of.
func digest(env toolchain, dir, profile string) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q", env.version, profile)
	seen := map[string]bool{}
	var add func(dir string) error
	add = func(dir string) error {
		if seen[dir] {
			return nil
		}
		seen[dir] = true
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if e.IsDir() {
				if e.Name() == "target" {
					return fs.SkipDir
				}
				return nil
			}
			if ext := filepath.Ext(path); ext != ".rs" && ext != ".toml" {
				return nil
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			fmt.Fprintf(h, "%q %d ", relative, len(content))
			h.Write(content)
			return nil
		})
		if err != nil {
			return err
		}
		manifest, err := os.ReadFile(filepath.Join(dir, "Cargo.toml"))
		if err != nil {
			return err
		}
		for _, m := range dependency.FindAllStringSubmatch(string(manifest), -1) {
			if err := add(filepath.Join(dir, m[1])); err != nil {
				return err
			}
		}
		return nil
	}
	if err := add(dir); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

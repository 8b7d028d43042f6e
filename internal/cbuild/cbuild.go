// Package cbuild compiles C to WebAssembly for tests, with Debian's clang.
package cbuild

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// Freestanding are the flags for a guest without a C library: no start function, no entry point, exports by attribute.
var Freestanding = []string{
	"--target=wasm32", "-nostdlib", "-ffreestanding", "-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-Wl,--no-entry",
}

// compilers are tried in this order: the first is the one that set-up installs and that clang's own search for the
// linker fits.
var compilers = []string{"clang-19", "clang"}

// Build compiles and links the sources given with the flags given, which name the target, and returns the module's bytes.
// The result is kept in the user's cache folder under a digest of the compiler, the flags, the sources and the headers in their folders and in
// the folders of "-I" flags, so that only the first run after a change pays for the compiler. It ends the test when
// there is no compiler or the sources do not compile.
func Build(t testing.TB, sources []string, flags ...string) []byte {
	t.Helper()
	wasm, err := build(t.TempDir(), sources, flags)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

func build(scratch string, sources, flags []string) ([]byte, error) {
	compiler, err := find()
	if err != nil {
		return nil, err
	}
	key, err := digest(compiler, sources, flags)
	if err != nil {
		return nil, err
	}
	folder := scratch
	if cache, err := os.UserCacheDir(); err == nil {
		if d := filepath.Join(cache, "wasmill", "cbuild"); os.MkdirAll(d, 0o755) == nil {
			folder = d
		}
	}
	kept := filepath.Join(folder, key+".wasm")
	if wasm, err := os.ReadFile(kept); err == nil {
		return wasm, nil
	}
	out := filepath.Join(scratch, "out.wasm")
	args := append(append(append([]string{}, flags...), sources...), "-o", out)
	if text, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s %s: %v\n%s", compiler, strings.Join(args, " "), err, text)
	}
	wasm, err := os.ReadFile(out)
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

func find() (string, error) {
	for _, name := range compilers {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no C compiler: none of %s is on the PATH; script/setup installs clang-19 and lld-19", strings.Join(compilers, ", "))
}

func digest(compiler string, sources, flags []string) (string, error) {
	h := sha256.New()
	real, err := filepath.EvalSymlinks(compiler)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "%s %d %d %q", real, info.Size(), info.ModTime().UnixNano(), flags)
	folders := map[string]bool{}
	for _, s := range sources {
		folders[filepath.Dir(s)] = true
	}
	for _, f := range flags {
		if strings.HasPrefix(f, "-I") {
			folders[strings.TrimPrefix(f, "-I")] = true
		}
	}
	files := append([]string(nil), sources...)
	for folder := range folders {
		headers, err := filepath.Glob(filepath.Join(folder, "*.h"))
		if err != nil {
			return "", err
		}
		files = append(files, headers...)
	}
	sort.Strings(files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%q %d ", filepath.Base(file), len(content))
		h.Write(content)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

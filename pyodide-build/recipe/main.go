// Command recipe builds python.wasm and what belongs to it from the sources that versions.lock names. See pyodide-build/README.md.
//
//	go run ./pyodide-build/recipe [-cache DIR] LAYER...   builds layers (dist if none is named) and prints their folders
//	go run ./pyodide-build/recipe -copy DIR               builds dist and copies its files to a folder, from where a binary embeds them
//	go run ./pyodide-build/recipe -verify                 builds dist twice, the second time from nothing in another folder, and compares
//	go run ./pyodide-build/recipe -update                 pins in versions.lock what the mirror serves now
//
// With WASMILL_PYTHON_NAMES=1 in the environment python.wasm keeps its functions' names, for profiles.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

func main() {
	cache := flag.String("cache", "", "folder to build in (default .cache/python of the repository)")
	check := flag.Bool("verify", false, "build dist again in another folder and compare")
	pin := flag.Bool("update", false, "write versions.lock anew with the versions that the mirror serves")
	to := flag.String("copy", "", "folder to copy dist's files to")
	flag.Parse()
	if err := run(*cache, *check, *pin, *to, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "python:", err)
		os.Exit(1)
	}
}

func run(cache string, check, pin bool, to string, names []string) error {
	root, err := repository()
	if err != nil {
		return err
	}
	if cache == "" {
		cache = filepath.Join(root, ".cache", "python")
	}
	if check {
		return verify(root, cache)
	}
	if pin {
		return update(root, cache)
	}
	if len(names) == 0 || to != "" {
		names = append(names, dist)
	}
	outs, err := build(root, cache, names)
	if err != nil {
		return err
	}
	if to != "" {
		return copyFiles(outs[len(outs)-1].dir, to)
	}
	for _, out := range outs {
		fmt.Println(out.dir)
	}
	return nil
}

// build builds the layers named in a cache that no other process builds in meanwhile.
func build(root, cache string, names []string) ([]output, error) {
	cache, unlock, err := enter(cache)
	if err != nil {
		return nil, err
	}
	defer unlock()
	text, err := os.ReadFile(filepath.Join(root, "pyodide-build", "versions.lock"))
	if err != nil {
		return nil, err
	}
	lock, err := parseLock(string(text))
	if err != nil {
		return nil, err
	}
	compilers, notes, err := lock.compilers()
	if err != nil {
		return nil, err
	}
	for _, note := range notes {
		fmt.Fprintln(os.Stderr, "python:", note)
	}
	keep := os.Getenv("WASMILL_PYTHON_NAMES") == "1"
	b := &builder{root: root, cache: cache, compilers: compilers, arch: runtime.GOARCH, names: keep, log: os.Stderr,
		layers: recipe(keep), done: map[string]output{}}
	var outs []output
	for _, name := range names {
		out, err := b.build(name)
		if err != nil {
			return outs, err
		}
		outs = append(outs, out)
	}
	return outs, nil
}

// enter makes a cache one's own until unlock is called, and returns its absolute path.
func enter(cache string) (path string, unlock func(), err error) {
	path, err = filepath.Abs(cache)
	if err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(filepath.Join(path, "tmp"), 0o755); err != nil {
		return "", nil, err
	}
	unlock, err = exclusive(filepath.Join(path, "lock"))
	if err != nil {
		return "", nil, err
	}
	// Nobody else is building: what lies in tmp is from a build that was interrupted.
	if err := empty(filepath.Join(path, "tmp")); err != nil {
		unlock()
		return "", nil, err
	}
	return path, unlock, nil
}

// exclusive takes the lock file, waiting for another build to end.
func exclusive(path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, f.Close())
		}
		fmt.Fprintln(os.Stderr, "python: waiting for another build")
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return func() { f.Close() }, nil
}

func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// repository returns the nearest folder from the working directory upwards that has a go.mod and this recipe.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "pyodide-build", "versions.lock")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("run this inside the repository")
		}
		dir = up
	}
}

// copyFiles copies a folder's files to another; each appears there whole, and those that are equal are left alone.
func copyFiles(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		path := filepath.Join(to, e.Name())
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
			continue
		}
		// A name with a dot in front is not embedded, should a compiler look meanwhile.
		fresh := filepath.Join(to, "."+e.Name()+".new")
		if err := os.WriteFile(fresh, content, 0o644); err != nil {
			return err
		}
		if err := os.Rename(fresh, path); err != nil {
			return err
		}
	}
	return nil
}

func jobs() int { return runtime.NumCPU() }

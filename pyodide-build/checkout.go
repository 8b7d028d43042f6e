//go:build !embed_python

package pyodide

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

func load() (*Runtime, error) {
	dir := os.Getenv("WASMILL_PYTHON")
	if dir == "" {
		dir = cached()
	}
	// The cache's pointer may move to a newer build between two files.
	if whole, err := filepath.EvalSymlinks(dir); err == nil {
		dir = whole
	}
	return read(os.DirFS(dir), dir, true)
}

// cached returns the folder where make python leaves its result: in the checkout that this source file belongs to, which test binaries know
// wherever they run, or, if the compiler was told to forget it, that the working directory is in.
func cached() string {
	const dist = ".cache/python/dist"
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		return filepath.Join(filepath.Dir(filepath.Dir(file)), dist)
	}
	dir, err := os.Getwd()
	if err != nil {
		return dist
	}
	for up := dir; ; up = filepath.Dir(up) {
		if _, err := os.Stat(filepath.Join(up, "pyodide-build", "versions.lock")); err == nil {
			return filepath.Join(up, dist)
		}
		if up == filepath.Dir(up) {
			return filepath.Join(dir, dist)
		}
	}
}

// prepare runs the recipe if there is nothing in the cache.
func prepare() error {
	dir := cached()
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || os.Getenv("WASMILL_PYTHON") != "" {
		return err
	}
	cmd := exec.Command("go", "run", "./pyodide-build/recipe")
	cmd.Dir = filepath.Join(dir, "..", "..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make python: %w\n%s", err, out)
	}
	return nil
}

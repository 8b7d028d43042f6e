package main

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// layer is one step of the recipe: sh/NAME.sh, run by bash, fills an empty folder. Its output is kept under a digest of exactly what
// goes in: the script and those it shares with all, the digests of the layers it needs, the files named here and, if it compiles, the compilers.
type layer struct {
	name  string
	needs []string
	// files returns the further inputs below root, as slash-separated paths in order.
	files func(root string) ([]string, error)
	// compilers: the compilers' versions count in the digest.
	compilers bool
	// variant is further text that counts, such as the value of a variable that the script reads.
	variant string
}

// dist is the layer that the Go package reads.
const dist = "dist"

// recipe returns the layers; those that a layer needs come before it. names keeps the functions' names in python.wasm.
func recipe(names bool) []layer {
	variant := ""
	if names {
		variant = "NAMES=1"
	}
	sh := "pyodide-build/recipe/sh/"
	return []layer{
		{name: "sources", files: list("pyodide-build/versions.lock")},
		{name: "host", needs: []string{"sources"}},
		{name: "source", needs: []string{"sources"}},
		{name: "wasi", needs: []string{"sources", "source"}, compilers: true},
		{name: "libpython", needs: []string{"source", "host", "wasi"}, compilers: true},
		{name: "reactor", needs: []string{"wasi", "libpython"}, files: tree("pyodide-build/runtime", ".c", ".h"), compilers: true, variant: variant},
		{name: "stdlib", needs: []string{"source", "host", "libpython"}, files: list(sh+"pack.py", sh+"stdlib.exclude")},
		{name: "packages", needs: []string{"host"}, files: both(list(sh+"pack.py", sh+"packages.exclude"), tree("pyodide-build/lib"))},
		{name: "notice", needs: []string{"source", "wasi"}, compilers: true},
		{name: dist, needs: []string{"reactor", "stdlib", "packages", "notice"}},
		{name: "tests", needs: []string{"source"}, files: both(list("pyodide-build/cpythontests/modules.txt"), tree("pyodide-build/cpythontests", ".py", ".yaml"))},
		{name: "native", needs: []string{"source"}, compilers: true},
	}
}

func list(paths ...string) func(string) ([]string, error) {
	return func(string) ([]string, error) { return paths, nil }
}

func both(a, b func(string) ([]string, error)) func(string) ([]string, error) {
	return func(root string) ([]string, error) {
		x, err := a(root)
		if err != nil {
			return nil, err
		}
		y, err := b(root)
		return append(slices.Clone(x), y...), err
	}
}

// tree returns the files below a folder, with one of the endings if there are any. Hidden files and what Python compiles beside its sources are not inputs.
func tree(folder string, endings ...string) func(string) ([]string, error) {
	return func(root string) ([]string, error) {
		var paths []string
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if strings.HasPrefix(d.Name(), ".") || d.Name() == "__pycache__" {
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			if d.IsDir() || filepath.Ext(path) == ".pyc" || len(endings) > 0 && !slices.Contains(endings, filepath.Ext(path)) {
				return nil
			}
			rel, err := filepath.Rel(root, path)
			paths = append(paths, filepath.ToSlash(rel))
			return err
		})
		return paths, err
	}
}

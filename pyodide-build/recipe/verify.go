package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// verify builds dist in the cache and, from nothing, in a folder whose path has another length, and compares the two byte by byte.
func verify(root, cache string) error {
	first, err := build(root, cache, []string{dist})
	if err != nil {
		return err
	}
	again, err := os.MkdirTemp("", "wasmill-verify-python-")
	if err != nil {
		return err
	}
	second, err := build(root, again, []string{dist})
	if err == nil {
		err = same(first[0].dir, second[0].dir)
	}
	if err != nil {
		return fmt.Errorf("%w; the second build is left in %s", err, again)
	}
	fmt.Println("the second build gave the same bytes")
	return os.RemoveAll(again)
}

// same reports the files of two folders that are not equal.
func same(a, b string) error {
	entries, err := os.ReadDir(a)
	if err != nil {
		return err
	}
	others, err := os.ReadDir(b)
	if err != nil {
		return err
	}
	if len(entries) != len(others) {
		return fmt.Errorf("%d files in %s, %d in %s", len(entries), a, len(others), b)
	}
	var faults []error
	for _, e := range entries {
		x, err := os.ReadFile(filepath.Join(a, e.Name()))
		if err != nil {
			return err
		}
		y, err := os.ReadFile(filepath.Join(b, e.Name()))
		if err != nil {
			return err
		}
		if !bytes.Equal(x, y) {
			at := 0
			for at < min(len(x), len(y)) && x[at] == y[at] {
				at++
			}
			faults = append(faults, fmt.Errorf("%s differs from byte %d on (%d and %d bytes)", e.Name(), at, len(x), len(y)))
		}
	}
	return errors.Join(faults...)
}

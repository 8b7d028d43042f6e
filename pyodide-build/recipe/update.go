package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// update pins what the mirror serves now: it writes versions.lock anew with other versions, files and digests of the packages that it names.
func update(root, cache string) error {
	cache, unlock, err := enter(cache)
	if err != nil {
		return err
	}
	defer unlock()
	b := &builder{root: root, cache: cache, arch: runtime.GOARCH, log: os.Stderr}
	dir := filepath.Join(cache, "tmp", "update")
	if err := b.run(layer{name: "update"}, nil, dir); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lines, err := os.ReadFile(filepath.Join(dir, "lines"))
	if err != nil {
		return err
	}
	path := filepath.Join(root, "pyodide-build", "versions.lock")
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	fresh, changes, err := repin(string(old), string(lines))
	if err != nil {
		return err
	}
	for _, change := range changes {
		fmt.Println(change)
	}
	if fresh == string(old) {
		fmt.Println("versions.lock is what the mirror serves")
		return nil
	}
	if err := os.WriteFile(path, []byte(fresh), 0o644); err != nil {
		return err
	}
	fmt.Println("versions.lock is written: look at the difference, then run make python, make cpython-tests and make verify-python")
	return nil
}

// repin returns a lock file's text with the lines of each of its packages replaced by fresh ones, and what changes in words. All packages of
// CPython have to be of one version: what runs during the build is of the source that is built.
func repin(old, fresh string) (text string, changes []string, err error) {
	key := func(line string) string {
		if f := strings.Fields(line); len(f) == 5 && f[0] != "#" {
			return f[0] + " " + f[1]
		}
		return ""
	}
	version := func(lines []string) string { return strings.Fields(lines[0])[2] }
	group := func(text string) map[string][]string {
		lines := map[string][]string{}
		for line := range strings.Lines(text) {
			if k := key(line); k != "" {
				lines[k] = append(lines[k], strings.TrimSuffix(line, "\n")+"\n")
			}
		}
		return lines
	}
	before, after := group(old), group(fresh)
	python := after["source python3.13"]
	if len(python) == 0 {
		return "", nil, fmt.Errorf("the mirror has no source of python3.13")
	}
	var out strings.Builder
	seen := map[string]bool{}
	for line := range strings.Lines(old) {
		k := key(line)
		switch {
		case k == "":
			out.WriteString(line)
			continue
		case seen[k]:
			continue
		case len(after[k]) == 0:
			return "", nil, fmt.Errorf("the mirror has no %s", k)
		case strings.Contains(k, "python3.13") && version(after[k]) != version(python):
			return "", nil, fmt.Errorf("the mirror has %s %s, and the source in version %s: try again when it is complete", k, version(after[k]), version(python))
		}
		seen[k] = true
		lines := after[k]
		if slices.Equal(sorted(lines), sorted(before[k])) {
			lines = before[k] // in the order in which they stood
		} else {
			changes = append(changes, fmt.Sprintf("%s: %s -> %s", k, version(before[k]), version(lines)))
		}
		out.WriteString(strings.Join(lines, ""))
	}
	_, err = parseLock(out.String())
	return out.String(), changes, err
}

func sorted(lines []string) []string {
	lines = slices.Clone(lines)
	slices.Sort(lines)
	return lines
}

// gone returns what to do when apt did not find a version that is pinned, by what it said; "" for another mistake.
func gone(said string) string {
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "E: Version '") || strings.HasPrefix(line, "E: Can not find version '") || strings.HasPrefix(line, "E: Unable to find a source package") {
			return "the mirror has another version than versions.lock pins: " + strings.TrimPrefix(line, "E: ") +
				"\nDebian keeps one version of a package and has replaced it; `go run ./pyodide-build/recipe -update` pins what is served now"
		}
	}
	return ""
}

package main

import (
	"os"
	"strings"
	"testing"
)

// A lock file with other versions becomes what the mirror serves, whatever order it says it in, and keeps all else.
func TestRepin(t *testing.T) {
	text, err := os.ReadFile("../versions.lock")
	if err != nil {
		t.Fatal(err)
	}
	lock := string(text)
	var served []string
	for line := range strings.Lines(lock) {
		if f := strings.Fields(line); len(f) == 5 && f[0] != "#" {
			served = append([]string{line}, served...)
		}
	}
	fresh := strings.Join(served, "")
	if got, changes, err := repin(lock, fresh); err != nil || got != lock || len(changes) > 0 {
		t.Errorf("with what it pins: got %v, %v", changes, err)
	}
	newer := strings.ReplaceAll(strings.ReplaceAll(fresh, "zlib 1:", "zlib 2:"), "_1.3.dfsg", "_1.4.dfsg")
	got, changes, err := repin(lock, newer)
	if err != nil || strings.Join(changes, "; ") != "source zlib: 1:1.3.dfsg+really1.3.1-1 -> 2:1.3.dfsg+really1.3.1-1" {
		t.Fatalf("got %v, %v", changes, err)
	}
	if want := strings.Count(lock, "\n"); strings.Count(got, "\n") != want || strings.Contains(got, "zlib 1:1.3") || !strings.HasPrefix(got, lock[:strings.Index(lock, "source ")]) {
		t.Errorf("got %s", got)
	}
	half := strings.ReplaceAll(fresh, "source python3.13 3.13.5", "source python3.13 3.13.6")
	if _, _, err := repin(lock, half); err == nil || !strings.HasSuffix(err.Error(), "try again when it is complete") {
		t.Errorf("a mirror that is half renewed: %v", err)
	}
	if _, _, err := repin(lock, strings.ReplaceAll(fresh, "all wasi-libc ", "all wasi ")); errorText(err) != "the mirror has no all wasi-libc" {
		t.Errorf("a package that is gone: %v", err)
	}
}

// What apt says of a version that has left the mirror becomes advice; other mistakes stay as they are.
func TestVersionsThatAreGone(t *testing.T) {
	for said, want := range map[string]string{
		"Reading...\nE: Version '1-2' for 'libc6' was not found\n":                                       "Version '1-2' for 'libc6' was not found",
		"E: Can not find version '1-2' of package 'zlib'\nE: Unable to find a source package for zlib\n": "Can not find version '1-2' of package 'zlib'",
		"zlib.deb: FAILED\nsha256sum: WARNING: 1 computed checksum did NOT match\n":                      "",
	} {
		got := gone(said)
		if want == "" && got != "" || want != "" && (!strings.Contains(got, want+"\n") || !strings.Contains(got, "recipe -update`")) {
			t.Errorf("%q: got %q", said, got)
		}
	}
}

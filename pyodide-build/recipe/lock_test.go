package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseLock(t *testing.T) {
	sum := strings.Repeat("0a", 32)
	for _, c := range []struct{ name, text, fault string }{
		{"whole", "# comment\n\nsuite trixie\ntool clang-19 19.1.7\nsource zlib 1:1.3 zlib_1.3.dsc " + sum + "\nall wasi 1 wasi_1%3a_all.deb " + sum, ""},
		{"kind", "suite trixie\nmips a b c d", `versions.lock:2: unknown kind "mips"`},
		{"words", "suite trixie forky", "versions.lock:1: suite: expected 2 words, got 3"},
		{"digest", "all wasi 1 wasi.deb 0A", `versions.lock:1: wasi.deb: expected a SHA-256 in 64 hex digits, got "0A"`},
		{"path", "all wasi 1 ../wasi.deb " + sum, `versions.lock:1: "../wasi.deb" is not a file's name`},
		{"twice", "all wasi 1 wasi.deb " + sum + "\nall wasi 1 wasi.deb " + sum, "versions.lock:2: wasi.deb is named twice"},
		{"empty", "# nothing", "versions.lock: it needs a suite and files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := parseLock(c.text)
			if text := errorText(err); text != c.fault {
				t.Fatalf("expected the error %q, got %q", c.fault, text)
			}
			if err == nil {
				want := lock{suite: "trixie", tools: map[string]string{"clang-19": "19.1.7"}, files: 2}
				if diff := cmp.Diff(want, *l, cmp.AllowUnexported(lock{})); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// The lock file that we ship must be one that the recipe can read, and must name a Python to run for each machine that wasmill is built on.
func TestLockFile(t *testing.T) {
	text, err := os.ReadFile("../versions.lock")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseLock(string(text)); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"\namd64 python3.13-minimal ", "\narm64 python3.13-minimal ", "\nall wasi-libc ", "\nsource python3.13 ", "\nsource zlib "} {
		if !strings.Contains(string(text), line) {
			t.Errorf("no line begins with %q", strings.TrimSpace(line))
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestWrapped(t *testing.T) {
	for _, c := range []struct {
		line  string
		width int
		want  string
	}{
		{"short", 10, "short"},
		{"  one two three four", 14, "  one two|      three|      four"},
		{"0123456789abcdefghij", 8, "01234567|    89ab|    cdef|    ghij"},
		{"rüße rüße rüße", 9, "rüße rüße|    rüße"},
	} {
		if got := strings.Join(wrapped(c.line, c.width), "|"); got != c.want {
			t.Errorf("%q at %d:\n got %q\nwant %q", c.line, c.width, got, c.want)
		}
	}
}

func TestWrappedLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line, width := rapid.String().Draw(t, "line"), rapid.IntRange(36, 100).Draw(t, "width")
		pieces := wrapped(line, width)
		for _, p := range pieces {
			if len(pieces) > 1 && utf8.RuneCountInString(p) > width {
				t.Fatalf("%q is longer than %d", p, width)
			}
		}
		bare := func(s string) string { return strings.ReplaceAll(string([]rune(s)), " ", "") }
		if got := bare(strings.Join(pieces, "")); got != bare(line) {
			t.Fatalf("%q became %q", line, got)
		}
	})
}

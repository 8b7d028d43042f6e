package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/wasmill/wasmill/engine/fault"
)

// show prints faults for people: where and what on a line, details and the hint indented below.
func show(w io.Writer, err error) {
	var list fault.List
	if !errors.As(err, &list) {
		list = fault.List{fault.From(err)}
	}
	const most = 20
	columns := width(w)
	for i, f := range list {
		if i == most {
			fmt.Fprintf(w, "... and %d more\n", len(list)-most)
			return
		}
		line := "error: " + f.What
		if f.Where != "" {
			line = f.Where + ": " + f.What
		}
		fmt.Fprintln(w, line)
		if f.Detail != "" {
			for _, d := range strings.Split(strings.TrimRight(f.Detail, "\n"), "\n") {
				for _, line := range wrapped(printable(d), columns-len("  | ")) {
					fmt.Fprintln(w, "  |", line)
				}
			}
		}
		if f.Hint != "" {
			fmt.Fprintln(w, "  hint:", f.Hint)
		}
	}
}

// width returns how many columns w has: those of a terminal, else more than any line.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok && isTerminal(w) {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns >= 40 {
			return columns
		}
	}
	return math.MaxInt32
}

// wrapped cuts a line to pieces of at most width characters, at spaces where there are some. Pieces behind the first are
// indented as the line is, and a little more.
func wrapped(line string, width int) []string {
	if utf8.RuneCountInString(line) <= width {
		return []string{line}
	}
	indent := strings.Repeat(" ", min(len(line)-len(strings.TrimLeft(line, " "))+4, width/2))
	var pieces []string
	rest := []rune(line)
	for len(rest) > width {
		at := width
		for i := width; i > width/2; i-- {
			if rest[i] == ' ' {
				at = i
				break
			}
		}
		pieces = append(pieces, string(rest[:at]))
		for at < len(rest) && rest[at] == ' ' {
			at++
		}
		rest = append([]rune(indent), rest[at:]...)
	}
	return append(pieces, string(rest))
}

// printable keeps control characters of user data from reaching the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '·'
		}
		return r
	}, s)
}

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
)

// show prints faults for people: where and what on a line, details and the hint indented below.
func show(w io.Writer, err error) {
	var list fault.List
	if !errors.As(err, &list) {
		list = fault.List{fault.From(err)}
	}
	const most = 20
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
				fmt.Fprintln(w, "  |", printable(d))
			}
		}
		if f.Hint != "" {
			fmt.Fprintln(w, "  hint:", f.Hint)
		}
	}
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

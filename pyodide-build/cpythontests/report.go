package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// report adds up outcomes and prints them as they come.
type report struct {
	known                   []explanation
	all                     bool  // explained failures are printed, too
	explained               []int // how many failures each explanation covers
	passed, failed, skipped int
	unexplained             int
}

func (r *report) add(name string, out *outcome, took time.Duration) {
	r.passed += out.Passed
	r.failed += len(out.Failed)
	r.skipped += out.Skipped
	fmt.Printf("%-28s %5d passed  %4d failed  %4d skipped  %6.1f s  %s\n", name, out.Passed, len(out.Failed), out.Skipped, took.Seconds(), out.Reason)
	for _, test := range slices.Sorted(maps.Keys(out.Failed)) {
		trace := out.Failed[test]
		if i := explain(r.known, test, trace); i >= 0 {
			r.explained[i]++
			if r.all {
				fmt.Printf("  %s | %s\n", test, lastLine(trace))
			}
			continue
		}
		r.unexplained++
		fmt.Printf("  %s is not explained in known.txt:\n    %s\n", test, strings.ReplaceAll(strings.TrimSpace(trace), "\n", "\n    "))
	}
}

// end prints the sums and the reasons, and reports whether there is one for each failure.
func (r *report) end() bool {
	fmt.Println()
	for i, n := range r.explained {
		if n > 0 {
			fmt.Printf("%4d failed: %s\n", n, r.known[i].reason)
		}
	}
	if r.unexplained > 0 {
		fmt.Printf("%4d failed without an explanation\n", r.unexplained)
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	return r.unexplained == 0
}

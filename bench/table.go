package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// table is printed in at most 80 columns: the first column to the left, the others to the right.
type table struct {
	title string
	rows  [][]string
}

func newTable(title string, header ...string) *table {
	return &table{title: title, rows: [][]string{header}}
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(w io.Writer) {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	fmt.Fprintf(w, "\n%s\n", t.title)
	for n, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line.WriteString("  " + cell + space)
			} else {
				line.WriteString("  " + space + cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
		if n == 0 {
			width := 2 * len(widths)
			for _, w := range widths {
				width += w
			}
			fmt.Fprintln(w, "  "+strings.Repeat("-", width-2))
		}
	}
}

// machine names what the figures were measured on.
func machine() string {
	cpu := "unknown CPU"
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", cpu, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// median returns the middle of the values, which it sorts.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// perOp returns how long f takes, in nanoseconds: the median of rounds of at least a fifth of a second each.
func (e *env) perOp(f func() error) (float64, error) {
	var all []float64
	for n := 1; len(all) < e.rounds; {
		start := time.Now()
		for range n {
			if err := f(); err != nil {
				return 0, err
			}
		}
		took := time.Since(start)
		if took < 200*time.Millisecond && len(all) == 0 {
			n = max(2*n, int(float64(n)*0.22/max(took.Seconds(), 1e-6)))
			continue
		}
		all = append(all, float64(took.Nanoseconds())/float64(n))
	}
	return median(all), nil
}

// million writes a rate such as "1.53 M/s".
func million(perSecond float64) string { return fmt.Sprintf("%.2f M/s", perSecond/1e6) }

// thousand writes a rate such as "153 k/s".
func thousand(perSecond float64) string { return fmt.Sprintf("%.1f k/s", perSecond/1e3) }

// nanos writes a time given in nanoseconds in the unit that suits it.
func nanos(ns float64) string {
	switch {
	case ns < 1e3:
		return fmt.Sprintf("%.1f ns", ns)
	case ns < 1e6:
		return fmt.Sprintf("%.2f us", ns/1e3)
	case ns < 1e9:
		return fmt.Sprintf("%.2f ms", ns/1e6)
	}
	return fmt.Sprintf("%.2f s", ns/1e9)
}

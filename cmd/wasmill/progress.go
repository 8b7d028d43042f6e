package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/runtime"
)

// isTerminal reports whether w is a terminal.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// totals sums what a job has read, written and rejected.
func totals(stats []*operator.Stats) (in, out, rejected uint64) {
	for _, s := range stats {
		switch plan.Kind(s.Kind) {
		case plan.KindSource:
			in += s.RowsIn.Load()
		case plan.KindSink:
			out += s.RowsOut.Load()
		}
		rejected += s.Rejected.Load()
	}
	return in, out, rejected
}

// progress draws one line on a terminal until the function returned is called, which wipes it.
func progress(w io.Writer, job *runtime.Job) (stop func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		start := time.Now()
		ticker := time.NewTicker(250 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				fmt.Fprintf(w, "\r\x1b[K%s", progressLine(job, time.Since(start)))
			case <-over:
				fmt.Fprint(w, "\r\x1b[K")
				return
			}
		}
	}()
	return func() {
		close(over)
		<-done
	}
}

func progressLine(job *runtime.Job, elapsed time.Duration) string {
	in, _, rejected := totals(job.Stats())
	line := fmt.Sprintf("%s rows  %s rows/s", count(in), count(uint64(float64(in)/elapsed.Seconds())))
	if rejected > 0 {
		line += fmt.Sprintf("  %s rejected", count(rejected))
	}
	if read, all := job.Progress(); all > 0 && read > 0 {
		left := time.Duration(float64(elapsed) * float64(all-read) / float64(read))
		line += fmt.Sprintf("  %d%%  %s left", read*100/all, left.Round(time.Second))
	}
	return line
}

// count writes a number with thousands apart.
func count(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// summary says what a job did, and with details where its time went.
func summary(w io.Writer, p *plan.Plan, job *runtime.Job, elapsed time.Duration, details bool) {
	stats := job.Stats()
	in, out, rejected := totals(stats)
	line := fmt.Sprintf("%s: %s rows in, %s out, %s (%s rows/s)", p.Name, count(in), count(out),
		elapsed.Round(time.Millisecond), count(uint64(float64(in)/max(elapsed.Seconds(), 1e-9))))
	if rejected > 0 {
		line += fmt.Sprintf(", %s rejected", count(rejected))
	}
	late := uint64(0)
	for _, s := range stats {
		late += s.Late.Load()
	}
	if late > 0 {
		line += fmt.Sprintf(", %s too late", count(late))
	}
	fmt.Fprintln(w, line)
	if !details {
		return
	}
	const row = "  %-22s %11s %11s %9s %8s %12s\n" // 80 columns
	fmt.Fprintf(w, row, "step", "rows in", "rows out", "busy", "ns/row", "bytes copied")
	for _, s := range merged(p, stats) {
		perRow := "-"
		if s.in > 0 {
			perRow = fmt.Sprint(s.busy.Nanoseconds() / int64(s.in))
		}
		fmt.Fprintf(w, row, clip(s.kind+" "+s.node, 22), count(s.in), count(s.out),
			s.busy.Round(100*time.Microsecond), perRow, count(s.copied))
	}
	e := job.Epochs()
	if n := e.Commits.Load(); n > 0 {
		fmt.Fprintf(w, "  %d commits, %s on average, %s state changes\n", n,
			(time.Duration(e.TotalNanos.Load()) / time.Duration(n)).Round(100*time.Microsecond), count(e.Changes.Load()))
	}
}

type step struct {
	node, kind      string
	in, out, copied uint64
	busy            time.Duration
}

// merged adds up the tasks of each step, in the plan's order.
func merged(p *plan.Plan, stats []*operator.Stats) []*step {
	var steps []*step
	for _, n := range p.Nodes {
		m := &step{node: n.ID, kind: string(n.Kind)}
		for _, s := range stats {
			if s.Node != n.ID {
				continue
			}
			m.in += s.RowsIn.Load()
			m.out += s.RowsOut.Load()
			m.copied += s.CopiedBytes.Load()
			m.busy += s.Busy()
		}
		steps = append(steps, m)
	}
	return steps
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.TrimRight(s[:n-1], " ") + "…"
	}
	return s
}

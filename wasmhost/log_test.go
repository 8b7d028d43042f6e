package wasmhost

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrinter(t *testing.T) {
	var got []string
	l := &guestLog{sink: func(level int, line string) { got = append(got, fmt.Sprintf("%d %s", level, line)) }}
	out, err := &printer{log: l, level: levelInfo}, &printer{log: l, level: levelWarn}
	for _, text := range []string{"one", " line\ntwo\r\n", "\n", "\x1b[2J\xff\tx\n", strings.Repeat("y", maxLine+100) + "\nrest"} {
		if n, e := out.Write([]byte(text)); n != len(text) || e != nil {
			t.Errorf("wrote %d, %v", n, e)
		}
	}
	for i := range 70 {
		fmt.Fprintf(err, "e%d\n", i)
	}
	out.flush()
	out.flush()
	if len(got) != 9 || got[8] != "4 e3" {
		t.Errorf("before the end of the call: %q", got[5:])
	}
	l.settle(false)
	want := []string{"0 one line", "0 two", "0 ", "0 \uFFFD[2J\uFFFD\tx", "0 " + strings.Repeat("y", maxLine) + "..."}
	for i := range 70 {
		want = append(want, fmt.Sprintf("4 e%d", i))
	}
	if d := cmp.Diff(append(want, "0 rest"), got); d != "" {
		t.Error(d)
	}
	if said := l.said(); !strings.HasPrefix(said, "e0\ne1\n") || !strings.Contains(said, "\ne31\n... 6 lines\ne38\n") || !strings.HasSuffix(said, "\ne69\n") {
		t.Errorf("said %q", said)
	}
	l.renew()
	if said := l.said(); said != "" {
		t.Errorf("said %q after renew", said)
	}
}

func TestWhatABrokenGuestHasPrinted(t *testing.T) {
	var got []string
	l := &guestLog{sink: func(level int, line string) { got = append(got, fmt.Sprintf("%d %s", level, line)) }}
	l.renew()
	err := &printer{log: l, level: levelWarn}
	fmt.Fprint(err, "one\ntwo\nthree\nfour\nfive\n")
	l.line(levelInfo, []byte("between"))
	fmt.Fprint(err, "six\n")
	l.settle(true)
	l.settle(true)
	fmt.Fprint(err, "seven\n")
	l.renew()
	fmt.Fprint(err, "eight\n")
	want := []string{"4 one", "4 two", "4 three", "4 four", "0 between", "4 ... 2 more lines on standard error before the guest trapped",
		"4 seven", "4 eight"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if said := l.said(); said != "eight\n" {
		t.Errorf("said %q", said)
	}
	silent := &printer{log: &guestLog{}, level: levelWarn} // nobody listens
	fmt.Fprint(silent, strings.Repeat("x\n", 100))
	silent.log.settle(true)
}

func TestTheLogsAllowanceInBytes(t *testing.T) {
	var lines int
	l := &guestLog{sink: func(int, string) { lines++ }}
	for range 100 {
		l.line(levelInfo, []byte(strings.Repeat("z", 1<<10)))
	}
	if lines != 64 || l.dropped != 36 {
		t.Errorf("%d lines, %d dropped", lines, l.dropped)
	}
	l.renew()
	if lines != 65 {
		t.Errorf("%d lines: nobody was told", lines)
	}
}

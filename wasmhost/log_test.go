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
	want := []string{"0 one line", "0 two", "0 ", "0 \uFFFD[2J\uFFFD\tx", "0 " + strings.Repeat("y", maxLine) + "..."}
	for i := range 70 {
		want = append(want, fmt.Sprintf("4 e%d", i))
	}
	if d := cmp.Diff(append(want, "0 rest"), got); d != "" {
		t.Error(d)
	}
	if said := l.said(); !strings.HasPrefix(said, "e6\ne7\n") || !strings.HasSuffix(said, "\ne69\n") {
		t.Errorf("said %q", said)
	}
	l.renew()
	if said := l.said(); said != "" {
		t.Errorf("said %q after renew", said)
	}
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

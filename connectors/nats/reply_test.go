package nats

import (
	"fmt"
	"math"
	"testing"
)

func TestParseReply(t *testing.T) {
	for _, c := range []struct {
		reply string
		want  meta
		ok    bool
	}{
		{"$JS.ACK.S.c.1.22.333.1700000000000000000.4", meta{22, 333, 1700000000000000000, 4}, true},
		{"$JS.ACK.hub.acc.S.c.1.22.333.1700000000000000000.4", meta{22, 333, 1700000000000000000, 4}, true},
		{"$JS.ACK.hub.acc.S.c.1.22.333.1700000000000000000.4.token", meta{22, 333, 1700000000000000000, 4}, true},
		{"$JS.ACK.S.c.1.22.333.1700000000000000000", meta{}, false},
		{"$JS.ACK.S.c.1.22.333.1700000000000000000.4.5", meta{}, false},
		{"$JS.ACK.S.c.1.x.333.1700000000000000000.4", meta{}, false},
		{"$JS.ACK.S.c.1..333.1700000000000000000.4", meta{}, false},
		{"$JS.ACK.S.c.1.99999999999999999999.333.1700000000000000000.4", meta{}, false},
		{"$JS.ACK.S.c.1.1.1.18446744073709551615.4", meta{}, false},
		{"$JS.ACK..............................", meta{}, false},
		{"_INBOX.x", meta{}, false},
		{"", meta{}, false},
	} {
		got, ok := parseReply(c.reply)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: got %+v, %v", c.reply, got, ok)
		}
	}
}

func TestNumber(t *testing.T) {
	var n uint64
	if !number("18446744073709551615", &n) || n != math.MaxUint64 {
		t.Errorf("the largest: got %d", n)
	}
	for _, s := range []string{"", "-1", "+1", "1.", "18446744073709551616", "100000000000000000000", " 1", "1e3"} {
		if number(s, &n) {
			t.Errorf("%q was taken", s)
		}
	}
}

func FuzzParseReply(f *testing.F) {
	f.Add("$JS.ACK.S.c.1.22.333.1700000000000000000.4")
	f.Add("$JS.ACK.hub.acc.S.c.1.22.333.1700000000000000000.4.token")
	f.Fuzz(func(t *testing.T, reply string) {
		m, ok := parseReply(reply)
		if !ok {
			return
		}
		// What was read is written the same way again.
		again, ok := parseReply(fmt.Sprintf("$JS.ACK.S.c.1.%d.%d.%d.%d", m.stream, m.consumer, m.time, m.pending))
		if !ok || again != m {
			t.Fatalf("%q: got %+v, then %+v", reply, m, again)
		}
	})
}

func BenchmarkParseReply(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		if _, ok := parseReply("$JS.ACK.EVENTS.job-in-reads-12345678.1.123456789.123456.1700000000000000000.4096"); !ok {
			b.Fatal("not parsed")
		}
	}
}

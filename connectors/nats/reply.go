package nats

import "strings"

// meta is what the reply subject of a message from a consumer says, in either form:
//
//	$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>
//	$JS.ACK.<domain>.<account>.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>[.<token>]
//
// as the architecture decision record 15 of NATS has it. Time is in nanoseconds since 1970 UTC; pending counts the
// messages that the consumer has yet to deliver.
type meta struct {
	stream, consumer uint64
	time             int64
	pending          uint64
}

// parseReply returns what reply says; false for a subject that is not of that form.
func parseReply(reply string) (m meta, ok bool) {
	const prefix = "$JS.ACK."
	if !strings.HasPrefix(reply, prefix) {
		return m, false
	}
	var dots [13]int
	n := 0
	for i := len(prefix); i < len(reply); i++ {
		if reply[i] == '.' {
			if n == len(dots)-1 {
				return m, false
			}
			dots[n] = i
			n++
		}
	}
	dots[n] = len(reply)
	at := 2 // the dot before the stream's sequence
	switch {
	case n == 6:
	case n >= 8:
		at = 4
	default:
		return m, false
	}
	part := func(i int) string { return reply[dots[at+i]+1 : dots[at+i+1]] }
	var time uint64
	ok = number(part(0), &m.stream) && number(part(1), &m.consumer) && number(part(2), &time) && number(part(3), &m.pending)
	m.time = int64(time)
	return m, ok && m.time >= 0
}

// number reads decimal digits; false for anything else and for what does not fit 64 bits.
func number(s string, to *uint64) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	var x uint64
	for i := 0; i < len(s); i++ {
		d := uint64(s[i] - '0')
		if d > 9 || x > (1<<64-1-d)/10 {
			return false
		}
		x = x*10 + d
	}
	*to = x
	return true
}

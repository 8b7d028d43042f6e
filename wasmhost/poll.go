package wasmhost

import (
	"encoding/binary"
	"math"
	"time"
)

// Layout of what poll_oneoff reads and writes, in bytes, and the kinds of subscription.
const (
	subscriptionSize = 48
	eventSize        = 32
	pollClock        = 0
	pollRead         = 1
	pollWrite        = 2
	pollAbsolute     = 1 // a flag: the time is one of the clock's, not from now on
)

// wasiPoll waits for the first of its subscriptions: a time, or a standard stream or a file, which is ready at once. It ends with
// the call's time at the latest.
func (g *guest) wasiPoll(p []uint64) errno {
	n := uint32(p[2])
	if n == 0 || n > maxVectors {
		return errnoInval
	}
	in, ok := g.view(uint32(p[0]), n*subscriptionSize)
	out, fits := g.view(uint32(p[1]), n*eventSize)
	if !ok || !fits {
		return errnoFault
	}
	g.charge(fuelCall * int64(n))
	first := uint64(math.MaxUint64)
	waits := make([]uint64, n)
	for i := range waits {
		wait, e := g.pollWait(in[i*subscriptionSize:])
		if e != errnoSuccess {
			return e
		}
		waits[i] = wait
		first = min(first, wait)
	}
	if first > 0 {
		g.sleep(time.Duration(min(first, math.MaxInt64)))
	}
	events := uint32(0)
	for i, wait := range waits {
		if wait > first {
			continue
		}
		// The subscription is read before its event is written, which may lie in the same place.
		s := in[i*subscriptionSize:]
		user, kind := binary.LittleEndian.Uint64(s), s[8]
		failed := errnoSuccess
		if fd := binary.LittleEndian.Uint32(s[16:]); kind != pollClock && fd > 2 && g.file(uint64(fd)) == nil {
			failed = errnoBadf
		}
		event := out[events*eventSize : (events+1)*eventSize]
		clear(event)
		binary.LittleEndian.PutUint64(event, user)
		binary.LittleEndian.PutUint16(event[8:], uint16(failed))
		event[10] = kind
		events++
	}
	return g.put(p[3], events)
}

// pollWait returns how many nanoseconds a subscription has to wait.
func (g *guest) pollWait(s []byte) (uint64, errno) {
	switch s[8] {
	case pollRead, pollWrite:
		return 0, errnoSuccess
	case pollClock:
	default:
		return 0, errnoInval
	}
	now, ok := g.bundle.host.now(binary.LittleEndian.Uint32(s[16:]))
	if !ok {
		return 0, errnoInval
	}
	at := binary.LittleEndian.Uint64(s[24:])
	if binary.LittleEndian.Uint16(s[40:])&pollAbsolute == 0 {
		return at, errnoSuccess
	}
	return at - min(at, now), errnoSuccess
}

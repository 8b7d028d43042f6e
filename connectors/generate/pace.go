package generate

import "time"

// pace says how many rows are due by a rate. Rows that were due while nobody asked are made up for only up to backlog: a
// reader that stood still does not flood what comes behind it.
type pace struct {
	rate  float64   // rows per second
	next  time.Time // when the next row is due; zero before the first call
	every time.Duration
}

const (
	// backlog is how far behind the rate rows may be handed out at once.
	backlog = 50 * time.Millisecond
	// tick is the shortest wait: at high rates several rows are due at once.
	tick = time.Millisecond
)

func newPace(rate float64) *pace {
	return &pace{rate: rate, every: time.Duration(float64(time.Second) / rate)}
}

// due returns how many rows are due, or how long to wait until one is.
func (p *pace) due(now time.Time) (n int64, wait time.Duration) {
	if p.next.IsZero() {
		p.next = now
	}
	if now.Before(p.next) {
		return 0, max(tick, p.next.Sub(now))
	}
	if behind := now.Sub(p.next); behind > backlog+p.every {
		p.next = now.Add(-backlog)
	}
	return 1 + int64(now.Sub(p.next).Seconds()*p.rate), 0
}

// take says that n rows were handed out.
func (p *pace) take(n int64) {
	p.next = p.next.Add(time.Duration(float64(n) * float64(time.Second) / p.rate))
}

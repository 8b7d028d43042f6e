package runtime

import (
	"sync/atomic"
	"time"

	"github.com/wasmill/wasmill/engine/operator"
)

// Clock is where a job has its processing time from.
type Clock interface {
	Now() time.Time
	// Every calls wake about once in each interval, from another goroutine, until stop has returned.
	Every(interval time.Duration, wake func()) (stop func())
}

// wallClock is the computer's clock.
type wallClock struct{}

// Now implements Clock.
func (wallClock) Now() time.Time { return time.Now() }

// Every implements Clock.
func (wallClock) Every(interval time.Duration, wake func()) (stop func()) {
	ticker := time.NewTicker(interval)
	over := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ticker.C:
				wake()
			case <-over:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(over)
		<-done
	}
}

// timerInterval is how often tasks look for timers of processing time that fell due.
const timerInterval = 10 * time.Millisecond

// timed is the operators of a task that act when processing time goes on.
type timed struct {
	operators []operator.Timed
	clock     Clock
	epochs    *epochs
	last      int64
	seen      atomic.Int64 // the time that the operators have dealt with
}

// start wakes the task now and then, if it has any such operators.
func (t *timed) start(wake chan struct{}) (stop func()) {
	if len(t.operators) == 0 {
		return func() {}
	}
	return t.clock.Every(timerInterval, func() { poke(wake) })
}

// tick tells the operators what time it is.
func (t *timed) tick() error {
	if len(t.operators) == 0 {
		return nil
	}
	now := t.clock.Now().UnixMilli()
	if now == t.last {
		return nil
	}
	t.last = now
	for _, o := range t.operators {
		fired, err := o.Tick(now)
		if err != nil {
			return err
		}
		t.epochs.rows.Add(uint64(fired)) // they changed state: the epoch is to be committed
	}
	t.seen.Store(now)
	return nil
}

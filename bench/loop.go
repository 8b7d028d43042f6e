package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// loop runs a whole job from stream to stream, and in turn a loop of nats.go that copies the messages unread.
func loop(e *env) error {
	t := newTable(fmt.Sprintf("JetStream -> JSON -> C function -> JSON -> JetStream, events of %d bytes", len(event(1, time.Now()))),
		"sync", "loop", "events", "processor", "ratio", "target")
	for _, c := range []struct {
		what   string
		sync   time.Duration
		events int
	}{
		{"interval", time.Minute, 200_000},
		{"always", 0, 20_000},
	} {
		r, err := e.newRig(c.sync)
		if err != nil {
			return err
		}
		now := time.Now()
		var p pair
		if err = r.publish(c.events, func(i int) []byte { return event(i, now) }); err == nil {
			p, err = r.compare(c.events, loopPipeline)
		}
		r.close()
		if err != nil {
			return err
		}
		n := float64(c.events)
		t.add(c.what, "bare nats.go", thousand(n/p.bare.wall), nanos(p.bare.cpu/n*1e9), "", "")
		t.add("", "wasmill", thousand(n/p.whole.wall), nanos(p.whole.cpu/n*1e9), p.ratio, "75 %")
	}
	t.print(e.out)
	return nil
}

const loopPipeline = `
name: loop
input:
  jetstream: {stream: IN, until: end}
  schema: ` + eventSchema + `
pipeline:
  - map: {bundle: guest.wasm, function: score}
output:
  jetstream: {subject: out, max_pending: 4000}
`

// cost is what a run took, in seconds: on the clock, and of the processor, for the server as well.
type cost struct{ wall, cpu float64 }

// pair holds the medians of two loops that took turns, and the ratio of the second's rate to the first's: the median of
// the rounds', and the least and the largest.
type pair struct {
	bare, whole cost
	ratio       string
}

// compare runs the bare loop and a pipeline over the messages of IN in turn.
func (r *rig) compare(messages int, yaml string) (pair, error) {
	var wall, cpu [2][]float64
	var ratios []float64
	for round := range r.rounds {
		var took [2]cost
		for turn := range 2 {
			which := (round + turn) % 2 // neither is always first
			run := func() error { return r.bareLoop(messages) }
			if which == 1 {
				run = func() error { return r.runJob(yaml) }
			}
			var err error
			if took[which], err = r.timed(messages, run); err != nil {
				return pair{}, err
			}
			wall[which], cpu[which] = append(wall[which], took[which].wall), append(cpu[which], took[which].cpu)
		}
		ratios = append(ratios, took[0].wall/took[1].wall)
	}
	ratio := fmt.Sprintf("%.0f %% (%.0f-%.0f)", 100*median(ratios), 100*slices.Min(ratios), 100*slices.Max(ratios))
	return pair{cost{median(wall[0]), median(cpu[0])}, cost{median(wall[1]), median(cpu[1])}, ratio}, nil
}

// timed runs a loop over an empty stream OUT, which must hold so many messages afterwards; of Arrow's it may hold some
// more, for batches end in the middle of a message.
func (r *rig) timed(messages int, run func() error) (cost, error) {
	if err := r.purge("OUT"); err != nil {
		return cost{}, err
	}
	runtime.GC()
	start, before := time.Now(), processorSeconds()
	if err := run(); err != nil {
		return cost{}, err
	}
	took := cost{time.Since(start).Seconds(), processorSeconds() - before}
	out, err := r.js.Stream(r.ctx, "OUT")
	if err != nil {
		return cost{}, err
	}
	if n := out.CachedInfo().State.Msgs; n < uint64(messages) {
		return cost{}, fmt.Errorf("the stream OUT has %d messages of %d", n, messages)
	}
	return took, nil
}

// processorSeconds returns the processor time that this process has used.
func processorSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it cannot fail for the process itself
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(u.Utime) + seconds(u.Stime)
}

func (r *rig) runJob(yaml string) error {
	j, err := r.start(yaml)
	if err != nil {
		return err
	}
	return j.wait()
}

// bareLoop publishes every message of IN to OUT.
func (r *rig) bareLoop(messages int) error {
	c, err := r.js.OrderedConsumer(r.ctx, "IN", jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	var count atomic.Int64
	done := make(chan error, 1)
	consuming, err := c.Consume(func(m jetstream.Msg) {
		var err error = jetstream.ErrTooManyStalledMsgs
		for errors.Is(err, jetstream.ErrTooManyStalledMsgs) { // the window is full, and was for 200 ms
			_, err = r.js.PublishAsync("out", m.Data())
		}
		if err != nil {
			select {
			case done <- err:
			default:
			}
		}
		if count.Add(1) == int64(messages) {
			done <- nil
		}
	}, jetstream.PullMaxMessages(4096))
	if err != nil {
		return err
	}
	defer consuming.Stop()
	if err := <-done; err != nil {
		return err
	}
	<-r.js.PublishAsyncComplete()
	return nil
}

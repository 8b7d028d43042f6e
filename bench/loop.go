package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// loop runs a whole job from stream to stream, and in turn a loop of nats.go that copies the messages unread.
func loop(e *env) error {
	t := newTable(fmt.Sprintf("JetStream -> JSON -> C function -> JSON -> JetStream, events of %d bytes", len(event(1, time.Now()))),
		"sync", "bare nats.go", "wasmill", "ratio", "target")
	for _, c := range []struct {
		what   string
		sync   time.Duration
		events int
	}{
		{"interval", time.Minute, 200_000},
		{"always", 0, 20_000},
	} {
		bare, whole, err := e.compareLoops(c.sync, c.events)
		if err != nil {
			return err
		}
		t.add(c.what, thousand(bare), thousand(whole), fmt.Sprintf("%.0f %%", 100*whole/bare), "75 %")
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

// compareLoops returns the medians of both loops in events per second.
func (e *env) compareLoops(sync time.Duration, events int) (bare, whole float64, err error) {
	r, err := e.newRig(sync)
	if err != nil {
		return 0, 0, err
	}
	defer r.close()
	now := time.Now()
	if err := r.publish(events, func(i int) []byte { return event(i, now) }); err != nil {
		return 0, 0, err
	}
	var bares, wholes []float64
	for range e.rounds {
		took, err := r.timed(events, func() error { return r.bareLoop(events) })
		if err != nil {
			return 0, 0, err
		}
		bares = append(bares, float64(events)/took.Seconds())
		if took, err = r.timed(events, func() error { return r.runJob(loopPipeline) }); err != nil {
			return 0, 0, err
		}
		wholes = append(wholes, float64(events)/took.Seconds())
	}
	return median(bares), median(wholes), nil
}

// timed runs a loop over an empty stream OUT, which must hold so many messages afterwards; of Arrow's it may hold some
// more, for batches end in the middle of a message.
func (r *rig) timed(messages int, run func() error) (time.Duration, error) {
	if err := r.purge("OUT"); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := run(); err != nil {
		return 0, err
	}
	took := time.Since(start)
	out, err := r.js.Stream(r.ctx, "OUT")
	if err != nil {
		return 0, err
	}
	if n := out.CachedInfo().State.Msgs; n < uint64(messages) {
		return 0, fmt.Errorf("the stream OUT has %d messages of %d", n, messages)
	}
	return took, nil
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

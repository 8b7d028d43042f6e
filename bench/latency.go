package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors/nats"
)

const latencyPipeline = `
name: latency
input:
  jetstream: {stream: IN, from: new}
  schema: ` + eventSchema + `
pipeline:
  - map: {bundle: guest.wasm, function: score}
output:
  jetstream: {subject: out}
`

// latency publishes a thousand events a second and measures each from before its publishing until its result has been
// stored in OUT and come out of it again.
func latency(e *env) error {
	t := newTable("Latency at 1,000 events/s, from publishing to the result read from its stream",
		"sync", "loop", "p50", "p99", "p99.9", "most", "p99 target")
	for _, c := range []struct {
		what, target string
		sync         time.Duration
	}{{"interval", "5 ms", time.Minute}, {"always", "", 0}} {
		r, err := e.newRig(c.sync)
		if err != nil {
			return err
		}
		bare, whole, err := r.latencies()
		r.close()
		if err != nil {
			return err
		}
		t.add(append(append([]string{c.what, "bare nats.go"}, quantiles(bare)...), "")...)
		t.add(append(append([]string{"", "wasmill"}, quantiles(whole)...), c.target)...)
	}
	t.print(e.out)
	return nil
}

// quantiles writes the medians over rounds of the quantiles of each.
func quantiles(rounds [][]time.Duration) []string {
	var cells []string
	for _, q := range []float64{0.5, 0.99, 0.999, 1} {
		var values []float64
		for _, took := range rounds {
			at := min(int(q*float64(len(took))), len(took)-1)
			values = append(values, float64(took[at].Nanoseconds()))
		}
		cells = append(cells, nanos(median(values)))
	}
	return cells
}

// latencies returns the sorted times of each round, of the bare loop and of the job.
func (r *rig) latencies() (bare, whole [][]time.Duration, err error) {
	for range r.rounds {
		stop, err := r.bareForward()
		if err != nil {
			return nil, nil, err
		}
		took, err := r.feed()
		stop()
		if err != nil {
			return nil, nil, err
		}
		bare = append(bare, took)
		j, err := r.start(latencyPipeline)
		if err != nil {
			return nil, nil, err
		}
		if took, err = r.feed(); err != nil {
			return nil, nil, errors.Join(err, j.stopAndWait())
		}
		if err := j.stopAndWait(); err != nil {
			return nil, nil, err
		}
		whole = append(whole, took)
	}
	return bare, whole, nil
}

func (j *job) stopAndWait() error {
	j.Stop()
	return j.wait()
}

// bareForward publishes to OUT what comes into IN, until it is stopped.
func (r *rig) bareForward() (stop func(), err error) {
	conn, err := nats.Connect(r.ctx, nats.Options{InProcess: r.server})
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(window))
	if err != nil {
		return nil, err
	}
	c, err := js.OrderedConsumer(r.ctx, "IN", jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy})
	if err != nil {
		return nil, err
	}
	consuming, err := c.Consume(func(m jetstream.Msg) { _, _ = js.PublishAsync("out", m.Data()) })
	if err != nil {
		return nil, err
	}
	return func() { consuming.Stop(); conn.Close() }, nil
}

// feed publishes events at their times and waits for all results. The events of the first half second are not counted.
func (r *rig) feed() ([]time.Duration, error) {
	const warm = 500
	ctx, cancel := context.WithTimeout(r.ctx, time.Minute+time.Duration(r.events)*time.Millisecond)
	defer cancel()
	conn, err := nats.Connect(ctx, nats.Options{InProcess: r.server})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	c, err := js.OrderedConsumer(ctx, "OUT", jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy})
	if err != nil {
		return nil, err
	}
	results, err := c.Messages()
	if err != nil {
		return nil, err
	}
	defer results.Stop()
	time.Sleep(200 * time.Millisecond) // until both ends listen
	published := make(chan error, 1)
	go func() { published <- paced(ctx, r.conn, warm+r.events) }()
	took := make([]time.Duration, 0, r.events)
	for n := range warm + r.events {
		m, err := results.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("result %d did not come: %w", n, err)
		}
		var result struct{ At int64 }
		if err := json.Unmarshal(m.Data(), &result); err != nil {
			return nil, err
		}
		if n >= warm {
			took = append(took, time.Duration(time.Now().UnixNano()-result.At))
		}
	}
	slices.Sort(took)
	return took, <-published
}

// paced publishes one event a millisecond, each at its time: late ones do not push back those that follow.
func paced(ctx context.Context, conn *natsgo.Conn, n int) error {
	start := time.Now()
	for i := range n {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Millisecond)))
		if err := conn.Publish("in", event(i, time.Now())); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

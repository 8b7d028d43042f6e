package nats_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/nats/embedded"
	"github.com/wasmill/wasmill/connectors/nats/natstest"
	"github.com/wasmill/wasmill/engine/stream"
)

// body is an event of about 150 bytes.
var body = []byte(`{"carrier":"AA","flight":1234,"origin":"JFK","destination":"LAX","delay":17,"distance":2475,"when":"2001-01-14T21:55:00Z","tail":"N12345","note":"ok"}`)

const (
	loopMessages = 50_000
	loopWindow   = 4000
)

// loops returns a bench whose stream IN has loopMessages messages and whose stream OUT takes what comes to `out`.
func loopBench(b *testing.B, sync time.Duration) *bench {
	n := newBench(b, natstest.StartWith(b, embedded.Options{SyncInterval: sync}).URL())
	n.ctx = b.Context()
	n.stream(jetstream.StreamConfig{Name: "IN", Subjects: []string{"in"}})
	n.stream(jetstream.StreamConfig{Name: "OUT", Subjects: []string{"out"}, MaxMsgs: 1000})
	for i := range loopMessages {
		if _, err := n.js.PublishAsync("in", body); err != nil {
			b.Fatal(err)
		}
		if i%1000 == 999 {
			<-n.js.PublishAsyncComplete()
		}
	}
	return n
}

// BenchmarkLoop copies 50,000 messages of 150 bytes from one stream to another: with nats.go alone, an ordered
// consumer and asynchronous publishing, and with Reader and Writer, a string column between. The third is Reader
// alone, the fourth Writer alone. Both loops are bounded by the server, which shares the processor here.
func BenchmarkLoop(b *testing.B) {
	n := loopBench(b, time.Minute)
	b.Run("bare", func(b *testing.B) {
		for range b.N {
			bareLoop(b, n)
		}
		report(b)
	})
	b.Run("wasmill", func(b *testing.B) {
		for range b.N {
			wasmillLoop(b, n)
		}
		report(b)
	})
	b.Run("bare-read", func(b *testing.B) {
		for range b.N {
			bareConsume(b, n, func(jetstream.Msg) {})
		}
		report(b)
	})
	b.Run("read", func(b *testing.B) {
		for range b.N {
			r := n.mustOpen(`{"stream":"IN","until":"end"}`, nil)
			if got := readCount(b, n, r, func([]connectors.Message) {}); got != loopMessages {
				b.Fatalf("got %d messages", got)
			}
			r.Close()
		}
		report(b)
	})
	b.Run("bare-write", func(b *testing.B) {
		js := asyncJetStream(b, n)
		for range b.N {
			for range loopMessages {
				if _, err := js.PublishAsync("out", body); err != nil {
					b.Fatal(err)
				}
			}
			<-js.PublishAsyncComplete()
		}
		report(b)
	})
	b.Run("write", func(b *testing.B) {
		w := n.mustWriter(fmt.Sprintf(`{"subject":"out","max_pending":%d}`, loopWindow), &lines{})
		rows := bodies(slices.Repeat([]connectors.Message{{Data: body}}, 1000))
		for range b.N {
			for range loopMessages / 1000 {
				if err := w.Write(n.ctx, rows); err != nil {
					b.Fatal(err)
				}
			}
			if err := n.flush(w); err != nil {
				b.Fatal(err)
			}
		}
		report(b)
	})
}

func report(b *testing.B) {
	b.ReportAllocs()
	b.ReportMetric(float64(b.N*loopMessages)/b.Elapsed().Seconds(), "msgs/s")
}

func asyncJetStream(b *testing.B, n *bench) jetstream.JetStream {
	js, err := jetstream.New(n.nc, jetstream.WithPublishAsyncMaxPending(loopWindow))
	if err != nil {
		b.Fatal(err)
	}
	return js
}

func bareConsume(b *testing.B, n *bench, each func(jetstream.Msg)) {
	c, err := n.js.OrderedConsumer(n.ctx, "IN", jetstream.OrderedConsumerConfig{})
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	var count atomic.Int64
	consuming, err := c.Consume(func(m jetstream.Msg) {
		each(m)
		if count.Add(1) == loopMessages {
			close(done)
		}
	}, jetstream.PullMaxMessages(4096))
	if err != nil {
		b.Fatal(err)
	}
	<-done
	consuming.Stop()
}

func bareLoop(b *testing.B, n *bench) {
	js := asyncJetStream(b, n)
	bareConsume(b, n, func(m jetstream.Msg) {
		for {
			_, err := js.PublishAsync("out", m.Data())
			if err == nil {
				return
			}
			if !errors.Is(err, jetstream.ErrTooManyStalledMsgs) {
				b.Error(err)
				return
			}
		}
	})
	<-js.PublishAsyncComplete()
}

func readCount(b *testing.B, n *bench, r connectors.Reader, each func([]connectors.Message)) int {
	count := 0
	for {
		messages, err := r.Next(n.ctx, nil, 2048)
		if errors.Is(err, io.EOF) {
			return count
		}
		if err != nil {
			b.Fatal(err)
		}
		count += len(messages)
		each(messages)
	}
}

func wasmillLoop(b *testing.B, n *bench) {
	r := n.mustOpen(`{"stream":"IN","until":"end"}`, nil)
	w := n.mustWriter(fmt.Sprintf(`{"subject":"out","max_pending":%d}`, loopWindow), &lines{})
	if got := readCount(b, n, r, func(m []connectors.Message) {
		rows := bodies(m)
		if err := w.Write(n.ctx, rows); err != nil {
			b.Fatal(err)
		}
		rows.Release()
	}); got != loopMessages {
		b.Fatalf("got %d messages", got)
	}
	if err := n.flush(w); err != nil {
		b.Fatal(err)
	}
	w.Close()
	r.Close()
}

var bodySchema = arrow.NewSchema([]arrow.Field{{Name: "body", Type: arrow.BinaryTypes.String}}, nil)

// bodies returns a batch with the messages as a string column.
func bodies(messages []connectors.Message) *stream.Batch {
	c := array.NewStringBuilder(memory.DefaultAllocator)
	defer c.Release()
	for _, m := range messages {
		c.BinaryBuilder.Append(m.Data)
	}
	a := c.NewArray()
	defer a.Release()
	return &stream.Batch{Record: array.NewRecord(bodySchema, []arrow.Array{a}, int64(len(messages)))}
}

// BenchmarkLatency publishes 1,000 events a second and measures each from its publishing to the arrival of its copy,
// with the interval sync and with a sync for each message.
func BenchmarkLatency(b *testing.B) {
	for name, sync := range map[string]time.Duration{"interval": time.Minute, "always": 0} {
		b.Run(name, func(b *testing.B) {
			n := newBench(b, natstest.StartWith(b, embedded.Options{SyncInterval: sync}).URL())
			n.stream(jetstream.StreamConfig{Name: "IN", Subjects: []string{"in"}})
			n.stream(jetstream.StreamConfig{Name: "OUT", Subjects: []string{"out"}})
			latencies(b, n)
		})
	}
}

func latencies(b *testing.B, n *bench) {
	const events = 2000
	ctx, stop := context.WithCancel(n.ctx)
	defer stop()
	r := n.mustOpen(`"IN"`, nil)
	w := n.mustWriter(`"out"`, &lines{})
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		for {
			messages, err := r.Next(ctx, nil, 2048)
			if err != nil {
				return
			}
			rows := bodies(messages)
			if err := w.Write(ctx, rows); err != nil {
				return
			}
			rows.Release()
		}
	}()
	nc, _ := natstest.Connect(b, n.nc.ConnectedUrl())
	results := make(chan *natsgo.Msg, events)
	sub, err := nc.ChanSubscribe("out", results)
	if err != nil {
		b.Fatal(err)
	}
	defer sub.Unsubscribe()
	for range b.N {
		go func() {
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for range events {
				<-tick.C
				nc.Publish("in", []byte(time.Now().Format(time.RFC3339Nano)+strings.Repeat("x", 100)))
			}
		}()
		var took []time.Duration
		for range events {
			select {
			case m := <-results:
				at, err := time.Parse(time.RFC3339Nano, strings.TrimRight(string(m.Data), "x"))
				if err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(at))
			case <-ctx.Done():
				b.Fatal("results are missing")
			}
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[events/2].Microseconds()), "p50-us")
		b.ReportMetric(float64(took[events*99/100].Microseconds()), "p99-us")
	}
	stop()
	<-copied
	r.Close()
}

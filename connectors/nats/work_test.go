package nats_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors/nats/natstest"
)

func TestWorkQueue(t *testing.T) {
	for name, retention := range map[string]jetstream.RetentionPolicy{"work queue": jetstream.WorkQueuePolicy, "interest": jetstream.InterestPolicy} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, natstest.Start(t).URL())
			b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Retention: retention})
			left := func(want uint64) {
				t.Helper()
				s, err := b.js.Stream(b.ctx, "S")
				if err != nil {
					t.Fatal(err)
				}
				for i := 0; ; i++ { // acknowledgements are taken in by and by
					info, err := s.Info(b.ctx)
					if err != nil {
						t.Fatal(err)
					}
					if info.State.Msgs == want {
						return
					}
					if i == 1000 {
						t.Fatalf("%d messages are left, want %d", info.State.Msgs, want)
					}
				}
			}
			r := b.mustOpen(`"S"`, nil)
			b.publish("s", 1, 10)
			b.read(r, 4)
			p4 := b.positions(r)
			b.read(r, 2)
			left(10)
			if err := r.Committed(b.ctx, p4); err != nil {
				t.Fatal(err)
			}
			left(6)
			p6 := b.positions(r)
			r.Close()

			// A crash after 6: what is not acknowledged comes again, at once and in order.
			r = b.mustOpen(`"S"`, p4)
			if diff := cmp.Diff(numbers(5, 10), b.read(r, 6)); diff != "" {
				t.Fatal(diff)
			}
			r.Close()

			// A crash after the commit of 6 and before its acknowledgement: 5 and 6 do not come again.
			r = b.mustOpen(`"S"`, p6)
			if diff := cmp.Diff(numbers(7, 10), b.read(r, 4)); diff != "" {
				t.Fatal(diff)
			}
			left(4)
			if err := r.Committed(b.ctx, b.positions(r)); err != nil {
				t.Fatal(err)
			}
			left(0)
			b.publish("s", 11, 12)
			if diff := cmp.Diff(numbers(11, 12), b.read(r, 2)); diff != "" {
				t.Fatal(diff)
			}
			r.Close()
		})
	}
}

func TestWorkQueueUntilEnd(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s.*"}, Retention: jetstream.WorkQueuePolicy})
	b.publish("s.a", 1, 3)
	b.publish("s.b", 4, 5)
	r := b.mustOpen(`{"stream":"S","subjects":["s.a","s.b"],"until":"end"}`, nil)
	if got := b.read(r, -1); len(got) != 5 {
		t.Errorf("got %v", got)
	}
	if err := r.Committed(b.ctx, b.positions(r)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	r = b.mustOpen(`{"stream":"S","subjects":["s.a","s.b"],"until":"end"}`, nil)
	if got := b.read(r, -1); len(got) != 0 {
		t.Errorf("got %v after all was acknowledged", got)
	}
	r.Close()
}

func TestInterestConsumerGone(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Retention: jetstream.InterestPolicy})
	r := b.mustOpen(`"S"`, nil)
	b.publish("s", 1, 2)
	b.read(r, 2)
	p := b.positions(r)
	r.Close()
	if err := b.js.DeleteConsumer(b.ctx, "S", "job-in"); err != nil {
		t.Fatal(err)
	}
	_, err := b.open(`"S"`, p)
	want := "state the consumer `job-in` of the stream `S` is gone: messages since sequence 2 may have been removed " +
		"(to go on without what is lost, set `gaps: accept` on the input)"
	if got := text(err); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestInterestFromNewReconnects: a consumer that starts with what is new is taken as it is after a reconnect.
func TestInterestFromNewReconnects(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Retention: jetstream.InterestPolicy})
	r := b.mustOpen(`{"stream":"S","from":"new"}`, nil)
	defer r.Close()
	b.publish("s", 1, 3)
	b.read(r, 2)
	if err := b.nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	b.publish("s", 4, 5)
	if diff := cmp.Diff(numbers(3, 5), b.read(r, 3)); diff != "" {
		t.Error(diff)
	}
}

func TestConsumerOfAnotherKind(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}, Retention: jetstream.InterestPolicy})
	for name, cfg := range map[string]jetstream.ConsumerConfig{
		"all":    {AckPolicy: jetstream.AckAllPolicy},
		"filter": {AckPolicy: jetstream.AckExplicitPolicy, FilterSubject: "s.a"},
		"good":   {AckPolicy: jetstream.AckExplicitPolicy},
	} {
		cfg.Durable = name
		if _, err := b.js.CreateConsumer(b.ctx, "S", cfg); err != nil {
			t.Fatal(err)
		}
	}
	const hint = " (delete that consumer, or name another with `durable`)"
	for name, want := range map[string]string{
		"all":    "usage the consumer `all` of the stream `S` is not one that the job can use: its acknowledgements are AckAll, expected AckExplicit" + hint,
		"filter": "usage the consumer `filter` of the stream `S` is not one that the job can use: it takes [\"s.a\"], expected \">\"" + hint,
		"good":   "",
	} {
		r, err := b.open(`{"stream":"S","durable":"`+name+`"}`, nil)
		if err == nil {
			r.Close()
		}
		if got := text(err); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}

package nats_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/nats/natstest"
	"github.com/wasmill/wasmill/engine/fault"
)

// readAll reads until the message with the body n came, calling each after every batch.
func readAll(b *bench, r connectors.Reader, n int, each func(got int)) []string {
	b.t.Helper()
	var got []string
	for len(got) == 0 || !slices.Contains(got[max(0, len(got)-100):], fmt.Sprint(n)) {
		messages, err := r.Next(b.ctx, nil, 100)
		if err != nil {
			b.t.Fatalf("after %d messages: %v", len(got), err)
		}
		for _, m := range messages {
			got = append(got, string(m.Data))
		}
		each(len(got))
	}
	return got
}

func TestServerKilledWhileReading(t *testing.T) {
	for name, retention := range map[string]jetstream.RetentionPolicy{"limits": jetstream.LimitsPolicy, "work queue": jetstream.WorkQueuePolicy} {
		t.Run(name, func(t *testing.T) {
			server := natstest.StartProcess(t)
			b := newBench(t, server.URL)
			b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Retention: retention})
			const n = 3000
			b.fill("s", n)
			r := b.mustOpen(`"S"`, nil)
			defer r.Close()
			kills := 0
			got := readAll(b, r, n, func(got int) {
				if got%700 == 0 {
					// The server may still be away, after which the next call says the same.
					if err := r.Committed(b.ctx, b.positions(r)); err != nil && fault.CodeOf(err) != fault.Connect {
						t.Fatal(err)
					}
				}
				if got >= 1000*(kills+1) && kills < 2 {
					server.Kill()
					server.Start(t)
					kills++
				}
			})
			if diff := cmp.Diff(numbers(1, n), got); diff != "" {
				t.Errorf("after %d kills: %s", kills, diff)
			}
			if kills != 2 {
				t.Errorf("the server was killed %d times, want 2", kills)
			}
		})
	}
}

// TestReaderWaitsForTheServer kills the server, has Next wait, wakes it, and starts the server again.
func TestReaderWaitsForTheServer(t *testing.T) {
	server := natstest.StartProcess(t)
	b := newBench(t, server.URL)
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	b.publish("s", 1, 3)
	r := b.mustOpen(`"S"`, nil)
	defer r.Close()
	b.read(r, 3)
	server.Kill()
	b.quiet(r)
	wake := make(chan struct{}, 1)
	wake <- struct{}{}
	if m, err := r.Next(b.ctx, wake, 10); len(m) != 0 || err != nil {
		t.Errorf("on wake: %v, %v", m, err)
	}
	server.Start(t)
	b.publish("s", 4, 5)
	if diff := cmp.Diff(numbers(4, 5), b.read(r, 2)); diff != "" {
		t.Error(diff)
	}
}

// TestOpenWaitsForTheServer loses the server between connecting and opening.
func TestOpenWaitsForTheServer(t *testing.T) {
	server := natstest.StartProcess(t)
	b := newBench(t, server.URL)
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	b.publish("s", 1, 3)
	back := make(chan struct{})
	lose := func() {
		server.Kill()
		go func() {
			time.Sleep(200 * time.Millisecond)
			server.Start(t)
			back <- struct{}{}
		}()
	}
	lose()
	r := b.mustOpen(`"S"`, nil)
	defer r.Close()
	<-back
	if diff := cmp.Diff(numbers(1, 3), b.read(r, 3)); diff != "" {
		t.Error(diff)
	}
	lose()
	w := b.mustWriter(`"s"`, &lines{})
	<-back
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestServerKilledWhilePublishing(t *testing.T) {
	server := natstest.StartProcess(t)
	b := newBench(t, server.URL)
	b.stream(jetstream.StreamConfig{Name: "OUT", Subjects: []string{"out.>"}})
	w := b.mustWriter(`{"subject":"out.{key}","max_pending":300}`, &lines{})
	const batches, rows = 60, 50
	back := make(chan struct{})
	for i := range batches {
		var out []row
		for j := range rows {
			out = append(out, row{"k", 0, fmt.Sprint(i*rows + j + 1)})
		}
		if i == 20 || i == 40 { // in the middle of writing
			go func() { // writing may wait for the server, so that nothing here waits for it
				server.Kill()
				time.Sleep(50 * time.Millisecond)
				server.Start(t)
				back <- struct{}{}
			}()
		}
		if err := w.Write(b.ctx, batch(t, out...)); err != nil {
			t.Fatal(err)
		}
		if i == 20 || i == 40 {
			<-back
		}
	}
	if err := b.flush(w); err != nil {
		t.Fatal(err)
	}
	times := map[int]int{}
	for _, m := range b.stored("OUT") {
		n, err := strconv.Atoi(string(m.Data))
		if err != nil {
			t.Fatal(err)
		}
		times[n]++
	}
	twice := 0
	for i := 1; i <= batches*rows; i++ {
		switch times[i] {
		case 0:
			t.Fatalf("row %d was lost", i)
		case 1:
		default:
			twice++
		}
	}
	if twice > 2*300 {
		t.Errorf("%d rows are there twice, more than were on their way", twice)
	}
	t.Logf("%d of %d rows are there more than once", twice, batches*rows)
}

func TestFlushWaitsForTheServer(t *testing.T) {
	server := natstest.StartProcess(t)
	b := newBench(t, server.URL)
	b.stream(jetstream.StreamConfig{Name: "OUT", Subjects: []string{"out"}})
	w := b.mustWriter(`"out"`, &lines{})
	server.Kill()
	if err := w.Write(b.ctx, batch(t, row{"k", 0, "1"})); err != nil {
		t.Fatal(err)
	}
	_, wait, err := w.Flush(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(b.ctx, 100*time.Millisecond)
	defer cancel()
	if err := wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a server: got %v", err)
	}
	server.Start(t)
	if err := wait(b.ctx); err != nil {
		t.Error(err)
	}
	if got := b.stored("OUT"); len(got) != 1 {
		t.Errorf("got %d messages, want 1", len(got))
	}
}

// TestKilledJobLosesNothing restarts a job that reads, writes and commits, each time from its last commit.
func TestKilledJobLosesNothing(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "IN", Subjects: []string{"in"}})
	b.stream(jetstream.StreamConfig{Name: "OUT", Subjects: []string{"out"}})
	const n = 500
	b.publish("in", 1, n)
	var committed map[string]json.RawMessage
	for life, done := 0, false; !done; life++ {
		r := b.mustOpen(`{"stream":"IN","until":"end"}`, committed)
		w := b.mustWriter(`"out"`, &lines{})
		for epoch := range 3 {
			bodies := b.read(r, 30)
			if done = len(bodies) == 0; done {
				break
			}
			var rows []row
			for _, body := range bodies {
				rows = append(rows, row{"k", 0, body})
			}
			if err := w.Write(b.ctx, batch(t, rows...)); err != nil {
				t.Fatal(err)
			}
			if epoch == 2 {
				break // killed before the commit
			}
			if err := b.flush(w); err != nil {
				t.Fatal(err)
			}
			committed = b.positions(r)
		}
		w.Close()
		r.Close()
	}
	seen := map[string]bool{}
	for _, m := range b.stored("OUT") {
		seen[string(m.Data)] = true
	}
	for i := 1; i <= n; i++ {
		if !seen[fmt.Sprint(i)] {
			t.Fatalf("message %d was lost", i)
		}
	}
}

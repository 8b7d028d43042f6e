package nats_test

import (
	"encoding/json"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors/nats/natstest"
)

// TestPositionMovesWhereNothingMatches: messages that the filter passes over do not hold the position back.
func TestPositionMovesWhereNothingMatches(t *testing.T) {
	t.Parallel()
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}})
	b.publish("s.rare", 1, 1)
	r := b.mustOpen(`{"stream":"S","subjects":"s.rare"}`, nil)
	defer r.Close()
	b.read(r, 1)
	b.publish("s.often", 2, 50)
	var p struct{ Sequence uint64 }
	for p.Sequence != 50 {
		b.quiet(r) // fails when the test takes too long
		if err := json.Unmarshal(b.positions(r)["s.rare"], &p); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEndWithoutALastMessage: the last messages before the end are removed after the start.
func TestEndWithoutALastMessage(t *testing.T) {
	t.Parallel()
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	b.fill("s", 20_000) // more than is asked for at once
	r := b.mustOpen(`{"stream":"S","until":"end"}`, nil)
	defer r.Close()
	b.read(r, 1)
	s, err := b.js.Stream(b.ctx, "S")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.publish("s", 20_001, 20_002)
	for _, body := range b.read(r, -1) {
		if len(body) > 5 || body > "20000" && len(body) == 5 {
			t.Fatalf("got %s, from behind the end", body)
		}
	}
}

// TestServerThatHangs: a server that stops for longer than heartbeats may stay away, and goes on.
func TestServerThatHangs(t *testing.T) {
	t.Parallel()
	process := natstest.StartProcess(t)
	b := newBench(t, process.URL)
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	b.stream(jetstream.StreamConfig{Name: "OUT", Subjects: []string{"out"}})
	r := b.mustOpen(`"S"`, nil)
	defer r.Close()
	w := b.mustWriter(`"out"`, &lines{})
	b.publish("s", 1, 3)
	b.read(r, 3)
	hung := make(chan struct{})
	go func() {
		defer close(hung)
		process.Pause(8 * time.Second)
	}()
	time.Sleep(100 * time.Millisecond) // so that the row is written while the server hangs
	if err := w.Write(b.ctx, batch(t, row{"k", 0, "1"})); err != nil {
		t.Fatal(err)
	}
	for paused := true; paused; {
		select {
		case <-hung:
			paused = false
		default:
			b.quiet(r)
		}
	}
	b.publish("s", 4, 6)
	if diff := cmp.Diff(numbers(4, 6), b.read(r, 3)); diff != "" {
		t.Error(diff)
	}
	if err := b.flush(w); err != nil {
		t.Fatal(err)
	}
	if got := b.stored("OUT"); len(got) == 0 || len(got) > 3 {
		t.Errorf("the row is there %d times", len(got))
	}
}

func TestSinkStreamThatNeverAcknowledges(t *testing.T) {
	t.Parallel()
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "DEAF", Subjects: []string{"deaf.>"}, NoAck: true})
	w := b.mustWriter(`"deaf.{key}"`, &lines{})
	if err := w.Write(b.ctx, batch(t, row{"a", 0, "x"})); err != nil {
		t.Fatal(err)
	}
	want := "usage the stream `DEAF` does not acknowledge messages: none could be known to be stored (set `no_ack: false` on the stream)"
	if got := text(b.flush(w)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestServerWithoutJetStream(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server is not ready")
	}
	b := newBench(t, s.ClientURL())
	_, err = b.open(`"S"`, nil)
	want := "connect the stream `S` cannot be looked up: the server has no JetStream (start it with `nats-server -js`, or enable JetStream for the account)"
	if got := text(err); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	_, err = b.writer(`"out"`, &lines{})
	want = "connect the output's stream cannot be looked up: the server has no JetStream (start it with `nats-server -js`, or enable JetStream for the account)"
	if got := text(err); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestSinkWithoutPermission: what the server refuses to let through is said, not tried for ever.
func TestSinkWithoutPermission(t *testing.T) {
	t.Parallel()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true, JetStream: true, StoreDir: t.TempDir(),
		Users: []*server.User{{Username: "u", Password: "p", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"out.>"}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server is not ready")
	}
	b := newBench(t, "nats://u:p@"+s.Addr().String())
	w := b.mustWriter(`{"subject":"out.{key}","stream":"OUT","create":true}`, &lines{})
	if err := w.Write(b.ctx, batch(t, row{"a", 0, "x"})); err != nil {
		t.Fatal(err)
	}
	want := "connect no acknowledgement came for `out.a`: nats: permissions violation: Permissions Violation for Publish to \"out.a\" " +
		"(let the user publish there, and subscribe to its inbox)"
	if got := text(b.flush(w)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestConnectionClosed(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.stream(jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}})
	r := b.mustOpen(`"S"`, nil)
	w := b.mustWriter(`"s"`, &lines{})
	b.quiet(r)
	b.nc.Close()
	const want = "connect the connection to NATS was closed"
	if _, err := r.Next(b.ctx, nil, 1); text(err) != want {
		t.Errorf("reading: got %v", err)
	}
	var err error
	for err == nil { // until the writer has heard
		err = b.flush(w)
		if err == nil {
			err = w.Write(b.ctx, batch(t, row{"a", 0, "x"}))
		}
	}
	if got := text(err); got != want && got != "connect messages cannot be published to `s`: nats: connection closed" {
		t.Errorf("writing: got %s", got)
	}
	r.Close()
	if err := r.Committed(b.ctx, b.positions(r)); text(err) == "" {
		t.Error("committing on a closed connection is no error")
	}
	if _, err := r.Next(b.ctx, nil, 1); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("reading again: got %v", err)
	}
}

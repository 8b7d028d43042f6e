package nats_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/nats"
	"github.com/wasmill/wasmill/connectors/nats/natstest"
	"github.com/wasmill/wasmill/engine/stream"
)

func TestMain(m *testing.M) {
	natstest.Main()
	goleak.VerifyTestMain(m)
}

// bench is a server, a job's connection to it and the connector.
type bench struct {
	t   testing.TB
	ctx context.Context
	nc  *natsgo.Conn
	js  jetstream.JetStream
	c   connectors.Connector
	job connectors.Job
}

func newBench(t testing.TB, url string) *bench {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("NATS_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	ctx := natstest.Context(t)
	nc, err := nats.Connect(ctx, nats.Options{URL: url, Name: t.Name(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	_, js := natstest.Connect(t, url) // the test's own, to prepare and to look
	c := nats.Connector(func(context.Context) (*natsgo.Conn, error) { return nc, nil })
	return &bench{t, ctx, nc, js, c, connectors.Job{Name: "job", Node: "in", Log: log}}
}

// stream makes a stream. The server may still be removing the files of one that had its name, and then refuses for a
// moment, as "error creating store for stream".
func (b *bench) stream(cfg jetstream.StreamConfig) {
	b.t.Helper()
	const creatingStore = 10049
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, err := b.js.CreateStream(b.ctx, cfg)
		if err == nil {
			return
		}
		var refused *jetstream.APIError
		if !errors.As(err, &refused) || refused.ErrorCode != creatingStore || time.Now().After(deadline) {
			b.t.Fatal(err)
		}
	}
}

// publish publishes bodies from to to, one after the other.
func (b *bench) publish(subject string, from, to int) {
	b.t.Helper()
	for i := from; i <= to; i++ {
		if _, err := b.js.Publish(b.ctx, subject, []byte(fmt.Sprint(i))); err != nil {
			b.t.Fatal(err)
		}
	}
}

// fill publishes bodies 1 to n without waiting for each.
func (b *bench) fill(subject string, n int) {
	b.t.Helper()
	for i := 1; i <= n; i++ {
		if _, err := b.js.PublishAsync(subject, []byte(fmt.Sprint(i))); err != nil {
			b.t.Fatal(err)
		}
		if i%1000 == 0 || i == n {
			select {
			case <-b.js.PublishAsyncComplete():
			case <-b.ctx.Done():
				b.t.Fatal("publishing takes too long")
			}
		}
	}
}

func (b *bench) source(config string) connectors.Source {
	b.t.Helper()
	s, err := b.c.NewSource(json.RawMessage(config))
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// open opens a source at the positions; splits without one are at the configured start.
func (b *bench) open(config string, positions map[string]json.RawMessage) (connectors.Reader, error) {
	b.t.Helper()
	s := b.source(config)
	ids, err := s.Splits(b.ctx, b.job)
	if err != nil {
		return nil, err
	}
	var splits []connectors.Split
	for _, id := range ids {
		splits = append(splits, connectors.Split{ID: id, Position: positions[id]})
	}
	return s.Open(b.ctx, b.job, splits)
}

func (b *bench) mustOpen(config string, positions map[string]json.RawMessage) connectors.Reader {
	b.t.Helper()
	r, err := b.open(config, positions)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// read returns the bodies of the next n messages, or of all up to the end when n is negative.
func (b *bench) read(r connectors.Reader, n int) []string {
	b.t.Helper()
	var got []string
	for n < 0 || len(got) < n {
		most := 1000
		if n >= 0 {
			most = min(most, n-len(got))
		}
		messages, err := r.Next(b.ctx, nil, most)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.t.Fatalf("after %d messages: %v", len(got), err)
		}
		for _, m := range messages {
			got = append(got, string(m.Data))
		}
	}
	return got
}

// quiet fails the test if there is a message before the server has answered twice.
func (b *bench) quiet(r connectors.Reader) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 200*time.Millisecond)
	defer cancel()
	messages, err := r.Next(ctx, nil, 10)
	if !errors.Is(err, context.DeadlineExceeded) {
		b.t.Fatalf("got %v, %v; want nothing", messages, err)
	}
}

func (b *bench) positions(r connectors.Reader) map[string]json.RawMessage {
	b.t.Helper()
	p, err := r.Positions()
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// numbers returns "from" to "to".
func numbers(from, to int) []string {
	var s []string
	for i := from; i <= to; i++ {
		s = append(s, fmt.Sprint(i))
	}
	return s
}

// lines is a row format: the text of column `body`.
type lines struct{ body *array.String }

func (l *lines) Name() string { return "lines" }
func (l *lines) Bind(rec arrow.Record) error {
	l.body = rec.Column(rec.Schema().FieldIndices("body")[0]).(*array.String)
	return nil
}

func (l *lines) Append(dst []byte, i int) ([]byte, error) {
	if l.body.IsNull(i) {
		return dst, errors.New("no body")
	}
	return append(dst, l.body.Value(i)...), nil
}
func (l *lines) Header() []byte { return nil }
func (l *lines) Lines() bool    { return true }

// blocks is a batch format: bodies, each ended by a line feed.
type blocks struct{}

func (blocks) Name() string { return "blocks" }
func (blocks) AppendMessage(dst []byte, rec arrow.Record, from, to int) ([]byte, error) {
	body := rec.Column(rec.Schema().FieldIndices("body")[0]).(*array.String)
	for i := from; i < to; i++ {
		dst = append(append(dst, body.Value(i)...), '\n')
	}
	return dst, nil
}
func (blocks) AppendFile(dst []byte, _ arrow.Record) ([]byte, error) { return dst, nil }
func (blocks) Reset()                                                {}

type row struct {
	key  any // string or nil
	n    int64
	body any
}

// batch builds rows with the columns key, n and body.
func batch(t testing.TB, rows ...row) *stream.Batch {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "key", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "n", Type: arrow.PrimitiveTypes.Int64},
		{Name: "body", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	text := func(i int, v any) {
		if s, ok := v.(string); ok {
			b.Field(i).(*array.StringBuilder).Append(s)
		} else {
			b.Field(i).AppendNull()
		}
	}
	for _, r := range rows {
		text(0, r.key)
		b.Field(1).(*array.Int64Builder).Append(r.n)
		text(2, r.body)
	}
	return &stream.Batch{Record: b.NewRecord()}
}

func (b *bench) writer(config string, e codec.Encoder) (connectors.Writer, error) {
	b.t.Helper()
	s, err := b.c.NewSink(json.RawMessage(config))
	if err != nil {
		return nil, err
	}
	return s.Open(b.ctx, b.job, 0, 1, e, nil)
}

func (b *bench) mustWriter(config string, e codec.Encoder) connectors.Writer {
	b.t.Helper()
	w, err := b.writer(config, e)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { w.Close() })
	return w
}

func (b *bench) flush(w connectors.Writer) error {
	b.t.Helper()
	_, wait, err := w.Flush(b.ctx)
	if err != nil {
		return err
	}
	return wait(b.ctx)
}

// stored returns the messages of a stream.
func (b *bench) stored(name string) []*jetstream.RawStreamMsg {
	b.t.Helper()
	s, err := b.js.Stream(b.ctx, name)
	if err != nil {
		b.t.Fatal(err)
	}
	var out []*jetstream.RawStreamMsg
	for i := uint64(1); i <= s.CachedInfo().State.LastSeq; i++ {
		m, err := s.GetMsg(b.ctx, i)
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

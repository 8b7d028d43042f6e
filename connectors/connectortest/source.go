// Package connectortest is the suite that every connector passes, beside tests of its own.
package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/connectors"
)

// Source is a bounded source to test.
type Source struct {
	// New returns the source. It is called for each run, as after a crash.
	New func() (connectors.Source, error)
	Job connectors.Job
	// Want is the whole input by split; nil takes the first reading for it.
	Want map[string]string
	// Lossy says that the input cannot be read again, as standard input cannot: only the beginning is tested.
	Lossy bool
}

// Run checks the contract of connectors.Source and Reader.
func (s Source) Run(t *testing.T) {
	ctx := context.Background()
	source, splits := s.open(t)
	if source.DefaultFormat() == "" {
		t.Error("there is no default format")
	}
	r := reading{t: t, reader: s.reader(t, source, splits), splits: splits}
	start := r.positions()
	all, steps := map[string]string{}, []map[string]json.RawMessage{start}
	read := []map[string]string{{}}
	for r.next(all) {
		steps = append(steps, r.positions())
		read = append(read, maps.Clone(all))
	}
	if _, err := r.reader.Next(ctx, nil, 100); !errors.Is(err, io.EOF) {
		t.Errorf("behind the end: got %v, want %v", err, io.EOF)
	}
	if sized, ok := r.reader.(connectors.Sized); ok {
		if n, of := sized.Progress(); n != of || n == 0 {
			t.Errorf("at the end %d of %d bytes are read", n, of)
		}
	}
	if err := r.reader.Committed(ctx, r.positions()); err != nil {
		t.Errorf("committed: %v", err)
	}
	r.close()
	if s.Want != nil {
		if diff := difference(s.Want, all); diff != "" {
			t.Fatalf("-want +got\n%.4000s", diff)
		}
	}
	if s.Lossy {
		return
	}
	every := max(1, len(steps)/12)
	for i := 0; i < len(steps); i += every {
		s.resume(t, steps[i], read[i], all)
	}
	s.resume(t, steps[len(steps)-1], all, all)
	s.woken(t)
	s.cancelled(t)
}

func (s Source) open(t *testing.T) (connectors.Source, []string) {
	t.Helper()
	source, err := s.New()
	if err != nil {
		t.Fatal(err)
	}
	splits, err := source.Splits(context.Background(), s.Job)
	if err != nil {
		t.Fatal(err)
	}
	if len(splits) == 0 || len(slices.Compact(slices.Sorted(slices.Values(splits)))) != len(splits) {
		t.Fatalf("splits %q are none or not unique", splits)
	}
	again, err := source.Splits(context.Background(), s.Job)
	if err != nil || !slices.Equal(splits, again) {
		t.Fatalf("splits %q, then %q %v", splits, again, err)
	}
	return source, splits
}

func (s Source) reader(t *testing.T, source connectors.Source, ids []string, positions ...map[string]json.RawMessage) connectors.Reader {
	t.Helper()
	splits := make([]connectors.Split, len(ids))
	for i, id := range ids {
		splits[i].ID = id
		for _, p := range positions {
			splits[i].Position = p[id]
		}
	}
	reader, err := source.Open(context.Background(), s.Job, splits)
	if err != nil {
		t.Fatal(err)
	}
	return reader
}

// resume reads on from positions behind which part of all was read.
func (s Source) resume(t *testing.T, from map[string]json.RawMessage, part, all map[string]string) {
	t.Helper()
	source, splits := s.open(t)
	r := reading{t: t, reader: s.reader(t, source, splits, from), splits: splits}
	defer r.close()
	got := maps.Clone(part)
	for r.next(got) {
	}
	if diff := difference(all, got); diff != "" {
		t.Fatalf("read on from %s: -want +got\n%.4000s", from, diff)
	}
}

// woken calls Next with a wake that is ready: it may return messages that are there, or none, and loses none.
func (s Source) woken(t *testing.T) {
	t.Helper()
	source, splits := s.open(t)
	r := reading{t: t, reader: s.reader(t, source, splits), splits: splits}
	defer r.close()
	wake := make(chan struct{}, 1)
	wake <- struct{}{}
	messages, err := r.reader.Next(context.Background(), wake, 1)
	if err != nil || len(messages) > 1 {
		t.Fatalf("woken: %d messages, %v", len(messages), err)
	}
	got := map[string]string{}
	r.keep(got, messages)
	for r.next(got) {
	}
	if s.Want != nil {
		if diff := difference(s.Want, got); diff != "" {
			t.Fatalf("woken: -want +got\n%.4000s", diff)
		}
	}
}

func (s Source) cancelled(t *testing.T) {
	t.Helper()
	source, splits := s.open(t)
	r := reading{t: t, reader: s.reader(t, source, splits), splits: splits}
	defer r.close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if messages, err := r.reader.Next(ctx, nil, 1); !errors.Is(err, context.Canceled) && len(messages) == 0 {
		t.Fatalf("cancelled: %d messages, %v", len(messages), err)
	}
}

type reading struct {
	t      *testing.T
	reader connectors.Reader
	splits []string
}

// next adds what Next returns to all, and returns false at the end.
func (r reading) next(all map[string]string) bool {
	r.t.Helper()
	messages, err := r.reader.Next(context.Background(), nil, 3)
	if len(messages) > 3 {
		r.t.Fatalf("%d messages, want at most 3", len(messages))
	}
	r.keep(all, messages)
	if err != nil && !errors.Is(err, io.EOF) {
		r.t.Fatal(err)
	}
	if err == nil && len(messages) == 0 {
		r.t.Fatal("no message, no error, and nobody woke the reader")
	}
	return err == nil
}

func (r reading) keep(all map[string]string, messages []connectors.Message) {
	for _, m := range messages {
		all[r.splits[m.Split]] += string(m.Data)
	}
}

func (r reading) positions() map[string]json.RawMessage {
	r.t.Helper()
	p, err := r.reader.Positions()
	if err != nil {
		r.t.Fatal(err)
	}
	for id, raw := range p {
		if !slices.Contains(r.splits, id) || !json.Valid(raw) {
			r.t.Fatalf("position %q of split %q", raw, id)
		}
	}
	return p
}

func (r reading) close() {
	r.t.Helper()
	if err := r.reader.Close(); err != nil {
		r.t.Fatal(err)
	}
}

// difference is cmp.Diff with a quick look before: inputs may be large.
func difference(want, got map[string]string) string {
	if maps.Equal(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}

package nats

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
)

var (
	_ connectors.Sink   = (*Sink)(nil)
	_ connectors.Writer = (*Writer)(nil)
)

// Sink publishes rows as messages that a stream stores.
type Sink struct {
	c    *sinkConfig
	dial Dial
}

// DefaultFormat is json.
func (s *Sink) DefaultFormat() string { return "json" }

// Check checks that the columns which subject and headers name are there.
func (s *Sink) Check(columns []string) error {
	var faults fault.List
	s.c.subject.check(&faults, "subject", columns)
	for _, h := range s.c.headers {
		h.value.check(&faults, "headers."+h.name, columns)
	}
	return faults.Err()
}

// Open connects, creates the stream when it is configured to, and checks that a stream stores what is published. There
// is no position to go on from: what was not acknowledged comes again, with the rows themselves.
func (s *Sink) Open(ctx context.Context, job connectors.Job, task, tasks int, encoder codec.Encoder, _ json.RawMessage) (connectors.Writer, error) {
	rows, _ := encoder.(codec.RowEncoder)
	batches, _ := encoder.(codec.BatchEncoder)
	switch {
	case rows == nil && batches == nil:
		return nil, fault.New(fault.Internal, "the format %s writes neither rows nor batches", encoder.Name())
	case rows != nil && s.c.RowsPerMessage > 1:
		return nil, fault.New(fault.Usage, "the format %s writes a message for each row", encoder.Name()).At("rows_per_message").
			WithHint("use `format: arrow` for many rows per message")
	}
	nc, js, err := dialJetStream(ctx, s.dial)
	if err != nil {
		return nil, err
	}
	if _, err := patiently(ctx, nc, func() (struct{}, error) { return struct{}{}, s.stored(ctx, js) }); err != nil {
		return nil, err
	}
	p, err := newPublisher(nc, js, job.Log, s.c.MaxPending)
	if err != nil {
		return nil, err
	}
	return newWriter(s.c, p, rows, batches), nil
}

// stored checks that a stream stores the subjects, as far as can be told before there is a row.
func (s *Sink) stored(ctx context.Context, js jetstream.JetStream) error {
	filter := s.c.subject.filter()
	if s.c.Stream == "" {
		if _, fixed := s.c.subject.fixed(); !fixed {
			return nil // told when a message is refused
		}
		call, cancel := context.WithTimeout(ctx, apiTimeout)
		defer cancel()
		if _, err := js.StreamNameBySubject(call, filter); errors.Is(err, jetstream.ErrStreamNotFound) {
			return unstored(filter).At("subject")
		} else if err != nil {
			return apiFault(ctx, "the output's stream cannot be looked up", err)
		}
		return nil
	}
	info, err := ensureStream(ctx, js, s.c.Stream, s.c.Create, []string{filter}, s.c.Storage, s.c.PerSubject)
	if err != nil {
		return err
	}
	if info.Config.NoAck {
		return noAck(s.c.Stream).At("stream")
	}
	for _, t := range info.Config.Subjects {
		if overlap(t, filter) {
			return nil
		}
	}
	f := fault.New(fault.Usage, "the stream `%s` does not store `%s`", s.c.Stream, s.c.Subject).At("subject")
	f.Hint = fault.DidYouMean(filter, info.Config.Subjects)
	return f
}

func unstored(subject string) *fault.Fault {
	return fault.New(fault.Usage, "no stream stores the subject `%s`", subject).
		WithHint("add it to a stream (`nats stream edit NAME --subjects ...`), or have one made with `stream: NAME` and `create: true`")
}

func noAck(stream string) *fault.Fault {
	return fault.New(fault.Usage, "the stream `%s` does not acknowledge messages: none could be known to be stored", stream).
		WithHint("set `no_ack: false` on the stream")
}

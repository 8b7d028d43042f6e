package nats

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/fault"
)

var (
	_ connectors.Source = (*Source)(nil)
	_ connectors.Reader = (*Reader)(nil)
	_ connectors.Sized  = (*Reader)(nil)
)

// Source reads a stream. A split is a subject filter; its ID is the filter.
type Source struct {
	c    *sourceConfig
	dial Dial
}

// DefaultFormat is json.
func (s *Source) DefaultFormat() string { return "json" }

// Splits connects, creates the stream when it is configured to, and checks that the filters can match.
func (s *Source) Splits(ctx context.Context, _ connectors.Job) ([]string, error) {
	nc, js, err := dialJetStream(ctx, s.dial)
	if err != nil {
		return nil, err
	}
	return patiently(ctx, nc, func() ([]string, error) {
		info, err := ensureStream(ctx, js, s.c.Stream, s.c.Create, s.c.Subjects, s.c.Storage, 0)
		if err != nil {
			return nil, err
		}
		return s.c.Subjects, s.fits(info)
	})
}

// fits checks the configuration against the stream.
func (s *Source) fits(info *jetstream.StreamInfo) error {
	var faults fault.List
	subjects := info.Config.Subjects
	for i, filter := range s.c.Subjects {
		matches := len(subjects) == 0 // a mirror, or a stream with sources alone, has none of its own
		for _, t := range subjects {
			matches = matches || overlap(filter, t)
		}
		if !matches {
			faults.Add(fault.Usage, fmt.Sprintf("subjects[%d]", i), "no message of the stream `%s` can match `%s`", s.c.Stream, filter).
				Hint = fault.DidYouMean(filter, subjects)
		}
	}
	if info.Config.Retention == jetstream.WorkQueuePolicy && s.c.From.kind != "start" {
		faults.Add(fault.Usage, "from", "the work queue `%s` can only be read from its start", s.c.Stream)
	}
	return faults.Err()
}

func dialJetStream(ctx context.Context, dial Dial) (*nats.Conn, jetstream.JetStream, error) {
	nc, err := dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, nil, fault.New(fault.Internal, "JetStream cannot be used: %v", err)
	}
	return nc, js, nil
}

// durable returns the name of a split's durable consumer.
func (s *Source) durable(job connectors.Job, filter string) string {
	name := s.c.Durable
	if name == "" {
		name = safeName(job.Name) + "-" + safeName(job.Node)
	}
	if len(s.c.Subjects) == 1 && (s.c.Durable != "" || filter == ">") {
		return name
	}
	h := fnv.New32a()
	h.Write([]byte(filter)) // two filters may look alike once made safe
	return fmt.Sprintf("%s-%.40s-%08x", name, safeName(filter), h.Sum32())
}

// Open starts reading. Faults: those of [Source.Splits], and State when a position does not fit the stream any more.
func (s *Source) Open(ctx context.Context, job connectors.Job, splits []connectors.Split) (connectors.Reader, error) {
	nc, js, err := dialJetStream(ctx, s.dial)
	if err != nil {
		return nil, err
	}
	return patiently(ctx, nc, func() (connectors.Reader, error) { return s.open(ctx, nc, js, job, splits) })
}

func (s *Source) open(ctx context.Context, nc *nats.Conn, js jetstream.JetStream, job connectors.Job, splits []connectors.Split) (connectors.Reader, error) {
	info, err := ensureStream(ctx, js, s.c.Stream, s.c.Create, s.c.Subjects, s.c.Storage, 0)
	if err != nil {
		return nil, err
	}
	if err := s.fits(info); err != nil {
		return nil, err
	}
	r := newReader(nc, js, job.Log, info, len(splits))
	for i, given := range splits {
		p, err := parsePosition(given.Position, given.ID)
		if err == nil && p != nil {
			err = p.check(info, s.c.Gaps == "accept")
		}
		if err != nil {
			r.Close()
			return nil, err
		}
		sp := &split{
			id: given.ID, index: i, durable: s.durable(job, given.ID), created: info.Created, stream: s.c.Stream,
			work: info.Config.Retention != jetstream.LimitsPolicy, gaps: s.c.Gaps == "accept",
		}
		if !coversAll(given.ID, info.Config.Subjects) {
			sp.filter = given.ID
		}
		sp.dense = sp.filter == "" && !sp.gaps && dense(info)
		if s.c.Until == "end" {
			sp.bounded, sp.end = true, info.State.LastSeq
		}
		if err := r.begin(ctx, sp, p, s.c.From, info); err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}

// coversAll says whether the filter takes all of the stream, so that the server need not filter.
func coversAll(filter string, subjects []string) bool {
	for _, t := range subjects {
		if !covers(filter, t) {
			return false
		}
	}
	return filter == ">" || len(subjects) > 0
}

// progress estimates bytes from counts of messages and the stream's mean size.
type progress struct {
	mean      float64
	read, all atomic.Int64 // messages
}

// Progress returns the bytes read and in all, as far as the stream's mean message tells. All is 0 when unbounded.
func (r *Reader) Progress() (read, all int64) {
	return int64(float64(r.progress.read.Load()) * r.progress.mean), int64(float64(r.progress.all.Load()) * r.progress.mean)
}

// sequenceBefore returns the sequence behind which to start, and whether from says one; a time does not.
func (f from) sequenceBefore(info *jetstream.StreamInfo) (uint64, bool, error) {
	s := info.State
	switch f.kind {
	case "new":
		return s.LastSeq, true, nil
	case "sequence":
		if f.sequence > s.LastSeq+1 {
			return 0, false, &fault.Fault{Code: fault.Usage, Where: "from.sequence",
				What: fmt.Sprintf("the stream `%s` ends at sequence %d, before %d", info.Config.Name, s.LastSeq, f.sequence)}
		}
		return f.sequence - 1, true, nil
	case "time":
		return 0, false, nil
	default:
		return max(s.FirstSeq, 1) - 1, true, nil
	}
}

// consumerConfig returns the short-lived consumer that a split of a limits stream reads through.
func (s *split) consumerConfig(after uint64, start *time.Time) jetstream.ConsumerConfig {
	cfg := jetstream.ConsumerConfig{
		Name:        s.durable + "-reads-" + nuidTail(),
		Description: "reads for the job; goes away with it",
		AckPolicy:   jetstream.AckNonePolicy, FilterSubject: s.filter, DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq: after + 1, MemoryStorage: true, Replicas: 1, InactiveThreshold: 5 * time.Minute,
	}
	if start != nil {
		cfg.DeliverPolicy, cfg.OptStartSeq, cfg.OptStartTime = jetstream.DeliverByStartTimePolicy, 0, start
	}
	return cfg
}

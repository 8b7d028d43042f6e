package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/engine/fault"
)

// openWork takes the durable consumer that is there and sets it back to what is not acknowledged, or makes it.
// Messages then come in order again, those up to after among them, which are acknowledged when they come. Read says
// that the consumer was read before: an interest stream without it has not kept what came since.
func (r *Reader) openWork(ctx context.Context, s *split, after uint64, read bool) opened {
	o := opened{split: s, consumer: s.durable, delivered: after}
	if v := r.nc.ConnectedServerVersion(); !canReset(v) {
		o.err = fault.New(fault.Unsupported, "the stream `%s` is a work queue or interest stream: these need nats-server 2.14, this is %s", s.stream, v)
		return o
	}
	if o.sub, o.err = r.subscribe(); o.err != nil {
		return o
	}
	info, err := r.workConsumer(ctx, s, after, read)
	if err != nil {
		r.unsubscribe(o.sub)
		return opened{split: s, err: err}
	}
	o.pending = info.NumPending
	return o
}

// workConsumer returns the durable consumer, ready to deliver what is not acknowledged.
func (r *Reader) workConsumer(ctx context.Context, s *split, after uint64, read bool) (*jetstream.ConsumerInfo, error) {
	call, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	wrong := func(err error) error {
		f := fault.From(apiFault(ctx, fmt.Sprintf("the consumer `%s` of the stream `%s` cannot be used", s.durable, s.stream), err))
		if f.Code == fault.Usage {
			f = f.WithHint("delete that consumer, or name another with `durable`")
		}
		return f
	}
	c, err := r.js.Consumer(call, s.stream, s.durable)
	switch {
	case err == nil:
		info := c.CachedInfo()
		if what := misfit(s, &info.Config); what != "" {
			return nil, fault.New(fault.Usage, "the consumer `%s` of the stream `%s` is not one that the job can use: %s", s.durable, s.stream, what).
				WithHint("delete that consumer, or name another with `durable`")
		}
		if info.Delivered.Consumer == 0 {
			return info, nil
		}
		reset, err := r.js.ResetConsumer(call, s.stream, s.durable)
		if err != nil {
			return nil, wrong(err)
		}
		return reset.ConsumerInfo, nil
	case !errors.Is(err, jetstream.ErrConsumerNotFound):
		return nil, wrong(err)
	case read && s.interest:
		return nil, fault.New(fault.State, "the consumer `%s` of the stream `%s` is gone: messages since sequence %d may have been removed", s.durable, s.stream, after).
			WithHint("to go on without what is lost, set `gaps: accept` on the input")
	}
	c, err = r.js.CreateConsumer(call, s.stream, s.workConfig())
	if err != nil {
		return nil, wrong(err)
	}
	return c.CachedInfo(), nil
}

// misfit says why a consumer that is there cannot be used, "" when it can.
func misfit(s *split, c *jetstream.ConsumerConfig) string {
	filter := c.FilterSubject
	if len(c.FilterSubjects) == 1 {
		filter = c.FilterSubjects[0]
	}
	switch {
	case c.AckPolicy != jetstream.AckExplicitPolicy:
		return fmt.Sprintf("its acknowledgements are %s, expected AckExplicit", c.AckPolicy)
	case len(c.FilterSubjects) > 1 || filter != s.filter && filter != s.id:
		return fmt.Sprintf("it takes %q, expected %q", append(c.FilterSubjects, c.FilterSubject), s.id)
	}
	return ""
}

// workConfig returns the durable consumer to make.
func (s *split) workConfig() jetstream.ConsumerConfig {
	cfg := jetstream.ConsumerConfig{
		Durable: s.durable, Description: "a wasmill job's input: acknowledged when the job commits",
		AckPolicy: jetstream.AckExplicitPolicy, FilterSubject: s.filter,
		// Redelivery on time alone is a last resort: a restart sets the consumer back itself.
		AckWait: 10 * time.Minute, MaxDeliver: -1, MaxAckPending: 1 << 17,
	}
	switch s.from.kind {
	case "new":
		cfg.DeliverPolicy = jetstream.DeliverNewPolicy
	case "sequence":
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, s.from.sequence
	case "time":
		cfg.DeliverPolicy, cfg.OptStartTime = jetstream.DeliverByStartTimePolicy, &s.from.time
	}
	return cfg
}

package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/wasmill/wasmill/engine/fault"
)

const (
	// heartbeat is how often the server says that it is there while it has no messages.
	heartbeat = 2 * time.Second
	// expires is how long a request for messages waits for them.
	expires = 30 * time.Second
	// silence is how long nothing may come before a split is opened again.
	silence = 3 * heartbeat
)

// split is one subject filter being read. Only the goroutine that calls Next touches it, but for acks.
type split struct {
	id, stream, filter, durable string
	index                       int
	created                     time.Time // of the stream
	work                        bool      // a work queue or interest stream
	interest                    bool      // an interest stream that may not lose its consumer
	from                        from
	gaps                        bool // accepted
	dense                       bool // sequences follow each other unless messages were removed
	bounded, ended              bool
	end                         uint64 // the last sequence of a bounded split

	sub       *nats.Subscription // nil while not open
	consumer  string
	opening   bool
	stale     bool   // the connection changed while opening
	delivered uint64 // the stream's sequence of the last message, or one before which there is none to come
	consumed  uint64 // the consumer's sequence of the last message
	behind    int    // heartbeats in a row that told of messages that did not come
	asked     int    // messages asked for and not come
	seen      time.Time
	looking   bool   // a look for a gap is under way
	jumped    uint64 // where the sequence last jumped from; 0 when that was looked at
	acks      acks
}

// opened is the outcome of opening a split.
type opened struct {
	split     *split
	sub       *nats.Subscription
	consumer  string
	delivered uint64
	pending   uint64
	looked    bool // not an opening, but a look for a gap
	err       error
}

func nuidTail() string { s := nuid.Next(); return s[len(s)-8:] }

// begin opens a split for the first time, from its position or as configured.
func (r *Reader) begin(ctx context.Context, s *split, p *position, f from, info *jetstream.StreamInfo) error {
	after, known, err := uint64(0), true, error(nil)
	if p != nil {
		after = p.Sequence
		s.acks.committed = p.Sequence
	} else if !s.work {
		if after, known, err = f.sequenceBefore(info); err != nil {
			return err
		}
		if f.kind == "sequence" && after+1 < info.State.FirstSeq {
			r.log.Warn("the stream begins behind the sequence to start from", "stream", r.stream, "from", f.sequence, "first", info.State.FirstSeq)
		}
	}
	s.from = f
	s.interest = info.Config.Retention == jetstream.InterestPolicy && !s.gaps
	var o opened
	switch {
	case s.work:
		o = r.openWork(ctx, s, after, p != nil)
	case known:
		o = r.openLimits(ctx, s, after, nil)
	default:
		o = r.openLimits(ctx, s, 0, &f.time)
	}
	if o.err != nil {
		return o.err
	}
	r.splits = append(r.splits, s)
	r.adopt(o)
	if s.bounded {
		r.progress.all.Add(int64(o.pending))
		if !s.ended && (o.pending == 0 || s.delivered >= s.end) {
			r.finish(s)
		}
	}
	return nil
}

// openLimits makes a consumer that starts behind after, or at a time.
func (r *Reader) openLimits(ctx context.Context, s *split, after uint64, start *time.Time) opened {
	o := opened{split: s}
	if o.sub, o.err = r.subscribe(); o.err != nil {
		return o
	}
	cfg := s.consumerConfig(after, start)
	call, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	c, err := r.js.CreateConsumer(call, s.stream, cfg)
	if err != nil {
		r.unsubscribe(o.sub)
		return opened{split: s, err: apiFault(ctx, fmt.Sprintf("the stream `%s` cannot be read", s.stream), err)}
	}
	info := c.CachedInfo()
	o.consumer, o.delivered, o.pending = cfg.Name, after, info.NumPending
	if start != nil {
		o.delivered = info.Delivered.Stream
	}
	return o
}

func (r *Reader) subscribe() (*nats.Subscription, error) {
	sub, err := r.nc.ChanSubscribe(r.nc.NewInbox(), r.messages)
	if err != nil {
		return nil, fault.New(fault.Connect, "NATS refuses a subscription: %v", err)
	}
	return sub, nil
}

// unsubscribe gives up a subscription; an error means that it is gone already, or the connection is.
func (r *Reader) unsubscribe(sub *nats.Subscription) { _ = sub.Unsubscribe() }

// adopt takes over what opening brought.
func (r *Reader) adopt(o opened) {
	s := o.split
	if o.err != nil {
		r.err = o.err
		return
	}
	if o.looked {
		if s.looking = false; s.jumped > 0 {
			r.look(s)
		}
		return
	}
	s.opening = false
	s.sub, s.consumer, s.consumed, s.asked, s.behind = o.sub, o.consumer, 0, 0, 0
	s.delivered = max(s.delivered, o.delivered)
	s.seen = time.Now()
	r.bySub[s.sub] = s
	if s.stale {
		s.stale = false
		r.reopen(s, "the connection was made anew", 0)
		return
	}
	if s.bounded && o.pending == 0 {
		r.finish(s)
	}
}

// drop gives up a split's subscription and its consumer.
func (r *Reader) drop(s *split) {
	if s.sub == nil {
		return
	}
	delete(r.bySub, s.sub)
	sub, consumer := s.sub, s.consumer
	s.sub = nil
	r.unsubscribe(sub)
	if !s.work && r.nc.IsConnected() {
		r.reopens.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			_ = r.js.DeleteConsumer(ctx, r.stream, consumer) // it ends by itself otherwise
		})
	}
}

// forget is drop for a split that is not read any more.
func (r *Reader) forget(ctx context.Context, sub *nats.Subscription, consumer string, work bool) {
	r.unsubscribe(sub)
	if !work && r.nc.IsConnected() {
		_ = r.js.DeleteConsumer(ctx, r.stream, consumer) // it ends by itself otherwise
	}
}

// reopen opens a split again behind what was delivered, in the background, for as long as it takes.
func (r *Reader) reopen(s *split, why string, pause time.Duration) {
	r.drop(s)
	s.opening = true
	r.log.Debug("reading on", "stream", r.stream, "subject", s.id, "behind", s.delivered, "why", why)
	after := s.delivered
	r.reopens.Go(func() {
		said := false
		for {
			select {
			case <-r.ctx.Done():
				return
			case <-time.After(pause):
			}
			o := r.tryOpen(s, after)
			if r.ctx.Err() != nil {
				if o.sub != nil {
					r.unsubscribe(o.sub)
				}
				return
			}
			if o.err == nil || !transient(o.err) {
				r.opened <- o
				return
			}
			if !said {
				r.log.Warn("the stream cannot be read, trying on", "stream", r.stream, "subject", s.id, "error", o.err)
				said = true
			}
			pause = min(max(2*pause, 100*time.Millisecond), 5*time.Second)
		}
	})
}

// tryOpen checks that the stream still holds what follows, and opens the split.
func (r *Reader) tryOpen(s *split, after uint64) opened {
	info, err := streamInfo(r.ctx, r.js, s.stream)
	if err != nil {
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			err = fault.New(fault.State, "the stream `%s` was deleted while it was being read", s.stream)
		}
		return opened{split: s, err: err}
	}
	p := position{s.stream, s.created, after}
	if err := p.check(info, s.gaps); err != nil {
		return opened{split: s, err: err}
	}
	if s.work {
		return r.openWork(r.ctx, s, after, true)
	}
	return r.openLimits(r.ctx, s, after, nil)
}

// pull asks for n more messages.
func (r *Reader) pull(s *split, n int) {
	b := make([]byte, 0, 128)
	b = append(b, `{"batch":`...)
	b = strconv.AppendInt(b, int64(n), 10)
	b = append(b, `,"max_bytes":`...)
	b = strconv.AppendInt(b, int64(r.maxBytes), 10)
	b = append(b, `,"expires":`...)
	b = strconv.AppendInt(b, int64(expires), 10)
	b = append(b, `,"idle_heartbeat":`...)
	b = strconv.AppendInt(b, int64(heartbeat), 10)
	b = append(b, '}')
	s.asked += n
	// When the connection is away the request is lost, and the split is opened again once it is back.
	_ = r.nc.PublishRequest("$JS.API.CONSUMER.MSG.NEXT."+s.stream+"."+s.consumer, s.sub.Subject, b)
}

// control acts on what the server says of a request: its end, or a sign of life.
func (r *Reader) control(s *split, h nats.Header) {
	status, description := h.Get("Status"), h.Get("Description")
	if status == "100" {
		r.alive(s, h)
		return
	}
	if left := h.Get("Nats-Pending-Messages"); left != "" && (status == "408" || status == "409") {
		var n uint64
		if number(left, &n) && n <= uint64(s.asked) {
			s.asked -= int(n)
			return
		}
	}
	r.reopen(s, status+" "+description, 100*time.Millisecond)
}

// alive takes from a heartbeat how far the consumer has come: where the filter matches little, the position moves on
// although there are no messages, and is not overtaken by the removal of old ones.
func (r *Reader) alive(s *split, h nats.Header) {
	var consumed, stream uint64
	if !number(h.Get("Nats-Last-Consumer"), &consumed) || !number(h.Get("Nats-Last-Stream"), &stream) {
		return
	}
	if consumed != s.consumed {
		if s.behind++; s.behind > 1 {
			r.reopen(s, "messages went missing on the way", 0)
		}
		return
	}
	s.behind = 0
	s.delivered = max(s.delivered, stream)
	if s.bounded && s.delivered >= s.end {
		r.finish(s)
	}
}

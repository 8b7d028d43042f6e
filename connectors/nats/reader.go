package nats

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/fault"
)

// Reader reads the splits given through one channel, which nats.go's reading goroutine fills and Next drains: no
// goroutine and no copy between the two. What is asked for in advance bounds what the channel holds.
//
// Throughput is bounded by nats.go's parsing and its three allocations per message.
type Reader struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	log    *slog.Logger
	stream string
	work   bool

	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	reopens  sync.WaitGroup
	messages chan *nats.Msg
	opened   chan opened
	status   chan nats.Status
	tick     *time.Ticker

	splits   []*split
	bySub    map[*nats.Subscription]*split
	last     *split // of the last message
	out      []connectors.Message
	maxBytes int
	err      error // what ended reading
	progress progress

	follow followers
}

// window is the most messages asked for and not yet taken, per split.
const window = 4096

// controls is room in the channel for messages about messages.
const controls = 512

func newReader(nc *nats.Conn, js jetstream.JetStream, log *slog.Logger, info *jetstream.StreamInfo, splits int) *Reader {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	r := &Reader{
		nc: nc, js: js, log: log, stream: info.Config.Name, work: info.Config.Retention != jetstream.LimitsPolicy,
		messages: make(chan *nats.Msg, splits*(window+controls)),
		opened:   make(chan opened, 2*splits), // of one opening and one look for a gap each
		status:   nc.StatusChanged(nats.CONNECTED, nats.CLOSED),
		tick:     time.NewTicker(time.Second),
		bySub:    map[*nats.Subscription]*split{},
		// A request must have room for the largest message, or it would never be delivered.
		maxBytes: int(max(4<<20, 2*nc.MaxPayload())),
	}
	if info.State.Msgs > 0 {
		r.progress.mean = float64(info.State.Bytes) / float64(info.State.Msgs)
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// Next is as [connectors.Reader] says. While the server is away it waits. Faults: State when the stream is not there
// any more or has lost what was read, Connect when the connection was closed.
func (r *Reader) Next(ctx context.Context, wake <-chan struct{}, most int) ([]connectors.Message, error) {
	r.out = r.out[:0]
	entered := time.Now()
	for {
		if r.err != nil {
			return nil, r.err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r.drain(most)
		if len(r.out) > 0 || r.err != nil {
			r.progress.read.Add(int64(len(r.out)))
			if len(r.out) > 0 {
				return r.out, nil // an error is for the next call
			}
			return nil, r.err
		}
		if r.ended() {
			return nil, io.EOF
		}
		select {
		case m := <-r.messages:
			r.take(m)
		case o := <-r.opened:
			r.adopt(o)
		case s, open := <-r.status:
			r.changed(s, open)
		case now := <-r.tick.C:
			r.check(now, entered)
		case <-wake:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// drain takes what is there without waiting, and asks for more where little is on its way.
func (r *Reader) drain(most int) {
	select {
	case o := <-r.opened:
		r.adopt(o)
	case s, open := <-r.status:
		r.changed(s, open)
	default:
	}
	for len(r.out) < most {
		select {
		case m := <-r.messages:
			r.take(m)
			continue
		default:
		}
		break
	}
	now := time.Now()
	for _, s := range r.splits {
		if s.sub == nil {
			continue
		}
		if len(r.out) > 0 {
			s.seen = now
		}
		if s.asked <= window/2 {
			r.pull(s, window-s.asked)
		}
	}
}

// take adds a message to what Next returns, or acts on what it says.
func (r *Reader) take(m *nats.Msg) {
	s := r.last
	if s == nil || s.sub != m.Sub {
		if s = r.bySub[m.Sub]; s == nil {
			return // from before the split was opened again
		}
		r.last = s
	}
	if m.Reply == "" {
		s.seen = time.Now()
		r.control(s, m.Header)
		return
	}
	t, ok := parseReply(m.Reply)
	if !ok {
		return
	}
	s.asked--
	if t.consumer != s.consumed+1 {
		r.reopen(s, "messages went missing on the way", 0)
		return
	}
	s.consumed = t.consumer
	if t.stream <= s.delivered {
		s.acks.again(r.nc, t.stream, m.Reply)
	} else if !s.bounded || t.stream <= s.end {
		out := connectors.Message{Data: m.Data, Split: s.index, Time: t.time / 1e6, Subject: m.Subject, Sequence: t.stream}
		if m.Header != nil {
			out.Header = m.Header.Get
		}
		r.out = append(r.out, out)
		if t.stream != s.delivered+1 && s.dense {
			r.gap(s)
		}
		s.delivered = t.stream
		if s.work {
			s.acks.add(t.stream, m.Reply)
		}
	}
	if s.bounded && (t.stream >= s.end || t.pending == 0) {
		r.finish(s)
	}
}

// finish ends a bounded split.
func (r *Reader) finish(s *split) {
	s.ended = true
	s.delivered = max(s.delivered, s.end)
	r.drop(s)
}

func (r *Reader) ended() bool {
	for _, s := range r.splits {
		if !s.ended {
			return false
		}
	}
	return true
}

// changed acts on a change of the connection. After a reconnect every split is opened again: the server may have
// forgotten the consumers, and what was on its way is lost.
func (r *Reader) changed(s nats.Status, open bool) {
	if !open || s == nats.CLOSED {
		r.err = fault.New(fault.Connect, "the connection to NATS was closed")
		return
	}
	for _, s := range r.splits {
		if s.opening {
			s.stale = true
		} else if !s.ended {
			r.reopen(s, "the connection was made anew", 0)
		}
	}
}

// check opens splits again that nothing has been heard of, heartbeats included.
func (r *Reader) check(now, entered time.Time) {
	for _, s := range r.splits {
		since := s.seen
		if entered.After(since) {
			since = entered
		}
		if s.sub != nil && now.Sub(since) > silence && r.nc.IsConnected() {
			r.reopen(s, "no heartbeat", 0)
		}
	}
}

// Positions returns the position behind the last message of each split that Next returned.
func (r *Reader) Positions() (map[string]json.RawMessage, error) {
	out := make(map[string]json.RawMessage, len(r.splits))
	for _, s := range r.splits {
		b, err := json.Marshal(position{r.stream, s.created, s.delivered})
		if err != nil {
			return nil, fault.New(fault.Internal, "a position cannot be written: %v", err)
		}
		out[s.id] = b
	}
	return out, nil
}

// Close ends reading. The consumers made for it are deleted if the server is there; else they end by themselves.
func (r *Reader) Close() error {
	r.cancel()
	r.reopens.Wait()
	r.tick.Stop()
	r.nc.RemoveStatusListener(r.status)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for len(r.opened) > 0 {
		if o := <-r.opened; o.sub != nil {
			r.forget(ctx, o.sub, o.consumer, o.split.work)
		}
	}
	for _, s := range r.splits {
		if s.sub != nil {
			r.forget(ctx, s.sub, s.consumer, s.work)
		}
	}
	r.follow.finish(ctx, r)
	return nil
}

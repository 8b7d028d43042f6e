package nats

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/engine/fault"
)

const (
	// maxBytesPending bounds the bytes published and not acknowledged, beside their number.
	maxBytesPending = 64 << 20
	// keepBuffer is the largest buffer that a slot keeps for its next message.
	keepBuffer = 4 << 10
	// ackWithin is how long acknowledgements may stay away before what is pending is sent again.
	ackWithin = 5 * time.Second
)

// publisher publishes messages without waiting and keeps each until the server has acknowledged it, so that what was
// on its way when the connection broke is sent again. It is a ring of slots: messages are acknowledged in any order,
// and tail moves over those that are.
//
// nats.go's asynchronous publishing costs a future, a map entry and a random reply subject for each message, and gives
// up on a message when the connection breaks; here the reply subjects are made once for each slot.
//
// A reply subject names a slot and a round. Sending again starts a new round, and acknowledgements of earlier rounds
// are passed over; within one, a slot's message gets one acknowledgement, so none can be taken for another's.
type publisher struct {
	nc  *nats.Conn
	js  jetstream.JetStream
	log *slog.Logger

	ctx    context.Context // ends with close
	cancel context.CancelFunc
	done   sync.WaitGroup
	sub    *nats.Subscription
	inbox  string
	status chan nats.Status

	send     sync.Mutex // held while publishing: by the writer, or to send again
	slots    []slot
	head     atomic.Uint64 // messages published; stored under send
	tail     atomic.Uint64 // messages acknowledged in a row; stored under ack
	bytesIn  int64         // guarded by send
	bytesOut atomic.Int64
	replies  []string // guarded by send; of the round, by slot

	ack     sync.Mutex
	round   string   // guarded by ack
	rounds  uint64   // guarded by ack
	waiters []waiter // guarded by ack
	err     error    // guarded by ack
	failed  chan struct{}

	moved   chan struct{} // tail moved; holds one
	trouble chan string   // a subject that nothing answered for; holds one
	msg     nats.Msg      // guarded by send
}

type slot struct {
	subject string
	header  nats.Header
	data    []byte
	pending bool
}

type waiter struct {
	until uint64
	done  chan struct{}
}

func newPublisher(nc *nats.Conn, js jetstream.JetStream, log *slog.Logger, window int) (*publisher, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := &publisher{
		nc: nc, js: js, log: log, inbox: nc.NewInbox(), slots: make([]slot, window), replies: make([]string, window),
		failed: make(chan struct{}), moved: make(chan struct{}, 1), trouble: make(chan string, 1),
	}
	p.newRound()
	sub, err := nc.Subscribe(p.inbox+".*.*", p.acked)
	if err != nil {
		return nil, fault.New(fault.Connect, "NATS refuses a subscription: %v", err)
	}
	// What is pending bounds the acknowledgements; none may be dropped.
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return nil, fault.New(fault.Connect, "NATS refuses a subscription: %v", err)
	}
	p.sub = sub
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.status = nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
	p.done.Go(p.watch)
	return p, nil
}

// newRound makes the reply subjects of a new round. The caller holds send and ack.
func (p *publisher) newRound() {
	p.rounds++
	p.round = strconv.FormatUint(p.rounds, 36)
	for i := range p.replies {
		p.replies[i] = p.inbox + "." + p.round + "." + strconv.Itoa(i)
	}
}

// room waits until there is a free slot and returns it, with its buffer empty. The caller holds send, which is
// released while waiting.
func (p *publisher) room(ctx context.Context) (*slot, error) {
	for {
		select {
		case <-p.failed:
			return nil, p.fault()
		default:
		}
		head, tail := p.head.Load(), p.tail.Load()
		if head == tail || head-tail < uint64(len(p.slots)) && p.bytesIn-p.bytesOut.Load() < maxBytesPending {
			s := &p.slots[head%uint64(len(p.slots))]
			s.data = s.data[:0]
			return s, nil
		}
		p.send.Unlock()
		var err error
		select {
		case <-p.moved:
		case <-p.failed:
		case <-ctx.Done():
			err = ctx.Err()
		}
		p.send.Lock()
		if err != nil {
			return nil, err
		}
	}
}

// publish sends the slot that room returned last, whose subject, data and header are set. The caller holds send.
func (p *publisher) publish(s *slot) error {
	p.bytesIn += int64(len(s.data))
	s.pending = true
	head := p.head.Load()
	p.head.Store(head + 1)
	return p.put(s, p.replies[head%uint64(len(p.slots))])
}

// put hands a message to nats.go. While the connection is away nothing happens: the message is sent again later.
func (p *publisher) put(s *slot, reply string) error {
	var err error
	if s.header == nil {
		err = p.nc.PublishRequest(s.subject, reply, s.data)
	} else {
		p.msg = nats.Msg{Subject: s.subject, Reply: reply, Header: s.header, Data: s.data}
		err = p.nc.PublishMsg(&p.msg)
	}
	if err == nil || errors.Is(err, nats.ErrReconnectBufExceeded) || !p.nc.IsConnected() && !p.nc.IsClosed() {
		return nil
	}
	p.fail(fault.New(fault.Connect, "messages cannot be published to `%s`: %v", s.subject, err))
	return p.fault()
}

// acked takes an acknowledgement. One goroutine of nats.go's calls it.
func (p *publisher) acked(m *nats.Msg) {
	round, index, ok := p.parse(m.Subject)
	if !ok {
		return
	}
	verdict := judge(m)
	p.ack.Lock()
	defer p.ack.Unlock()
	s := &p.slots[index]
	if round != p.round || !s.pending || p.err != nil {
		return
	}
	switch {
	case verdict == nil:
	case verdict.Code == fault.Connect: // nobody there, for now
		select {
		case p.trouble <- s.subject:
		default:
		}
		return
	default:
		p.failLocked(verdict.In("subject `%s`", s.subject))
		return
	}
	s.pending = false
	p.advance()
}

// parse splits a reply subject.
func (p *publisher) parse(subject string) (round string, index int, ok bool) {
	if len(subject) <= len(p.inbox)+1 {
		return "", 0, false
	}
	rest := subject[len(p.inbox)+1:]
	for i := range rest {
		if rest[i] == '.' {
			var n uint64
			if !number(rest[i+1:], &n) || n >= uint64(len(p.slots)) {
				return "", 0, false
			}
			return rest[:i], int(n), true
		}
	}
	return "", 0, false
}

// advance moves tail over what is acknowledged. The caller holds ack.
func (p *publisher) advance() {
	tail, head := p.tail.Load(), p.head.Load()
	start := tail
	for tail < head {
		s := &p.slots[tail%uint64(len(p.slots))]
		if s.pending {
			break
		}
		p.bytesOut.Add(int64(len(s.data)))
		if cap(s.data) > keepBuffer {
			s.data = nil
		}
		tail++
	}
	if tail == start {
		return
	}
	p.tail.Store(tail)
	select {
	case p.moved <- struct{}{}:
	default:
	}
	for len(p.waiters) > 0 && p.waiters[0].until <= tail {
		close(p.waiters[0].done)
		p.waiters = p.waiters[1:]
	}
}

// waitFor returns a function that waits until all that is published now is acknowledged.
func (p *publisher) waitFor() func(context.Context) error {
	p.ack.Lock()
	defer p.ack.Unlock()
	w := waiter{p.head.Load(), make(chan struct{})}
	if w.until <= p.tail.Load() {
		close(w.done)
	} else {
		p.waiters = append(p.waiters, w)
	}
	return func(ctx context.Context) error {
		select {
		case <-w.done:
			return nil
		default:
		}
		select {
		case <-w.done:
			return nil
		case <-p.failed:
			return p.fault()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *publisher) fail(f error) {
	p.ack.Lock()
	defer p.ack.Unlock()
	p.failLocked(f)
}

func (p *publisher) failLocked(f error) {
	if p.err == nil {
		p.err = f
		close(p.failed)
	}
}

func (p *publisher) fault() error {
	p.ack.Lock()
	defer p.ack.Unlock()
	return p.err
}

func (p *publisher) close() {
	p.cancel()
	p.done.Wait()
	p.nc.RemoveStatusListener(p.status)
	_ = p.sub.Unsubscribe() // an error means that it is gone already
	p.fail(fault.New(fault.Connect, "the output was closed before all was acknowledged"))
}

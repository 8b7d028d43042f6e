package nats

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/engine/fault"
)

// judge returns nil for an acknowledgement that says stored, a fault of code Connect when sending again may help, and
// another for a message that the stream does not take.
func judge(m *nats.Msg) *fault.Fault {
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		return fault.New(fault.Connect, "nothing answers")
	}
	if bytes.HasPrefix(m.Data, []byte(`{"stream":`)) && !bytes.Contains(m.Data, []byte(`"error"`)) {
		return nil
	}
	var reply struct {
		Stream string              `json:"stream"`
		Error  *jetstream.APIError `json:"error"`
	}
	switch err := json.Unmarshal(m.Data, &reply); {
	case err != nil || reply.Error == nil && reply.Stream == "":
		return fault.New(fault.Usage, "something other than a stream answered: %.80q", m.Data).
			WithHint("another service listens on that subject")
	case reply.Error == nil:
		return nil
	case reply.Error.Code == 503:
		return fault.New(fault.Connect, "the stream does not take messages now: %s", reply.Error.Description)
	}
	const tooLarge, full, fullBytes, fullSubject = 10054, 10077, 10023, 10060
	f := fault.New(fault.Limit, "the stream refuses a message: %s", reply.Error.Description)
	switch reply.Error.ErrorCode {
	case tooLarge:
		return f.WithHint("raise the stream's max_msg_size, or write fewer rows or columns per message")
	case full, fullBytes, fullSubject:
		return f.WithHint("raise the stream's limits, or let it discard old messages")
	}
	return f
}

// watch sends again what was on its way when the connection broke, what nothing answered for, and what was not
// acknowledged in time.
func (p *publisher) watch() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	seen, since := p.tail.Load(), time.Now()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.failed:
			return
		case s, open := <-p.status:
			if !open || s == nats.CLOSED {
				p.fail(fault.New(fault.Connect, "the connection to NATS was closed"))
				return
			}
			p.sendAgain("the connection was made anew")
		case subject := <-p.trouble:
			p.unanswered(subject)
		case now := <-tick.C:
			if tail := p.tail.Load(); tail != seen || tail == p.head.Load() || !p.nc.IsConnected() {
				seen, since = tail, now
			} else if now.Sub(since) > ackWithin {
				since = now
				p.overdue()
			}
		}
	}
}

// unanswered finds out why nobody took a message: there is no such stream, or the server is not ready yet.
func (p *publisher) unanswered(subject string) {
	ctx, cancel := context.WithTimeout(p.ctx, apiTimeout)
	defer cancel()
	if _, err := p.js.StreamNameBySubject(ctx, subject); errors.Is(err, jetstream.ErrStreamNotFound) {
		p.fail(unstored(subject))
		return
	}
	select {
	case <-p.ctx.Done():
		return
	case <-time.After(250 * time.Millisecond):
	}
	p.sendAgain("the stream did not answer")
}

// overdue sends again what is not acknowledged, unless there is a reason why it never will be.
func (p *publisher) overdue() {
	p.send.Lock()
	subject := p.slots[p.tail.Load()%uint64(len(p.slots))].subject
	p.send.Unlock()
	if err := p.nc.LastError(); errors.Is(err, nats.ErrPermissionViolation) {
		p.fail(fault.New(fault.Connect, "no acknowledgement came for `%s`: %v", subject, err).
			WithHint("let the user publish there, and subscribe to its inbox"))
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, apiTimeout)
	defer cancel()
	if name, err := p.js.StreamNameBySubject(ctx, subject); err == nil {
		if info, err := streamInfo(ctx, p.js, name); err == nil && info.Config.NoAck {
			p.fail(noAck(name))
			return
		}
	}
	p.sendAgain("no acknowledgement came")
}

// sendAgain starts a new round with all that is not acknowledged. Those that the server has, but could not say so,
// are then stored twice.
func (p *publisher) sendAgain(why string) {
	p.send.Lock()
	defer p.send.Unlock()
	p.ack.Lock()
	p.newRound()
	var again []uint64
	for i, head := p.tail.Load(), p.head.Load(); i < head; i++ {
		if at := i % uint64(len(p.slots)); p.slots[at].pending {
			again = append(again, at)
		}
	}
	p.ack.Unlock()
	if len(again) == 0 {
		return
	}
	p.log.Warn("publishing messages again; those that were stored already are there twice", "messages", len(again), "why", why)
	for _, at := range again {
		if p.put(&p.slots[at], p.replies[at]) != nil {
			return
		}
	}
}

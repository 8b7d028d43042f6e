package nats

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/wasmill/wasmill/engine/fault"
)

// getter reads many messages of a stream at once by what the server calls direct gets: requests that any replica answers, sent one
// behind the other without waiting.
type getter struct {
	nc     *nats.Conn
	stream string
	inbox  string
	sub    *nats.Subscription
	round  int // tells answers to requests that nobody waits for any more from others
}

// request asks for a message of a subject.
type request struct {
	subject string
	// last asks for the subject's last message; else body says which. Without both it is known that there is none.
	last bool
	body []byte
	// ends says that the server sends a message of its own behind the answer.
	ends bool
}

// together is how many requests are under way at most.
const together = 256

func newGetter(nc *nats.Conn, stream string) (*getter, error) {
	g := &getter{nc: nc, stream: stream, inbox: nc.NewInbox()}
	var err error
	if g.sub, err = nc.SubscribeSync(g.inbox + ".*.*"); err == nil {
		err = g.sub.SetPendingLimits(-1, -1) // bounded by what is under way
	}
	if err != nil {
		return nil, fault.New(fault.Connect, "answers cannot be subscribed to: %v", err)
	}
	return g, nil
}

func (g *getter) close() error {
	if err := g.sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) && !errors.Is(err, nats.ErrBadSubscription) {
		return fault.New(fault.Connect, "%v", err)
	}
	return nil
}

// get returns the value of each request, in their order. Faults of code Connect are worth another try.
func (g *getter) get(ctx context.Context, requests []request) ([]cached, error) {
	g.round++
	values := make([]cached, len(requests))
	pending, open := make([]bool, len(requests)), 0
	next := 0
	for next < len(requests) || open > 0 {
		for next < len(requests) && open < together {
			r := requests[next]
			if r.last || r.body != nil {
				if err := g.send(next, r); err != nil {
					return nil, fault.New(fault.Connect, "the request cannot be sent: %v", err)
				}
				pending[next] = true
				open++
			}
			next++
		}
		if open == 0 {
			continue
		}
		i, ended, err := g.receive(ctx, requests, values)
		if err != nil {
			return nil, err
		}
		if ended && i >= 0 && pending[i] {
			pending[i] = false
			open--
		}
	}
	return values, nil
}

func (g *getter) send(i int, r request) error {
	subject := "$JS.API.DIRECT.GET." + g.stream
	if r.last {
		subject += "." + r.subject
	}
	return g.nc.PublishRequest(subject, fmt.Sprintf("%s.%d.%d", g.inbox, g.round, i), r.body)
}

// receive waits for one message. It returns which request it answers, -1 for none, and whether that is the end of the answer.
func (g *getter) receive(ctx context.Context, requests []request, values []cached) (i int, ended bool, err error) {
	call, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	m, err := g.sub.NextMsgWithContext(call)
	switch {
	case ctx.Err() != nil:
		return -1, false, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout):
		return -1, false, fault.New(fault.Connect, "the server did not answer within %v", apiTimeout)
	case err != nil && !errors.Is(err, nats.ErrNoResponders):
		return -1, false, fault.New(fault.Connect, "the answer cannot be read: %v", err)
	case m == nil:
		return -1, false, fault.New(fault.Connect, "nobody answers for the stream `%s`", g.stream)
	}
	round, number, _ := strings.Cut(strings.TrimPrefix(m.Subject, g.inbox+"."), ".")
	if i, err = strconv.Atoi(number); err != nil || round != strconv.Itoa(g.round) || i < 0 || i >= len(requests) {
		return -1, false, nil
	}
	switch status := m.Header.Get("Status"); status {
	case "":
	case "404":
		return i, true, nil
	case "204":
		return i, true, nil
	case "503":
		return i, false, fault.New(fault.Connect, "nobody answers for the stream `%s`", g.stream)
	default:
		return i, false, fault.New(fault.Usage, "the server refuses to read from the stream `%s`: %s %s", g.stream, status, m.Header.Get("Description"))
	}
	gone := m.Header.Get("KV-Operation") != "" || m.Header.Get("Nats-Marker-Reason") != ""
	if m.Header.Get("Nats-Subject") == requests[i].subject && !gone { // a revision may be another key's
		values[i] = cached{value: m.Data, some: true}
	}
	return i, !requests[i].ends, nil
}

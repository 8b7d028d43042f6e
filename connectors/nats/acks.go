package nats

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wasmill/wasmill/engine/fault"
)

var ackBody = []byte("+ACK")

// acks are the messages of a work queue or interest stream that were delivered and are not acknowledged.
type acks struct {
	mu        sync.Mutex
	waiting   []ack  // guarded by mu; by sequence
	committed uint64 // guarded by mu; all up to it may be acknowledged
}

type ack struct {
	sequence uint64
	reply    string
}

func (a *acks) add(sequence uint64, reply string) {
	a.mu.Lock()
	a.waiting = append(a.waiting, ack{sequence, reply})
	a.mu.Unlock()
}

// again acknowledges a message that came a second time though it is committed. One that is not is in waiting still.
func (a *acks) again(nc *nats.Conn, sequence uint64, reply string) {
	a.mu.Lock()
	done := sequence <= a.committed
	a.mu.Unlock()
	if done {
		_ = nc.Publish(reply, ackBody) // if it is lost, the message comes a third time
	}
}

// commit acknowledges all up to the sequence. An error is a fault of code Connect; what may not have arrived is
// acknowledged again with the next commit.
func (a *acks) commit(ctx context.Context, nc *nats.Conn, sequence uint64) error {
	a.mu.Lock()
	a.committed = max(a.committed, sequence)
	n := 0
	for n < len(a.waiting) && a.waiting[n].sequence <= sequence {
		n++
	}
	due := a.waiting[:n:n]
	a.mu.Unlock()
	if n == 0 {
		return nil
	}
	err := error(nil)
	for i := 0; i < n && err == nil; i++ {
		err = nc.Publish(due[i].reply, ackBody)
	}
	if err == nil {
		flush, cancel := context.WithTimeout(ctx, 5*time.Second)
		err = nc.FlushWithContext(flush)
		cancel()
	}
	if err != nil {
		return fault.New(fault.Connect, "messages cannot be acknowledged: %v", err)
	}
	a.mu.Lock()
	// Copied, so that the array does not grow without end at one side and hold replies at the other.
	a.waiting = append(a.waiting[:0:0], a.waiting[n:]...)
	a.mu.Unlock()
	return nil
}

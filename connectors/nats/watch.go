package nats

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/engine/fault"
)

// watched holds all entries of a bucket, and follows what changes. While the server is away it holds what was there last.
type watched struct {
	users   int // guarded by Bucket.mu
	watcher jetstream.KeyWatcher
	cancel  context.CancelFunc
	ended   chan struct{}

	mu     sync.RWMutex
	values map[string][]byte // guarded by mu
	bytes  int               // guarded by mu
	err    error             // guarded by mu
}

// watch returns the entries of the bucket once all are there.
func (b *Bucket) watch(ctx context.Context, nc *nats.Conn, kv jetstream.KeyValue) (*watched, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.watched != nil {
		b.watched.users++
		return b.watched, nil
	}
	of, cancel := context.WithCancel(context.WithoutCancel(ctx)) // another task may use it for longer than this one
	w := &watched{users: 1, cancel: cancel, ended: make(chan struct{}), values: make(map[string][]byte)}
	var err error
	if w.watcher, err = patiently(ctx, nc, func() (jetstream.KeyWatcher, error) {
		found, err := kv.WatchAll(of)
		if err != nil {
			return nil, apiFault(ctx, fmt.Sprintf("the bucket `%s` cannot be watched", b.config.Bucket), err)
		}
		return found, nil
	}); err != nil {
		cancel()
		return nil, err
	}
	ready := make(chan struct{})
	go w.follow(b, ready, of.Done())
	select {
	case <-ready:
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(time.Duration(b.config.Wait)):
		err = fault.New(fault.Connect, "the bucket `%s` was not read within %v", b.config.Bucket, time.Duration(b.config.Wait))
	}
	if err == nil {
		err = w.get(nil, nil)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	b.watched = w
	return w, nil
}

// follow applies what the watcher tells. Ready is closed when all that was there is known, or nothing more will be.
func (w *watched) follow(b *Bucket, ready chan struct{}, stop <-chan struct{}) {
	defer close(w.ended)
	known := false
	is := func() {
		if !known {
			known = true
			close(ready)
		}
	}
	defer is()
	for {
		var e jetstream.KeyValueEntry
		open := true
		select {
		case e, open = <-w.watcher.Updates():
		case <-stop:
			return
		}
		if !open {
			break
		}
		if e == nil {
			is()
			continue
		}
		w.mu.Lock()
		key := e.Key()
		if old, had := w.values[key]; had {
			w.bytes -= len(key) + len(old)
			delete(w.values, key)
		}
		if e.Operation() == jetstream.KeyValuePut {
			w.values[key] = e.Value()
			w.bytes += len(key) + len(e.Value())
		}
		if w.bytes > int(b.config.Memory) {
			w.err = fault.New(fault.Limit, "the bucket `%s` takes more than %d bytes", b.config.Bucket, b.config.Memory).
				WithHint("set `memory` to more, or leave `watch` out")
			w.values = nil
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = fault.New(fault.Connect, "the bucket `%s` is watched no more", b.config.Bucket)
	}
}

// get fills in the values of what is wanted.
func (w *watched) get(wanted []want, values []cached) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	for i, k := range wanted {
		value, some := w.values[k.key]
		values[i] = cached{value: value, some: some}
	}
	return w.err
}

func (w *watched) close() {
	w.cancel()
	_ = w.watcher.Stop() // the connection may be gone
	<-w.ended
	for patience := time.After(time.Second); ; { // what the watcher still has to say, so that it ends
		select {
		case _, open := <-w.watcher.Updates():
			if open {
				continue
			}
		case <-patience:
		}
		return
	}
}

// unwatch ends a task's use of what is watched.
func (b *Bucket) unwatch() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.watched.users--; b.watched.users == 0 {
		b.watched.close()
		b.watched = nil
	}
}

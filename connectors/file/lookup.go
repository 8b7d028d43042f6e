package file

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/stream"
)

// lookup is a file as a table. All tasks of a step share what is loaded.
type lookup struct {
	config tableConfig

	mu     sync.Mutex
	loaded *loaded // guarded by mu; nil when no task has the table open
}

var _ connectors.Lookup = (*lookup)(nil)

// loaded is a table in memory that follows its file.
type loaded struct {
	users int // guarded by lookup.mu
	now   atomic.Pointer[snapshot]
	stop  chan struct{}
	ended chan struct{}
}

// table is a task's view of a loaded table.
type table struct {
	of      *lookup
	loaded  *loaded
	name    string
	encoder *stream.KeyEncoder
	version bool
	closed  bool
}

// Open implements [connectors.Lookup]. The first task loads the file.
func (l *lookup) Open(_ context.Context, job connectors.Job, q connectors.Query) (connectors.Table, error) {
	path := in(job.Dir, l.config.Path)
	names := make([]string, len(q.Key.Fields()))
	for i, f := range q.Key.Fields() {
		names[i] = f.Name
	}
	encoder, err := stream.NewKeyEncoder(q.Key, names)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.loaded == nil {
		first, err := l.load(path, job, q)
		if err != nil {
			return nil, err
		}
		l.loaded = &loaded{stop: make(chan struct{}), ended: make(chan struct{})}
		l.loaded.now.Store(first)
		log := job.Log
		if log == nil {
			log = slog.New(slog.DiscardHandler)
		}
		go l.follow(l.loaded, path, job, q, log)
	}
	l.loaded.users++
	return &table{of: l, loaded: l.loaded, name: path, encoder: encoder, version: q.Version != connectors.Newest}, nil
}

// follow loads the file anew when it has changed. What cannot be read is told of once, and what was loaded before stays.
func (l *lookup) follow(t *loaded, path string, job connectors.Job, q connectors.Query, log *slog.Logger) {
	defer close(t.ended)
	ticker := time.NewTicker(time.Duration(l.config.Reload))
	defer ticker.Stop()
	told := ""
	for {
		select {
		case <-t.stop:
			return
		case <-ticker.C:
		}
		info, err := os.Stat(path)
		if err == nil && same(info, t.now.Load().info) {
			if told != "" {
				log.Info("the table is there again as it was", "node", job.Node, "path", path)
			}
			told = ""
			continue
		}
		next, err := l.load(path, job, q)
		if err != nil {
			if text := err.Error(); text != told {
				told = text
				log.Warn("the table cannot be loaded anew, the job goes on with the one before: "+text, "node", job.Node, "path", path)
			}
			continue
		}
		t.now.Store(next)
		told = ""
		log.Info("the table was loaded anew", "node", job.Node, "path", path, "rows", next.record.NumRows()-1)
	}
}

// Find implements [connectors.Table].
func (t *table) Find(_ context.Context, keys arrow.Record) (connectors.Found, error) {
	return t.loaded.now.Load().find(t.encoder, keys, t.version)
}

// Name implements [connectors.Table].
func (t *table) Name() string { return fmt.Sprintf("the table %s", t.name) }

// Close implements [connectors.Table]. The last task forgets the table.
func (t *table) Close() error {
	if t.closed {
		return nil
	}
	t.closed = true
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	if t.loaded.users--; t.loaded.users == 0 {
		close(t.loaded.stop)
		<-t.loaded.ended
		t.of.loaded = nil
	}
	return nil
}

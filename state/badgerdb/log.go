package badgerdb

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
)

// logger passes Badger's messages to slog, a level lower than Badger's own: what a user must know is a fault. It keeps the first
// message about a failure that Badger tells nobody else: it goes on trying to write a table for ever, and leaves out
// tables that it cannot read.
type logger struct {
	log    *slog.Logger
	failed atomic.Pointer[string]
}

var failures = []string{"error flushing memtable", "Ignoring table"}

func (l *logger) write(level slog.Level, format string, args []any) {
	text := strings.TrimSpace(fmt.Sprintf(format, args...))
	for _, f := range failures {
		if strings.HasPrefix(text, f) {
			l.failed.CompareAndSwap(nil, &text)
		}
	}
	if l.log != nil {
		l.log.Log(context.Background(), level, "badger: "+text)
	}
}

func (l *logger) Errorf(format string, args ...any)   { l.write(slog.LevelWarn, format, args) }
func (l *logger) Warningf(format string, args ...any) { l.write(slog.LevelInfo, format, args) }
func (l *logger) Infof(format string, args ...any)    { l.write(slog.LevelDebug, format, args) }
func (l *logger) Debugf(format string, args ...any)   { l.write(slog.LevelDebug, format, args) }

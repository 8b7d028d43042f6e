package wasmhost

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a guest may write to the log: bytes of one line, and bytes and lines from one call of the engine to the next.
const (
	maxLine     = 4 << 10
	maxLogBytes = 64 << 10
	maxLogLines = 1000
	maxSaid     = 64 // lines of standard error that a trap's detail shows
)

// guestLog takes a guest's lines, whichever way they come, and drops what is too much.
type guestLog struct {
	sink    func(level int, line string) // nil discards
	bytes   int                          // written since the last call of renew
	lines   int
	dropped int      // lines
	errors  []string // the last lines of standard error since renew, also without a sink
}

// said returns the last lines of standard error.
func (l *guestLog) said() string {
	if len(l.errors) == 0 {
		return ""
	}
	return strings.Join(l.errors, "\n") + "\n"
}

// complain keeps a line of standard error for said.
func (l *guestLog) complain(text []byte) {
	if len(l.errors) == maxSaid {
		l.errors = append(l.errors[:0], l.errors[1:]...)
	}
	l.errors = append(l.errors, clipText(string(text)))
}

// line hands one line on. Text is the guest's memory; it is copied.
func (l *guestLog) line(level int, text []byte) {
	if l.sink == nil {
		return
	}
	cut := len(text) > maxLine
	if cut {
		text = text[:maxLine]
	}
	if l.lines >= maxLogLines || l.bytes+len(text) > maxLogBytes {
		l.dropped++
		return
	}
	l.lines++
	l.bytes += len(text)
	line := plain(string(text), false)
	if cut {
		line += "..."
	}
	l.sink(level, line)
}

// renew gives the guest a new allowance and says what was dropped under the old one.
func (l *guestLog) renew() {
	if l.dropped > 0 {
		l.sink(levelWarn, fmt.Sprintf("%d lines of this guest's log were dropped: at most %d lines and %d KiB are kept per call",
			l.dropped, maxLogLines, maxLogBytes>>10))
	}
	l.bytes, l.lines, l.dropped, l.errors = 0, 0, 0, l.errors[:0]
}

// plain makes text of a guest's fit for a terminal: bytes that are no UTF-8 and control characters but the tab become
// U+FFFD, and so do line ends unless many lines are allowed.
func plain(text string, lines bool) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && (r != '\n' || !lines) {
			return utf8.RuneError
		}
		return r
	}, text)
}

// printer is a guest's standard output or error: it collects bytes until a line is whole.
type printer struct {
	log   *guestLog
	level int
	part  []byte
}

// Write never fails: a guest's printing must not change what it computes.
func (p *printer) Write(b []byte) (int, error) {
	n := len(b)
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			break
		}
		p.keep(b[:end])
		p.end()
		b = b[end+1:]
	}
	p.keep(b)
	return n, nil
}

// flush ends a line that has begun.
func (p *printer) flush() {
	if len(p.part) > 0 {
		p.end()
	}
}

func (p *printer) end() {
	line := bytes.TrimSuffix(p.part, []byte("\r"))
	if p.level >= levelWarn {
		p.log.complain(line)
	}
	p.log.line(p.level, line)
	p.part = p.part[:0]
}

// keep appends to the current line. One byte more than a line may have is kept, so that it is seen to be cut.
func (p *printer) keep(b []byte) {
	p.part = append(p.part, b[:min(len(b), maxLine+1-len(p.part))]...)
}

package wasmhost

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a guest may write to the log: bytes of one line, and bytes and lines from one call of the engine to the next.
const (
	maxLine     = 4 << 10
	maxLogBytes = 64 << 10
	maxLogLines = 1000
	maxSaid     = 64  // lines of standard error that a trap's detail shows, the first and the last ones in halves
	maxAloud    = 4   // lines of standard error after which a call's lines wait for its end
	maxLive     = 100 // times as much for a script, which is one call from its first line to its last
)

// guestLog takes a guest's lines, whichever way they come, and drops what is too much.
type guestLog struct {
	sink    func(level int, line string) // nil discards
	live    bool                         // of a script: no line waits
	bytes   int                          // written since the last call of renew
	lines   int
	dropped int        // lines
	errors  []string   // lines of standard error since renew, also without a sink: the first, and behind them the last
	omitted int        // lines between them
	aloud   int        // lines of standard error that were not held
	held    []heldLine // in the order in which they came
}

// heldLine waits for the end of its call. A language's runtime that gives up prints hundreds of lines, which said shows the
// ends of: those of a call that traps are not worth the log, and may come for each of its rows.
type heldLine struct {
	level    int
	text     string
	standard bool // error
}

// said returns the first and the last lines of standard error.
func (l *guestLog) said() string {
	if len(l.errors) == 0 {
		return ""
	}
	lines := l.errors
	if l.omitted > 0 {
		lines = slices.Insert(slices.Clone(lines), maxSaid/2, fmt.Sprintf("... %d lines", l.omitted))
	}
	return strings.Join(lines, "\n") + "\n"
}

// complain takes a line of standard error.
func (l *guestLog) complain(level int, text []byte) {
	if len(l.errors) == maxSaid {
		l.errors = slices.Delete(l.errors, maxSaid/2, maxSaid/2+1)
		l.omitted++
	}
	l.errors = append(l.errors, clipText(string(text)))
	l.put(level, text, true)
}

// line takes a line of any other origin. Text is the guest's memory; it is copied.
func (l *guestLog) line(level int, text []byte) { l.put(level, text, false) }

func (l *guestLog) put(level int, text []byte, standard bool) {
	if l.sink == nil {
		return
	}
	cut := len(text) > maxLine
	if cut {
		text = text[:maxLine]
	}
	lines, bytes := l.allowance()
	if l.lines >= lines || l.bytes+len(text) > bytes {
		l.dropped++
		return
	}
	l.lines++
	l.bytes += len(text)
	line := plain(string(text), false)
	if cut {
		line += "..."
	}
	if !l.live && (len(l.held) > 0 || standard && l.aloud == maxAloud) {
		l.held = append(l.held, heldLine{level, line, standard})
		return
	}
	if standard {
		l.aloud++
	}
	l.sink(level, line)
}

// allowance is what may be written in a call.
func (l *guestLog) allowance() (lines, bytes int) {
	if l.live {
		return maxLive * maxLogLines, maxLive * maxLogBytes
	}
	return maxLogLines, maxLogBytes
}

// settle ends a call: the lines that were held go to the log, but for those on standard error when the guest has trapped.
func (l *guestLog) settle(trapped bool) {
	silent := 0
	for _, h := range l.held {
		if h.standard && trapped {
			silent++
			continue
		}
		l.sink(h.level, h.text)
	}
	if silent > 0 {
		l.sink(levelWarn, fmt.Sprintf("... %d more lines on standard error before the guest trapped", silent))
	}
	l.held = l.held[:0]
}

// renew gives the guest a new allowance and says what was dropped under the old one.
func (l *guestLog) renew() {
	l.settle(false)
	if l.dropped > 0 {
		lines, bytes := l.allowance()
		l.sink(levelWarn, fmt.Sprintf("%d lines of this guest's log were dropped: at most %d lines and %d KiB are kept per call",
			l.dropped, lines, bytes>>10))
	}
	l.bytes, l.lines, l.dropped, l.aloud = 0, 0, 0, 0
	l.errors, l.omitted = l.errors[:0], 0
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
		p.log.complain(p.level, line)
	} else {
		p.log.line(p.level, line)
	}
	p.part = p.part[:0]
}

// keep appends to the current line. One byte more than a line may have is kept, so that it is seen to be cut.
func (p *printer) keep(b []byte) {
	p.part = append(p.part, b[:min(len(b), maxLine+1-len(p.part))]...)
}

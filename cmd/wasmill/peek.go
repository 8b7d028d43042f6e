package main

import (
	"bytes"
	"io"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
)

// peekable is a standard input whose first bytes can be looked at before it is read. It is used by one goroutine at a time.
type peekable struct {
	in     io.Reader
	seen   bool
	peeked []byte
	last   error        // of the input, behind what was peeked
	coming <-chan taken // a read that is under way; nil for none
}

type taken struct {
	data []byte
	err  error
}

const (
	peekBytes = 64 << 10
	// peekWait is how long more is waited for behind whole lines: what a program prints at once comes in several pieces, and
	// the end of the input behind its last piece.
	peekWait = 200 * time.Millisecond
)

// peek returns what comes first: whole lines, up to peekBytes, or the whole input if it is not longer.
func (p *peekable) peek() ([]byte, error) {
	for !p.seen {
		p.seen = p.more() || len(p.peeked) >= peekBytes
	}
	if len(p.peeked) == 0 && p.last != nil && p.last != io.EOF {
		return nil, fault.New(fault.Connect, "standard input cannot be read: %v", p.last)
	}
	if end := bytes.LastIndexByte(p.peeked, '\n'); end >= 0 && p.last == nil {
		return p.peeked[:end+1], nil
	}
	return p.peeked, nil
}

// more reads once, and tells whether that was the last time: at the end, or when nothing comes behind whole lines.
func (p *peekable) more() bool {
	if p.coming == nil {
		p.coming = p.start(make([]byte, peekBytes-len(p.peeked)))
	}
	var late <-chan time.Time
	if bytes.IndexByte(p.peeked, '\n') >= 0 {
		timer := time.NewTimer(peekWait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case t := <-p.coming:
		p.take(t)
		return p.last != nil
	case <-late:
		return true
	}
}

// start reads in a goroutine, for a read of a pipe or terminal cannot be given up.
func (p *peekable) start(buffer []byte) <-chan taken {
	c := make(chan taken, 1)
	go func() {
		n, err := p.in.Read(buffer)
		c <- taken{buffer[:n], err}
	}()
	return c
}

func (p *peekable) take(t taken) {
	p.coming, p.last = nil, t.err
	p.peeked = append(p.peeked, t.data...)
}

// Read implements [io.Reader].
func (p *peekable) Read(b []byte) (int, error) {
	if len(p.peeked) == 0 && p.coming != nil {
		p.take(<-p.coming)
	}
	switch {
	case len(p.peeked) > 0:
		n := copy(b, p.peeked)
		p.peeked = p.peeked[n:]
		return n, nil
	case p.last != nil:
		return 0, p.last
	}
	return p.in.Read(b)
}

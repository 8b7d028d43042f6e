package stdio

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// blockBytes is how much is read at once. A block is cut behind its last whole record.
const blockBytes = 256 << 10

// maxBlock bounds a record, and a whole input of a format that is not cut. A longer one is handed on in pieces, which do
// not decode and go where the policy says.
const maxBlock = 64 << 20

// block is some whole records, or why there are no more.
type block struct {
	data []byte
	err  error
}

type reader struct {
	cut    func([]byte) int // nil: the input is one piece
	blocks chan block
	free   chan []byte // buffers to read into: two, so that one is filled while the other is worked on
	over   chan struct{}
	last   []byte
	begun  bool
	lines  uint64
	err    error
}

var _ connectors.Reader = (*reader)(nil)

func newReader(in io.Reader, cut func([]byte) int) *reader {
	r := &reader{cut: cut, blocks: make(chan block), free: make(chan []byte, 2), over: make(chan struct{})}
	r.free <- make([]byte, 0, blockBytes)
	r.free <- make([]byte, 0, blockBytes)
	go r.fill(in)
	return r
}

// fill reads blocks until the input's end. What is there is handed on without waiting for more.
func (r *reader) fill(in io.Reader) {
	var rest []byte
	for {
		var buffer []byte
		select {
		case buffer = <-r.free:
		case <-r.over:
			return
		}
		buffer = append(buffer[:0], rest...)
		var err error
		end := 0
		for end == 0 && err == nil {
			if len(buffer) == cap(buffer) {
				if len(buffer) >= maxBlock {
					end = len(buffer)
					break
				}
				buffer = append(make([]byte, 0, min(2*cap(buffer), maxBlock)), buffer...)
			}
			var n int
			n, err = in.Read(buffer[len(buffer):cap(buffer)])
			buffer = buffer[:len(buffer)+n]
			if r.cut != nil {
				end = r.cut(buffer)
			}
		}
		if err != nil {
			end = len(buffer) // a last line without an end
		}
		rest = append(rest[:0], buffer[end:]...)
		if err != io.EOF && err != nil {
			err = fault.New(fault.Connect, "standard input cannot be read: %v", err)
		}
		select {
		case r.blocks <- block{buffer[:end], err}:
		case <-r.over:
			return
		}
		if err != nil {
			return
		}
	}
}

// Next implements [connectors.Reader].
func (r *reader) Next(ctx context.Context, wake <-chan struct{}, _ int) ([]connectors.Message, error) {
	if r.last != nil {
		r.free <- r.last
		r.last = nil
	}
	if r.err != nil {
		return nil, r.err
	}
	select {
	case b := <-r.blocks:
		r.err = b.err
		if len(b.data) == 0 {
			return nil, r.err
		}
		r.last = b.data
		m := connectors.Message{Data: b.data, Time: stream.NoTime, Subject: "stdin", Sequence: r.lines + 1, Start: !r.begun}
		r.begun = true
		r.lines += uint64(bytes.Count(b.data, []byte("\n")))
		return []connectors.Message{m}, nil
	case <-wake:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Positions implements [connectors.Reader]: there is nothing to go on from.
func (r *reader) Positions() (map[string]json.RawMessage, error) { return nil, nil }

// Committed implements [connectors.Reader].
func (r *reader) Committed(context.Context, map[string]json.RawMessage) error { return nil }

// Close implements [connectors.Reader].
func (r *reader) Close() error {
	close(r.over)
	return nil
}

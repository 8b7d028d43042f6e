package stdio

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/wasmill/wasmill/connectors/block"
	"github.com/wasmill/wasmill/engine/fault"
)

// pump reads blocks of an input in goroutines of their own, one at a time, for a read of a terminal or a pipe cannot be given
// up. It outlives readers: what is read while none is there waits for the next.
type pump struct {
	in io.Reader

	mu     sync.Mutex
	taken  bool          // guarded by mu: a reader is open
	blocks *block.Reader // set by the first reader; used by one goroutine at a time
	busy   bool          // guarded by mu: a read is under way, or its result waits
	result chan pumped   // of the read that is under way; never blocks the one who sends
	spare  []byte        // the buffer that no reader holds

	// These are used by the open reader alone.
	offset int64  // bytes handed on
	lines  uint64 // line ends in them
	head   []byte // the first block handed on
	ended  error  // why there is no more
}

type pumped struct {
	block block.Block
	err   error
}

func newPump(in io.Reader) *pump { return &pump{in: in, result: make(chan pumped, 1)} }

// take makes the caller the reader. A second one gets a fault of code Usage.
func (p *pump) take(cut func([]byte) int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken {
		return fault.New(fault.Usage, "standard input has a reader already").WithHint("a job can have one input `stdin`")
	}
	p.taken = true
	if p.blocks == nil {
		p.blocks = block.NewReader(p.in, cut, true)
	}
	return nil
}

func (p *pump) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = false
}

// start sees to it that a read is under way.
func (p *pump) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy {
		return
	}
	p.busy = true
	buffer := p.spare
	p.spare = nil
	go func() {
		b, err := p.blocks.Next(buffer)
		if errors.Is(err, io.EOF) {
			if rest := p.blocks.Rest(); rest.Size > 0 {
				b, err = rest, nil // the end comes again
			}
		}
		p.result <- pumped{b, err}
	}()
}

// accept takes in the result of a read, and has the next one started while the caller works on this one. Used is the
// buffer of the result before it.
func (p *pump) accept(r pumped, used []byte) {
	p.mu.Lock()
	p.busy = false
	p.spare = used
	p.mu.Unlock()
	switch {
	case errors.Is(r.err, io.EOF):
		p.ended = io.EOF
		return
	case r.err != nil:
		p.ended = readFault(r.err)
		return
	}
	if p.offset == 0 {
		p.head = bytes.Clone(r.block.Data)
	}
	p.offset += r.block.Size
	p.lines += uint64(r.block.Lines)
	p.start()
}

func readFault(err error) error {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f.At("standard input")
	}
	return fault.New(fault.Decode, "standard input cannot be read: %v", err)
}

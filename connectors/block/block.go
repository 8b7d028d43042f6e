// Package block reads an input in blocks of whole records: what files and standard input have in common.
package block

import (
	"bytes"
	"io"

	"github.com/wasmill/wasmill/engine/fault"
)

const (
	// Bytes is how much is read before a block is cut behind its last whole record.
	Bytes = 1 << 20
	// MaxLine bounds a record of a format that is cut at line ends. It lies above the largest record that decoders
	// take: of a longer one they get the beginning, find it too long, and its policy decides.
	MaxLine = 16<<20 + 64<<10
	// MaxPiece bounds a piece of any other format, such as the batches of an Arrow stream, or a whole input.
	MaxPiece = 1 << 30
)

// Block is some whole records.
type Block struct {
	// Data is the records. It lies in the buffer that was given to Next, or a larger one in its place.
	Data []byte
	// Size is how many bytes of the input it stands for: more than those of Data where a line was too long.
	Size int64
	// Lines is how many line ends those bytes hold.
	Lines int
}

// Reader cuts an input into blocks.
type Reader struct {
	in    io.Reader
	cut   func([]byte) int // nil: the input is one piece
	lines bool             // cut cuts at line ends
	eager bool
	rest  []byte // bytes read but not handed on
	limit int    // of one record
}

// NewReader returns a reader of in. Cut is that of the format (see connectors.Job), nil for one that knows only whole
// inputs. An eager reader hands on what is there; the other reads up to [Bytes] first.
func NewReader(in io.Reader, cut func([]byte) int, eager bool) *Reader {
	r := &Reader{in: in, cut: cut, eager: eager, limit: MaxPiece}
	if cut != nil && cut([]byte("\n")) == 1 {
		r.lines, r.limit = true, MaxLine
	}
	return r
}

// Next reads on and returns the next block, in buffer where its capacity is enough. At the end of the input it returns io.EOF,
// and may be called again if the input can grow; what lacks its end is kept then, see Rest. A piece larger than
// [MaxPiece] gives a fault of code Limit; errors of the input are returned as they are.
func (r *Reader) Next(buffer []byte) (Block, error) {
	if cap(buffer) < 64<<10 {
		buffer = make([]byte, 0, Bytes+64<<10)
	}
	buffer = append(buffer[:0], r.rest...)
	r.rest = r.rest[:0]
	looked := 0 // bytes of buffer known to hold no line end
	for {
		if end := r.whole(buffer, looked); end > 0 && (r.eager || len(buffer) >= Bytes) {
			return r.hand(buffer, end), nil
		}
		looked = len(buffer)
		if len(buffer) >= r.limit {
			if !r.lines {
				return Block{}, fault.New(fault.Limit, "a piece of %d MiB without a whole record in it cannot be taken at once", r.limit>>20).
					WithHint("write smaller batches, or use a format of lines")
			}
			return r.tooLong(buffer)
		}
		if len(buffer) == cap(buffer) {
			buffer = append(make([]byte, 0, min(2*cap(buffer), r.limit)), buffer...)
		}
		n, err := r.in.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if err == nil {
			continue
		}
		if end := r.whole(buffer, 0); end > 0 {
			return r.hand(buffer, end), nil // the error comes again
		}
		r.rest = append(r.rest, buffer...)
		return Block{}, err
	}
}

// Rest returns what the end of the input left behind: a last record that lacks its end, or a whole input that is not
// cut; an empty block when there is nothing.
func (r *Reader) Rest() Block {
	b := Block{Data: r.rest, Size: int64(len(r.rest))}
	b.Lines = bytes.Count(b.Data, newline)
	r.rest = nil
	return b
}

var newline = []byte("\n")

// whole returns how many bytes of data are whole records; of those before from it is known that none ends there.
func (r *Reader) whole(data []byte, from int) int {
	switch {
	case r.cut == nil || len(data) == 0:
		return 0
	case r.lines && bytes.IndexByte(data[from:], '\n') < 0:
		return 0
	}
	return r.cut(data)
}

func (r *Reader) hand(buffer []byte, end int) Block {
	r.rest = append(r.rest, buffer[end:]...)
	return Block{Data: buffer[:end], Size: int64(end), Lines: bytes.Count(buffer[:end], newline)}
}

// tooLong returns the beginning of a line that is too long, and passes over the rest of it.
func (r *Reader) tooLong(buffer []byte) (Block, error) {
	b := Block{Data: buffer, Size: int64(len(buffer)), Lines: bytes.Count(buffer, newline)}
	scratch := make([]byte, 64<<10)
	for {
		n, err := r.in.Read(scratch)
		if end := bytes.IndexByte(scratch[:n], '\n'); end >= 0 {
			r.rest = append(r.rest, scratch[end+1:n]...)
			b.Size += int64(end + 1)
			b.Lines++
			return b, nil
		}
		b.Size += int64(n)
		if err != nil {
			return b, nil // the error comes again
		}
	}
}

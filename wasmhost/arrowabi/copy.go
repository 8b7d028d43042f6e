package arrowabi

import (
	"encoding/binary"

	"github.com/wasmill/wasmill/engine/fault"
)

// job is a buffer that has to be copied into the guest.
type job struct {
	to   uint32 // where its address goes, from the start of the block
	from []byte
	// width is that of offsets from which base is subtracted, 0 for bytes as they are.
	width int
	base  int64
	free  bool // not column data: not counted
}

func (e *Exporter) later(j job) {
	binary.LittleEndian.PutUint32(e.mem[e.block+j.to:], 0)
	if len(j.from) > 0 {
		e.jobs = append(e.jobs, j)
	}
}

// copy does what later has collected. All space is reserved before the first byte is copied, and reserving may enter
// the guest; the structures that were written before are for the guest alone to read, so it may spoil them as it likes.
func (e *Exporter) copy() error {
	defer func() {
		clear(e.jobs)
		e.jobs = e.jobs[:0]
	}()
	need := 0
	for _, j := range e.jobs {
		need += (len(j.from) + 63) &^ 63
	}
	if need == 0 {
		return nil
	}
	if err := e.space.Reserve(need); err != nil {
		return err
	}
	mem := e.space.Bytes()
	for _, j := range e.jobs {
		b := e.space.Allocate(len(j.from))
		e.held = append(e.held, b)
		at, ok := e.space.Contains(b)
		if !ok {
			return fault.New(fault.Internal, "no room for %d bytes that were reserved", len(b))
		}
		switch j.width {
		case 4:
			for i, x := range cast[int32](j.from) {
				binary.LittleEndian.PutUint32(b[i*4:], uint32(x-int32(j.base)))
			}
		case 8:
			for i, x := range cast[int64](j.from) {
				binary.LittleEndian.PutUint64(b[i*8:], uint64(x-j.base))
			}
		default:
			copy(b, j.from)
		}
		binary.LittleEndian.PutUint32(mem[e.block+j.to:], at)
		if !j.free {
			e.copied += uint64(len(j.from))
		}
	}
	return nil
}

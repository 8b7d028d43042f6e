package arrowabi

import (
	"github.com/apache/arrow/go/v15/arrow"
)

// Exporter writes records of one schema into a guest. It belongs to one function of one guest and is used by one
// goroutine at a time; the structures it writes are the same memory each time.
type Exporter struct {
	space   Space
	release uint32
	where   string
	copied  uint64
}

// NewExporter returns an exporter of records of the schema given. With slots, each record gets one more column behind
// the others: int32 without nulls. Release is the value of the structures' release field: the table index of a
// function that does nothing, or 0. Where is the position in faults, such as "function clean".
//
// It enters the guest. It returns an [fault.Unsupported] fault for a type that does not cross, and the faults of Scratch.
func NewExporter(space Space, schema *arrow.Schema, slots bool, release uint32, where string) (*Exporter, error) {
	return nil, nil
}

// Export writes a record and returns the address of its ArrowArray, which is valid until the next Export. Slots holds
// one number per row, or is nil for an exporter without slots. Buffers in the guest's memory are pointed at, others
// are copied in, which may enter the guest.
//
// It returns a [fault.Schema] fault when the record is not of the exporter's schema, and the faults of Reserve.
func (e *Exporter) Export(rec arrow.Record, slots []int32) (ptr uint32, err error) { return 0, nil }

// Release gives up the copies that the last Export made. Results that may point into them must have been consumed.
func (e *Exporter) Release() {}

// CopiedBytes returns how many bytes of column data all calls of Export have copied. Slots do not count.
func (e *Exporter) CopiedBytes() uint64 { return e.copied }

// Close gives the structures back to the guest, which it enters.
func (e *Exporter) Close() error { return nil }

// ExportSchema writes a schema as an ArrowSchema of format "+s" and returns its address. The caller gives it back with
// FreeScratch; all that belongs to it is one piece. It enters the guest. Release is as for [NewExporter].
//
// It returns an [fault.Unsupported] fault for a type that does not cross, and the faults of Scratch.
func ExportSchema(space Space, schema *arrow.Schema, release uint32) (ptr uint32, err error) { return 0, nil }

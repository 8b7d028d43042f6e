package arrowabi

import (
	"github.com/apache/arrow/go/v15/arrow"
)

// Importer reads records of one schema out of a guest. It belongs to one function of one guest and is used by one
// goroutine at a time.
type Importer struct {
	space  Space
	limits Limits
	where  string
	copied uint64
}

// NewImporter returns an importer of arrays that must be of the schema given. Where is the position in faults, such as
// "function clean".
//
// It returns an [fault.Unsupported] fault for a type that does not cross.
func NewImporter(space Space, schema *arrow.Schema, limits Limits, where string) (*Importer, error) {
	return nil, nil
}

// Import checks the ArrowArray at ptr, a struct of the schema's columns, and returns it as a record. The buffers of the
// record are the guest's memory: it is good until the guest is entered or freed. The caller releases it, which does
// not enter the guest.
//
// It returns a [fault.BadArray] fault for an array that is not sound or not of the schema, and a [fault.Limit] fault
// for one beyond the limits.
func (im *Importer) Import(ptr uint32) (arrow.Record, error) { return nil, nil }

// Origins checks and copies the int32 numbers at ptr, one for each of rows: they lie in [0, inputs) and never fall. The
// slice is valid until the next call of Origins. It returns a [fault.BadArray] fault if that does not hold.
func (im *Importer) Origins(ptr uint32, rows, inputs int) ([]int32, error) { return nil, nil }

// CopiedBytes returns how many bytes all calls of Import have copied: buffers of numbers that are not aligned to their
// width, which Go cannot read in place.
func (im *Importer) CopiedBytes() uint64 { return im.copied }

// Recheck checks those columns of rec again that lie in the guest's memory: offsets, validity and dictionary indices,
// which a hostile guest may have changed since rec was built or imported. Afterwards, and until the guest is entered
// again, Arrow may read them. It does not allocate. It returns a [fault.BadArray] fault at the position where.
func Recheck(space Space, rec arrow.Record, where string) error { return nil }

// ImportSchema checks and reads the ArrowSchema at ptr, of format "+s", out of a guest's memory; strings are copied.
// Metadata is not read.
//
// It returns a [fault.BadArray] fault for structures that are not sound, an [fault.Unsupported] fault for formats that
// do not cross.
func ImportSchema(mem []byte, ptr uint32, where string) (*arrow.Schema, error) { return nil, nil }

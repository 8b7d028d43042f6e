// Package arrowabi moves Arrow columns in and out of a guest by the Arrow C data interface
// (https://arrow.apache.org/docs/format/CDataInterface.html) with 4-byte pointers, as docs/abi.md lays it out.
//
// What goes in is pointed at where it lies in the guest's memory, and copied where it does not. What comes out is
// checked from the first byte to the last before Arrow sees it, and then wrapped without a copy. Nothing that is read
// from guest memory is trusted; a [fault.BadArray] fault names the function, the field and what is wrong.
//
// A check holds until the guest is entered again.
package arrowabi

import (
	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/udf"
)

// Space is what this package needs of a guest's memory. *linmem.Arena is one.
type Space interface {
	udf.Arena
	// Bytes returns the memory at its current length.
	Bytes() []byte
	// Contains reports whether all of b lies in the memory, and where. It is false for an empty slice.
	Contains(b []byte) (offset uint32, ok bool)
	// Scratch returns the address of n zeroed bytes aligned to align that stay until FreeScratch. Both enter the guest.
	Scratch(n, align int) (uint32, error)
	FreeScratch(ptr uint32) error
}

// Limits bound what one array from a guest may hold.
type Limits struct {
	// Rows is the most rows of a record.
	Rows int
	// Bytes is the most bytes of all its buffers together, where a buffer counts as often as it is pointed at, an
	// element without any buffer as one byte, and a value of a dictionary as often as rows refer to it if there are
	// very many of both.
	Bytes int64
}

// The sizes of the structures in a guest, in bytes.
const (
	schemaSize = 48
	arraySize  = 64
)

// MaxDepth is how deep types may nest.
const MaxDepth = 32

// CheckSchema returns an [fault.Unsupported] fault that names the first column whose type does not cross the boundary.
func CheckSchema(schema *arrow.Schema) error {
	_, err := compile(schema)
	return err
}

// Package codec turns bytes into Arrow records and back, on any Arrow allocator: decoders write their columns straight
// into the memory of the guest that will read them.
package codec

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// Format is a way to write records as bytes.
type Format struct {
	// Name is what stands in a pipeline: `format: NAME`.
	Name string
	// Schemaless formats carry their own schema, or have a fixed one (see Infer): none needs to be declared.
	Schemaless bool
	// Documents says that documents are written as they are, and that where no schema is declared (nor the format Schemaless) a
	// record is one; see the package schema. Other formats need columns.
	Documents bool
	// NewDecoder checks the options and makes a decoder for the columns given. Columns that the data has and the schema
	// has not are passed over. Config is JSON, nil for none; faults carry the option's name as Where.
	NewDecoder func(schema *arrow.Schema, config json.RawMessage, alloc memory.Allocator, limits Limits) (Decoder, error)
	// NewEncoder likewise.
	NewEncoder func(schema *arrow.Schema, config json.RawMessage) (Encoder, error)
	// Positional says that under this configuration columns are found by their position alone, so that the decoder must be
	// given all that are declared, also those that nobody reads. Nil: never.
	Positional func(config json.RawMessage) bool
	// Infer returns a schema from the first bytes of an input: whole records, many lines or one message; of a format with Rows,
	// from its last [IndexBytes]. Nil: the format cannot.
	Infer func(sample []byte, config json.RawMessage) (*arrow.Schema, error)
	// Lines says that one message may hold many records, one a line, so that files are cut at line ends.
	Lines bool
	// Cut returns how many bytes at the beginning of data, which begins where a record or the input does, are whole
	// records, so that a file may be cut there; 0 when there is not even one. It is asked before Lines. Nil: at line ends
	// where Lines is set, otherwise nowhere.
	Cut func(data []byte, config json.RawMessage) int
	// Rows returns how many rows an input of size bytes has, for a format whose inputs end with an index of what is where in them, such
	// as Parquet. They are not read from beginning to end but row by row: the decoder is a [FileDecoder]. Nil: the format has no index.
	Rows func(in io.ReaderAt, size int64) (int64, error)
}

// IndexBytes is the most that an index takes at the end of an input; see [Format.Rows].
const IndexBytes = 16<<20 + 8

// Cutter returns the function that cuts an input of this format behind whole records, or nil where it cannot be cut.
func (f Format) Cutter(config json.RawMessage) func(data []byte) int {
	switch {
	case f.Cut != nil:
		return func(data []byte) int { return f.Cut(data, config) }
	case f.Lines:
		return func(data []byte) int { return bytes.LastIndexByte(data, '\n') + 1 }
	}
	return nil
}

// Limits bound one batch.
type Limits struct {
	// Rows is the most rows; 0 means stream.MaxRows.
	Rows int
	// Bytes is the most input bytes that go into one batch, where a single record is not larger; 0 means 1 MiB.
	Bytes int
	// Record is the most bytes of a single record; a larger one is bad. 0 means 16 MiB.
	Record int
}

// Filled returns the limits with the defaults in place of zeros, none above [stream.MaxRows] and 512 MiB.
func (l Limits) Filled() Limits {
	within := func(v, standard, most int) int {
		if v <= 0 {
			return standard
		}
		return min(v, most)
	}
	const most = 512 << 20
	return Limits{
		Rows:   within(l.Rows, stream.MaxRows, stream.MaxRows),
		Bytes:  within(l.Bytes, 1<<20, most),
		Record: within(l.Record, 16<<20, most),
	}
}

// Decoder builds records, one batch after another. It is used by one goroutine.
type Decoder interface {
	// Append decodes the records in data onto the batch being built and returns how many bytes it took. It takes fewer
	// than all when the batch is full: call Record, then Append with the rest. Nothing of data is kept.
	// A record that does not decode is passed to bad and left out; an error that bad returns ends Append and is returned.
	Append(data []byte, bad func(*BadRecord) error) (int, error)
	// Rows returns the rows of the batch being built.
	Rows() int
	// Need returns how many bytes of the allocator the batch being built may still come to take, at the most, if data of n
	// bytes is appended, so that the space can be reserved before. All that is asked of the allocator counts, also what
	// is given back. The decoder takes n for what is coming, in one Append or several, and sizes its buffers by it.
	Need(n int) int
	// Record ends the batch and returns it, or nil when it has no rows. The caller releases it.
	Record() arrow.Record
	// Close frees the batch being built.
	Close()
}

// InputDecoder is a Decoder of a format whose inputs begin with something that all of their rows need: a CSV's line of
// names, an Arrow stream's schema.
type InputDecoder interface {
	Decoder
	// StartInput says that the data appended from now on belongs to an input that comes in pieces, such as a file. Head is
	// nil when the first piece comes next; otherwise it is the input's first bytes, whole records as Format.Cut cuts them,
	// and pieces from behind them come next. Where nobody calls it, each data that was appended to its end is an input
	// of its own: a message.
	StartInput(head []byte) error
}

// FileDecoder is a Decoder of a format with an index, see [Format.Rows]. What is appended to it are numbers of rows, see [RowNumbers], so that
// decoding goes on at any row, with as much of the file in memory as these rows need.
type FileDecoder interface {
	Decoder
	// StartFile says that the rows appended from now on are those of the file of size bytes. It is read while they are.
	StartFile(in io.ReaderAt, size int64) error
}

// RowNumber is how many bytes a row's number has.
const RowNumber = 8

// RowNumbers appends the numbers of n rows from first on to dst, 8 bytes each, little-endian. The first row of a file is 0.
func RowNumbers(dst []byte, first int64, n int) []byte {
	for i := range n {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(first)+uint64(i))
	}
	return dst
}

// BadRecord is a record that does not decode.
type BadRecord struct {
	// Fault has code Decode and says which field, what was expected and what was found.
	Fault *fault.Fault
	// Data is the record's bytes, valid until the call returns.
	Data []byte
	// Offset is where the record starts in the data that was appended, in bytes.
	Offset int
	// Line counts the records or lines of the data before it, from 0.
	Line int
}

// Encoder writes rows as bytes. It is used by one goroutine. One of the two optional interfaces below says how.
type Encoder interface {
	// Name returns the format's name.
	Name() string
}

// RowEncoder writes one row at a time: JSON, CSV, raw.
type RowEncoder interface {
	Encoder
	// Bind prepares for the rows of rec; Append may be called for them until the next Bind. Nothing of rec is touched
	// after the caller's last Append.
	Bind(rec arrow.Record) error
	// Append appends row i of the record bound to dst, without a line end. A row that cannot be written gives a fault of
	// code Encode naming the column.
	Append(dst []byte, i int) ([]byte, error)
	// Header returns the bytes that a file begins with, such as the line of names of a CSV; nil for none.
	Header() []byte
	// Lines says that rows in a file are ended by a line feed each.
	Lines() bool
}

// BatchEncoder writes whole batches: Arrow IPC.
type BatchEncoder interface {
	Encoder
	// AppendMessage appends rows from (inclusive) to to (exclusive) as one self-contained message.
	AppendMessage(dst []byte, rec arrow.Record, from, to int) ([]byte, error)
	// AppendFile appends the rows as a continuation of a file whose earlier bytes were written by this encoder since Reset;
	// a nil record ends the file. Beside the record it depends on nothing but whether it is the first since Reset, so that a
	// file that is cut between two calls can be continued.
	AppendFile(dst []byte, rec arrow.Record) ([]byte, error)
	// Reset starts a new file.
	Reset()
}

// IndexedEncoder is a BatchEncoder of a format with an index, see [Format.Rows]: what a file's end says depends on all that is before it.
// AppendFile may hold rows back until the next Mark or the end.
type IndexedEncoder interface {
	BatchEncoder
	// Mark appends all that was held back, and what an encoder needs to go on behind it. Such a file has no end, and is none that anybody reads.
	Mark(dst []byte) ([]byte, error)
	// Resume begins where a file ends whose size bytes end with what Mark appended, in place of Reset.
	Resume(in io.ReaderAt, size int64) error
}

// RowError is a row that could not be written.
type RowError struct {
	Row int
	Err error
}

func (e *RowError) Error() string { return e.Err.Error() }

// Unwrap returns the fault.
func (e *RowError) Unwrap() error { return e.Err }

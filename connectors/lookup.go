package connectors

import (
	"context"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
)

// Lookup is something that rows are enriched from by key: a bucket, a file.
type Lookup interface {
	// DefaultFormat as with Source.
	DefaultFormat() string
	// Sample returns what columns are derived from: whole records from the beginning or, with end set, the last bytes (see
	// codec.Format.Infer). Nil: the columns have to be declared.
	Sample(job Job, end bool) ([]byte, error)
	// Check looks at what is asked without touching the outside. Faults are placed at "key" and "version".
	Check(q Query) error
	// Open begins; each task opens its own. Faults of code Connect are worth another try.
	Open(ctx context.Context, job Job, q Query) (Table, error)
}

// Query says what rows are looked up by.
type Query struct {
	// Key holds the columns of the rows that are the key, and Of the columns of the table that they are compared with.
	Key *arrow.Schema
	Of  []string
	// Version says whether a row wants what was there at some version, which then stands in a last column of what is given to Find.
	Version Version
	// VersionOf is the column of the table that holds versions, for AsOf; empty where the table knows them itself.
	VersionOf string
	// Schema holds the table's columns.
	Schema *arrow.Schema
	// NewDecoder makes a decoder of the table's columns in its format.
	NewDecoder func() (codec.Decoder, error)
}

// Version is a way to choose between several entries of one key.
type Version string

// The versions.
const (
	// Newest is what there is now.
	Newest Version = ""
	// AsOf is the newest entry that is not newer than the row's version, a time or an int64.
	AsOf Version = "as_of"
	// Exact is the entry with the row's number.
	Exact Version = "exact"
)

// Table is a table that is open. One goroutine uses it.
type Table interface {
	// Find looks up all rows of keys, whose columns are those of Query.Key and perhaps the version. A row with a null among them is not found.
	// It waits for a server that is away, and gives a fault of code Connect in the end. What it returns is valid until the next call.
	Find(ctx context.Context, keys arrow.Record) (Found, error)
	// Name says what it is in words, such as "the bucket `FEATURES`".
	Name() string
	Close() error
}

// Found is what was found for the rows of a batch.
type Found struct {
	// Record has the table's columns, and a last row of nulls (see [WithNulls]). Rows holds the row of it for each row that was asked
	// for, -1 where there is none.
	Record arrow.Record
	Rows   []int32
	// Bad holds why what was found for a row cannot be used, by the number of the row that was asked for.
	Bad map[int]*fault.Fault
}

// WithNulls returns the rows of some records of one schema as one record, and a row of nulls behind them. The caller releases it.
func WithNulls(schema *arrow.Schema, records []arrow.Record) (arrow.Record, error) {
	columns := make([]arrow.Array, len(schema.Fields()))
	rows := int64(1)
	for _, r := range records {
		rows += r.NumRows()
	}
	for i, f := range schema.Fields() {
		parts := make([]arrow.Array, 0, len(records)+1)
		for _, r := range records {
			parts = append(parts, r.Column(i))
		}
		null := array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, 1)
		defer null.Release()
		var err error
		if columns[i], err = array.Concatenate(append(parts, null), memory.DefaultAllocator); err != nil {
			return nil, fault.New(fault.Limit, "the column `%s` of the table: %v", f.Name, err)
		}
		defer columns[i].Release()
	}
	return array.NewRecord(schema, columns, rows), nil
}

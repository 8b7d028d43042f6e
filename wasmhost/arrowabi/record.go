package arrowabi

import (
	"fmt"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// imported is a record over a guest's memory. array.NewRecord compares every column's type with the schema by
// reflection, a quarter of what an import takes; here the columns were built from the schema's own types.
type imported struct {
	references atomic.Int64
	schema     *arrow.Schema
	rows       int
	columns    []arrow.Array
}

var _ arrow.Record = (*imported)(nil)

func (r *imported) Retain() { r.references.Add(1) }

func (r *imported) Release() {
	if r.references.Add(-1) == 0 {
		for _, c := range r.columns {
			c.Release()
		}
		r.columns = nil
	}
}

func (r *imported) Schema() *arrow.Schema    { return r.schema }
func (r *imported) NumRows() int64           { return int64(r.rows) }
func (r *imported) NumCols() int64           { return int64(len(r.columns)) }
func (r *imported) Columns() []arrow.Array   { return r.columns }
func (r *imported) Column(i int) arrow.Array { return r.columns[i] }
func (r *imported) ColumnName(i int) string  { return r.schema.Field(i).Name }

// The other methods are Arrow's own.

func (r *imported) SetColumn(i int, column arrow.Array) (arrow.Record, error) {
	plain := r.plain()
	defer plain.Release()
	return plain.SetColumn(i, column)
}

func (r *imported) NewSlice(i, j int64) arrow.Record {
	plain := r.plain()
	defer plain.Release()
	return plain.NewSlice(i, j)
}

func (r *imported) MarshalJSON() ([]byte, error) {
	plain := r.plain()
	defer plain.Release()
	return plain.MarshalJSON()
}

func (r *imported) plain() arrow.Record { return array.NewRecord(r.schema, r.columns, int64(r.rows)) }

func (r *imported) String() string {
	plain := r.plain()
	defer plain.Release()
	return fmt.Sprint(plain)
}

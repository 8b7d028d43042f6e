package parquet

import (
	"bytes"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/parquet"

	"github.com/wasmill/wasmill/engine/fault"
)

// infer returns the schema of the file that the sample ends with.
func infer(sample []byte) (*arrow.Schema, error) {
	there, others, err := Columns(sample)
	if err != nil {
		return nil, err
	}
	var faults fault.List
	for _, c := range others {
		faults.Add(fault.Unsupported, "column "+c.Name, "%s cannot be read from Parquet", c.What).Hint = "declare a schema without it"
	}
	return there, faults.Err()
}

// Unread is a column that cannot be read, and what it is.
type Unread struct{ Name, What string }

// Columns returns the columns of the file that the sample ends with: those that can be read, with their types, and the others, in the file's order.
func Columns(sample []byte) (*arrow.Schema, []Unread, error) {
	f, err := readFooter(bytes.NewReader(sample), int64(len(sample)))
	if err != nil {
		return nil, nil, err
	}
	var fields []arrow.Field
	var others []Unread
	err = guarded(func() error {
		root := f.Schema.Root()
		for i := range root.NumFields() {
			n := root.Field(i)
			if t := typeOf(n); t != nil {
				fields = append(fields, arrow.Field{Name: n.Name(), Type: t, Nullable: n.RepetitionType() == parquet.Repetitions.Optional})
			} else {
				others = append(others, Unread{n.Name(), describe(n)})
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return arrow.NewSchema(fields, nil), others, nil
}

package parquet

import (
	"bytes"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/parquet"

	"github.com/wasmill/wasmill/engine/fault"
)

// infer returns the schema of the file that the sample ends with.
func infer(sample []byte) (*arrow.Schema, error) {
	f, err := readFooter(bytes.NewReader(sample), int64(len(sample)))
	if err != nil {
		return nil, err
	}
	var fields []arrow.Field
	err = guarded(func() error {
		root := f.Schema.Root()
		var faults fault.List
		for i := range root.NumFields() {
			n := root.Field(i)
			t := typeOf(n)
			if t == nil {
				faults.Add(fault.Unsupported, "column "+n.Name(), "%s cannot be read from Parquet", describe(n)).Hint = "declare a schema without it"
				continue
			}
			fields = append(fields, arrow.Field{Name: n.Name(), Type: t, Nullable: n.RepetitionType() == parquet.Repetitions.Optional})
		}
		return faults.Err()
	})
	if err != nil {
		return nil, err
	}
	return arrow.NewSchema(fields, nil), nil
}

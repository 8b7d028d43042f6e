package parquet

import (
	"bytes"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"

	"github.com/wasmill/wasmill/engine/fault"
)

// infer returns the schema of the file that the sample ends with.
func infer(sample []byte) (s *arrow.Schema, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, broken(p)
		}
	}()
	sample = bytes.TrimSuffix(sample, []byte("\n"))
	if f := checkFooter(sample); f != nil {
		return nil, f
	}
	r, err := file.NewParquetReader(bytes.NewReader(sample))
	if err != nil {
		return nil, unreadable(err)
	}
	root := r.MetaData().Schema.Root()
	var faults fault.List
	fields := make([]arrow.Field, root.NumFields())
	for i := range fields {
		n := root.Field(i)
		fields[i] = arrow.Field{Name: n.Name(), Type: typeOf(n), Nullable: n.RepetitionType() == parquet.Repetitions.Optional}
		if fields[i].Type == nil {
			faults.Add(fault.Unsupported, "column "+n.Name(), "%s cannot be read from Parquet", describe(n)).Hint = "declare a schema without it"
		}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return arrow.NewSchema(fields, nil), nil
}

package parquet

import (
	"bytes"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
	pqschema "github.com/apache/arrow/go/v15/parquet/schema"

	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// window is how many rows of all columns are decoded at once.
const window = 1024

// reader goes through the rows of a file.
type reader struct {
	file   *file.Reader
	size   int64
	total  int // rows
	group  int // the next row group
	left   int64
	leaves []*leaf
	absent []*column.Column
	in     int // rows decoded and not taken
}

// open opens a file whose footer was checked, for the columns given.
func open(data []byte, columns []*column.Column) (*reader, error) {
	properties := parquet.NewReaderProperties(limited{memory.DefaultAllocator})
	properties.BufferedStreamEnabled = true // pages one by one, and no memory by what the footer says of their sum
	f, err := file.NewParquetReader(bytes.NewReader(data), file.WithReadProps(properties))
	if err != nil {
		return nil, err
	}
	r := &reader{file: f, size: int64(len(data)), total: int(f.NumRows())}
	root := f.MetaData().Schema.Root()
	for _, c := range columns {
		at := -1
		for i := range root.NumFields() {
			if root.Field(i).Name() != c.Name {
				continue
			}
			if at >= 0 {
				return nil, fault.New(fault.Schema, "the name `%s` occurs twice", c.Name)
			}
			at = i
		}
		switch {
		case at < 0 && !c.Nullable:
			return nil, fault.New(fault.Schema, "expected %s, got no such column", schema.Format(c.Type)).At("column %s", c.Path)
		case at < 0:
			r.absent = append(r.absent, c)
			continue
		}
		l, f := newLeaf(f.MetaData().Schema, root.Field(at), c)
		if f != nil {
			return nil, f
		}
		r.leaves = append(r.leaves, l)
	}
	return r, nil
}

// newLeaf checks a column of the file against the one that it goes to.
func newLeaf(s *pqschema.Schema, n pqschema.Node, c *column.Column) (*leaf, *fault.Fault) {
	t := typeOf(n)
	if t == nil {
		return nil, fault.New(fault.Schema, "expected %s, got %s, which cannot be read from Parquet", schema.Format(c.Type), describe(n)).At("column %s", c.Path)
	}
	if !fits(t, c.Type) {
		return nil, fault.New(fault.Schema, "expected %s, got %s", schema.Format(c.Type), schema.Format(t)).At("column %s", c.Path)
	}
	l := &leaf{to: c, typ: t, at: s.ColumnIndexByName(n.Name()), defs: make([]int16, window)}
	if l.at < 0 {
		return nil, fault.New(fault.Decode, "the schema of the Parquet file is damaged").At("column %s", c.Path)
	}
	l.optional = n.RepetitionType() == parquet.Repetitions.Optional
	l.into = c
	if c.ID == arrow.DICTIONARY {
		l.into = c.Children[0]
	}
	return l, nil
}

// describe names a type that Arrow has no column for here.
func describe(n pqschema.Node) string {
	if n.Type() == pqschema.Group {
		return "a group of columns"
	}
	if n.RepetitionType() == parquet.Repetitions.Repeated {
		return "a repeated column"
	}
	return n.LogicalType().String()
}

// fill decodes rows when there are none left, and returns how many there are; 0 at the end.
func (r *reader) fill() (int, error) {
	for r.in == 0 {
		if r.left == 0 {
			if r.group == r.file.NumRowGroups() {
				return 0, nil
			}
			if err := r.openGroup(); err != nil {
				return 0, err
			}
			continue
		}
		n := int(min(r.left, window))
		for _, l := range r.leaves {
			if f := l.read(n); f != nil {
				return 0, f
			}
		}
		r.in, r.left = n, r.left-int64(n)
	}
	return r.in, nil
}

func (r *reader) openGroup() error {
	g := r.file.RowGroup(r.group)
	r.group++
	if r.left = g.NumRows(); r.left < 0 {
		return fault.New(fault.Decode, "expected a row group of 0 rows at least, got %d", r.left)
	}
	if len(r.leaves) == 0 && r.left > 1<<31 { // no column's data says how many there are
		return fault.New(fault.Decode, "expected a row group of at most %d rows, got %d", 1<<31, r.left)
	}
	for _, l := range r.leaves {
		if l.at >= g.NumColumns() {
			return fault.New(fault.Decode, "row group %d has %d columns, which is less than the schema", r.group-1, g.NumColumns())
		}
		m, err := g.MetaData().ColumnChunk(l.at)
		if err != nil {
			return err
		}
		start, size := m.DataPageOffset(), m.TotalCompressedSize()
		if d := m.DictionaryPageOffset(); m.HasDictionaryPage() && d > 0 && d < start {
			start = d
		}
		if start < 0 || size < 0 || start > r.size || size > r.size-start {
			return fault.New(fault.Decode, "expected pages within the file of %d bytes, got %d bytes at byte %d", r.size, size, start).At("column %s", l.to.Path)
		}
		chunk, err := g.Column(l.at)
		if err != nil {
			return err
		}
		l.chunk = chunk
	}
	return nil
}

// rowText returns how many bytes of text the next row has.
func (r *reader) rowText() int {
	n := 0
	for _, l := range r.leaves {
		n += l.text()
	}
	return n
}

// row appends the next row, all of whose columns get a value.
func (r *reader) row() *fault.Fault {
	for _, l := range r.leaves {
		if f := l.append(); f != nil {
			return f
		}
	}
	for _, c := range r.absent {
		c.AppendNull()
	}
	r.in--
	return nil
}

package parquet

import (
	"io"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"
	pqschema "github.com/apache/arrow/go/v15/parquet/schema"

	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// window is how many rows of a column are decoded at once.
const window = 1024

// reader gives the rows of a file, from any row on.
type reader struct {
	in     io.ReaderAt
	size   int64
	footer *footer
	leaves []*leaf
	absent []*column.Column
	shared shared
	pool   sync.Pool

	next  int64 // the row that comes next
	group int   // that is open, -1 for none
}

// open opens a file for the columns given.
func open(in io.ReaderAt, size int64, columns []*column.Column) (*reader, error) {
	f, err := readFooter(in, size)
	if err != nil {
		return nil, err
	}
	r := &reader{in: in, size: size, footer: f, group: -1}
	r.pool.New = func() any { return memory.NewResizableBuffer(memory.DefaultAllocator) }
	return r, guarded(func() error { return r.match(columns) })
}

// match finds the columns in the file.
func (r *reader) match(columns []*column.Column) error {
	root := r.footer.Schema.Root()
	nodes := make(map[string][]int, root.NumFields()) // by name
	first := make([]int, root.NumFields())            // of the columns below, in the file's order
	for i, at := 0, 0; i < root.NumFields(); i++ {
		nodes[root.Field(i).Name()] = append(nodes[root.Field(i).Name()], i)
		first[i] = at
		at += leavesBelow(root.Field(i))
	}
	var faults fault.List
	for _, c := range columns {
		found := nodes[c.Name]
		switch {
		case len(found) > 1:
			faults.Add(fault.Schema, "column "+c.Path, "the name `%s` occurs twice", c.Name)
		case len(found) == 0 && !c.Nullable:
			faults.Add(fault.Schema, "column "+c.Path, "expected %s, got no such column", schema.Format(c.Type))
		case len(found) == 0:
			r.absent = append(r.absent, c)
		default:
			l, f := newLeaf(root.Field(found[0]), c)
			if f != nil {
				faults.Append(f)
				continue
			}
			l.at = first[found[0]]
			r.leaves = append(r.leaves, l)
		}
	}
	return faults.Err()
}

func leavesBelow(n pqschema.Node) int {
	g, ok := n.(*pqschema.GroupNode)
	if !ok {
		return 1
	}
	count := 0
	for i := range g.NumFields() {
		count += leavesBelow(g.Field(i))
	}
	return count
}

// newLeaf checks a column of the file against the one that it goes to.
func newLeaf(n pqschema.Node, c *column.Column) (*leaf, *fault.Fault) {
	t := typeOf(n)
	if t == nil {
		return nil, fault.New(fault.Schema, "expected %s, got %s, which cannot be read from Parquet", schema.Format(c.Type), describe(n)).At("column %s", c.Path)
	}
	if !fits(t, c.Type) {
		return nil, fault.New(fault.Schema, "expected %s, got %s", schema.Format(c.Type), schema.Format(t)).At("column %s", c.Path)
	}
	l := &leaf{to: c, into: c, typ: t, defs: make([]int16, window)}
	l.optional = n.RepetitionType() == parquet.Repetitions.Optional
	if c.ID == arrow.DICTIONARY {
		l.into = c.Children[0]
	}
	return l, nil
}

// describe names what has no Arrow type here.
func describe(n pqschema.Node) string {
	if n.Type() == pqschema.Group {
		return "a group of columns"
	}
	if n.RepetitionType() == parquet.Repetitions.Repeated {
		return "a repeated column"
	}
	return n.LogicalType().String()
}

// seek goes to a row.
func (r *reader) seek(row int64) error {
	if row < 0 || row >= r.footer.rows() {
		return fault.New(fault.State, "expected one of %d rows, got row %d", r.footer.rows(), row)
	}
	g := r.footer.group(row)
	if row == r.next && g == r.group {
		return nil
	}
	begin := int64(0)
	if g > 0 {
		begin = r.footer.ends[g-1]
	}
	if g != r.group || row < r.next {
		r.group = -1
		if err := r.openGroup(g); err != nil {
			return err
		}
		r.group, r.next = g, begin
	}
	for r.next < row {
		n, err := r.fill(row - r.next)
		if err != nil {
			r.group = -1
			return err
		}
		for _, l := range r.leaves {
			l.skip(n)
		}
		r.next += int64(n)
	}
	return nil
}

// fill decodes rows of the group that is open, and returns how many are there in all columns, at most so many.
func (r *reader) fill(most int64) (int, error) {
	n := int(min(most, window))
	for _, l := range r.leaves {
		there, err := l.fill()
		if err != nil {
			return 0, err
		}
		n = min(n, there)
	}
	return n, nil
}

func (r *reader) openGroup(at int) error {
	g := r.footer.RowGroup(at)
	for _, l := range r.leaves {
		if l.pages != nil {
			l.pages.close()
		}
		if l.at >= g.NumColumns() {
			return fault.New(fault.Decode, "row group %d has %d columns, which is less than the schema", at, g.NumColumns())
		}
		m, err := g.ColumnChunk(l.at)
		if err != nil {
			return err
		}
		start, size := m.DataPageOffset(), m.TotalCompressedSize()
		if d := m.DictionaryPageOffset(); m.HasDictionaryPage() && d > 0 && d < start {
			start = d
		}
		descr := r.footer.Schema.Column(l.at)
		switch {
		case m.CryptoMetadata() != nil:
			return fault.New(fault.Unsupported, "encrypted columns cannot be read").At("column %s", l.to.Path)
		case m.FilePath() != "":
			return fault.New(fault.Unsupported, "columns in other files cannot be read").At("column %s", l.to.Path)
		case m.Type() != descr.PhysicalType():
			return fault.New(fault.Decode, "expected %s in row group %d, got %s", descr.PhysicalType(), at, m.Type()).At("column %s", l.to.Path)
		case m.NumValues() != g.NumRows():
			return fault.New(fault.Decode, "expected %d values in row group %d, got %d", g.NumRows(), at, m.NumValues()).At("column %s", l.to.Path)
		case start < 0 || size < 0 || start > r.size || size > r.size-start:
			return fault.New(fault.Decode, "expected pages within the file of %d bytes, got %d bytes at byte %d", r.size, size, start).At("column %s", l.to.Path)
		}
		l.pages = &pages{
			shared: &r.shared, in: r.in, at: start, end: start + size, how: m.Compression(), optional: l.optional, left: m.NumValues(), dict: -1,
		}
		l.chunk = file.NewColumnReader(descr, l.pages, limited{memory.DefaultAllocator}, &r.pool)
		l.rows, l.row = 0, 0
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

// row appends the next row, all of whose columns get a value, unless there is a fault. It is passed over all the same.
func (r *reader) row() *fault.Fault {
	var bad *fault.Fault
	for _, l := range r.leaves {
		if bad != nil {
			l.skip(1)
		} else {
			bad = l.append()
		}
	}
	r.next++
	if bad != nil {
		return bad
	}
	for _, c := range r.absent {
		c.AppendNull()
	}
	return nil
}

func (r *reader) close() {
	r.shared.close()
}

package arrowabi

import (
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
)

// Recheck checks those columns of rec again that lie in the guest's memory: offsets, validity and dictionary indices,
// which a hostile guest may have changed since rec was built or imported. Afterwards, and until the guest is entered
// again, Arrow may read them. It does not allocate unless it fails. It returns a [fault.BadArray] fault at the position
// where.
func Recheck(space Space, rec arrow.Record, where string) error {
	for i, c := range rec.Columns() {
		if f := recheck(space, c.Data()); f != nil {
			return f.In("column %s", quote(rec.ColumnName(i))).In("%s", where)
		}
	}
	return nil
}

// recheck walks an array of any type. Lengths, and the bounds of buffers, are Go's own and still hold; only what the
// buffers say may have changed.
func recheck(space Space, d arrow.ArrayData) *fault.Fault {
	k, width, _ := layout(d.DataType())
	buffers := d.Buffers()
	var validity []byte
	if k != kindNull && len(buffers) > 0 && buffers[0] != nil && buffers[0].Len() > 0 {
		validity = buffers[0].Bytes()
		if want := d.NullN(); want >= 0 && inside(space, buffers[0]) {
			if got := countNulls(validity, d.Offset(), d.Len()); got != want {
				return fault.New(fault.BadArray, "expected %d nulls as before the call, got %d", want, got).At("validity")
			}
		}
	}
	switch {
	case d.Len() == 0:
	case (k == kindBytes || k == kindList) && inside(space, buffers[1]):
		limit := int64(0)
		if k == kindList {
			limit = int64(d.Children()[0].Len())
		} else if buffers[2] != nil {
			limit = int64(buffers[2].Len())
		}
		b := buffers[1].Bytes()[d.Offset()*width : (d.Offset()+d.Len()+1)*width]
		if _, f := checkOffsets(b, width, limit); f != nil {
			return f
		}
	case d.DataType().ID() == arrow.DICTIONARY && inside(space, buffers[1]):
		if f := checkIndices(d.DataType(), buffers[1].Bytes(), validity, d.Offset(), d.Len(), d.Dictionary().Len()); f != nil {
			return f
		}
	}
	for i, c := range d.Children() {
		if f := recheck(space, c); f != nil {
			return f.In("%s", childName(d.DataType(), i))
		}
	}
	if d.DataType().ID() == arrow.DICTIONARY && d.Len() > 0 {
		if f := recheck(space, d.Dictionary()); f != nil {
			return f.In("dictionary")
		}
	}
	return nil
}

func inside(space Space, b *memory.Buffer) bool {
	if b == nil {
		return false
	}
	_, ok := space.Contains(b.Bytes())
	return ok
}

// childName is the name that an import gives the i-th child of a type.
func childName(t arrow.DataType, i int) string {
	switch t := t.(type) {
	case *arrow.MapType:
		return "entries"
	case *arrow.ListType:
		return quote(t.ElemField().Name)
	case *arrow.StructType:
		return quote(t.Field(i).Name)
	}
	return "child " + strconv.Itoa(i)
}

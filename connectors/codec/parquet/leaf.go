package parquet

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/file"

	"github.com/wasmill/wasmill/connectors/codec/column"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// leaf is a column of the file and where it goes.
type leaf struct {
	to       *column.Column
	into     *column.Column // of a dictionary its values, else to
	typ      arrow.DataType
	at       int // among the file's columns
	optional bool
	pages    *pages
	chunk    file.ColumnChunkReader

	// The window: rows of one page, a level for each row, 1 where there is a value, and the values. Bytes lie in the page.
	rows, row, value int

	defs   []int16
	ints   []int64
	bools  []bool
	bytes  []parquet.ByteArray
	raw32  []int32
	rawF32 []float32
	rawF64 []float64
	raw96  []parquet.Int96
	rawFLB []parquet.FixedLenByteArray
}

func room[T any](s *[]T, n int) []T {
	if *s == nil {
		*s = make([]T, window)
	}
	return (*s)[:n]
}

// fill decodes rows where all are taken, and returns how many are there: at least one.
func (l *leaf) fill() (int, error) {
	if l.row < l.rows {
		return l.rows - l.row, nil
	}
	for l.pages.rest == 0 {
		if !l.chunk.HasNext() && l.pages.rest == 0 {
			if err := l.chunk.Err(); err != nil {
				return 0, unreadable(err).At("column %s", l.to.Path)
			}
			if l.pages.left == 0 {
				return 0, fault.New(fault.Decode, "expected a value for each row, got less").At("column %s", l.to.Path)
			}
		}
	}
	n := min(l.pages.rest, window)
	l.pages.rest -= n // before reading, which goes on to the next page
	if f := l.read(n); f != nil {
		return 0, f
	}
	l.rows = n
	return n, nil
}

// skip passes over n of the rows that are there.
func (l *leaf) skip(n int) {
	for ; n > 0; n-- {
		if !l.null() {
			l.value++
		}
		l.row++
	}
}

// read decodes the next n rows of a page.
func (l *leaf) read(n int) *fault.Fault {
	l.row, l.rows, l.value = 0, 0, 0
	defs := l.defs[:n]
	var rows int64
	var values int
	var err error
	switch c := l.chunk.(type) {
	case *file.BooleanColumnChunkReader:
		rows, values, err = c.ReadBatch(int64(n), room(&l.bools, n), defs, nil)
	case *file.Int32ColumnChunkReader:
		rows, values, err = c.ReadBatch(int64(n), room(&l.raw32, n), defs, nil)
		ints := room(&l.ints, n)
		for i := range min(values, n) {
			ints[i] = int64(l.raw32[i])
		}
	case *file.Int64ColumnChunkReader:
		rows, values, err = c.ReadBatch(int64(n), room(&l.ints, n), defs, nil)
	case *file.Int96ColumnChunkReader:
		rows, values, err = c.ReadBatch(int64(n), room(&l.raw96, n), defs, nil)
		ints := room(&l.ints, n)
		for i := range min(values, n) {
			ints[i] = int96(l.raw96[i])
		}
	case *file.Float32ColumnChunkReader:
		rows, values, err = c.ReadBatch(int64(n), room(&l.rawF32, n), defs, nil)
	case *file.Float64ColumnChunkReader:
		rows, values, err = c.ReadBatch(int64(n), room(&l.rawF64, n), defs, nil)
	case *file.ByteArrayColumnChunkReader:
		rows, values, err = c.ReadBatch(int64(n), room(&l.bytes, n), defs, nil)
	case *file.FixedLenByteArrayColumnChunkReader:
		rows, values, err = c.ReadBatch(int64(n), room(&l.rawFLB, n), defs, nil)
		all := room(&l.bytes, n)
		for i := range min(values, n) {
			all[i] = parquet.ByteArray(l.rawFLB[i])
		}
	default:
		return fault.New(fault.Unsupported, "type %s cannot be read", l.chunk.Type()).At("column %s", l.to.Path)
	}
	if err == nil {
		err = l.chunk.Err()
	}
	if err != nil {
		return unreadable(err).At("column %s", l.to.Path)
	}
	want := n
	if l.optional {
		want = 0
		for _, d := range defs[:min(int(rows), n)] {
			want += int(d & 1)
		}
	}
	if rows != int64(n) || values != want {
		return fault.New(fault.Decode, "expected %d rows with %d values, got %d with %d", n, want, rows, values).At("column %s", l.to.Path)
	}
	return nil
}

// int96 is nanoseconds since 1970 of what old writers store: nanoseconds of the day, and the Julian day.
func int96(v parquet.Int96) int64 {
	const epoch, day = 2440588, 86400 * 1000000000
	return (int64(binary.LittleEndian.Uint32(v[8:]))-epoch)*day + int64(binary.LittleEndian.Uint64(v[:8]))
}

func (l *leaf) null() bool { return l.optional && l.defs[l.row] == 0 }

// text returns how many bytes of variable length the next value has.
func (l *leaf) text() int {
	if l.typ.ID() != arrow.STRING && l.typ.ID() != arrow.BINARY || l.null() {
		return 0
	}
	return len(l.bytes[l.value])
}

// append appends the next value. It is passed over also where there is a fault.
func (l *leaf) append() *fault.Fault {
	null := l.null()
	l.row++
	if null {
		if !l.to.Nullable {
			return fault.New(fault.Decode, "expected %s, got null", schema.FormatNullable(l.to.Type, false)).At("column %s", l.to.Path)
		}
		l.to.AppendNull()
		return nil
	}
	i := l.value
	l.value++
	c := l.into
	ok := true
	switch l.typ.ID() {
	case arrow.BOOL:
		c.AppendBool(l.bools[i])
	case arrow.UINT8, arrow.UINT16, arrow.UINT32:
		ok = c.AppendUint(uint64(uint32(l.ints[i])))
	case arrow.UINT64:
		ok = c.AppendUint(uint64(l.ints[i]))
	case arrow.FLOAT32:
		c.AppendFloat32(l.rawF32[i])
	case arrow.FLOAT64:
		c.AppendFloat64(l.rawF64[i])
	case arrow.DECIMAL128:
		return l.decimal(i)
	case arrow.STRING, arrow.BINARY, arrow.FIXED_SIZE_BINARY:
		if l.typ.ID() == arrow.STRING && !utf8.Valid(l.bytes[i]) {
			return fault.New(fault.Decode, "expected UTF-8, got %q", clip(l.bytes[i])).At("column %s", l.to.Path)
		}
		ok = c.AppendBytes(l.bytes[i])
	default:
		ok = c.AppendInt(l.ints[i])
	}
	if ok && l.to != l.into {
		ok = l.to.EndValue()
	}
	if !ok {
		return fault.New(fault.Decode, "expected %s, got a value that does not fit", schema.Format(l.to.Type)).At("column %s", l.to.Path)
	}
	return nil
}

// decimal appends an unscaled value, which is an integer, or bytes in two's complement with the highest first.
func (l *leaf) decimal(i int) *fault.Fault {
	switch l.chunk.Type() {
	case parquet.Types.Int32, parquet.Types.Int64:
		l.into.AppendDecimal(l.ints[i]>>63, uint64(l.ints[i]))
	default:
		b := l.bytes[i]
		hi, lo := int64(0), uint64(0)
		if len(b) > 0 && b[0] >= 0x80 {
			hi, lo = -1, math.MaxUint64
		}
		for _, v := range b {
			if hi>>55 != 0 && hi>>55 != -1 {
				return fault.New(fault.Decode, "expected %s, got a value of more than 128 bits", schema.Format(l.typ)).At("column %s", l.to.Path)
			}
			hi, lo = hi<<8|int64(lo>>56), lo<<8|uint64(v)
		}
		l.into.AppendDecimal(hi, lo)
	}
	if l.to != l.into && !l.to.EndValue() {
		return fault.New(fault.Decode, "expected %s, got a value that does not fit", schema.Format(l.to.Type)).At("column %s", l.to.Path)
	}
	return nil
}

func clip(b []byte) []byte { return b[:min(len(b), 40)] }

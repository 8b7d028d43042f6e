package column

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec/text"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// form is how a column's values are written as text.
type form struct {
	unit             arrow.TimeUnit
	utc              bool // a timestamp without offset is one of UTC
	precision, scale int
}

func formOf(t arrow.DataType) form {
	switch t := t.(type) {
	case *arrow.Time32Type:
		return form{unit: t.Unit}
	case *arrow.Time64Type:
		return form{unit: t.Unit}
	case *arrow.TimestampType:
		return form{unit: t.Unit, utc: text.IsUTC(t.TimeZone) || t.TimeZone == ""}
	case *arrow.Decimal128Type:
		return form{precision: int(t.Precision), scale: int(t.Scale)}
	}
	return form{}
}

// strict64 is base64 that has one text only for the same bytes.
var strict64 = base64.StdEncoding.Strict()

// AppendText appends the value that a text stands for, as the documentation of the formats has it: decimal numbers,
// "true" and "false", dates and times of RFC 3339, base64 for binary. That text for utf8 is valid is for the caller to
// know. It appends nothing when there is a problem, and is not for nested types.
func (c *Column) AppendText(b []byte) text.Problem {
	switch c.ID {
	case arrow.STRING, arrow.LARGE_STRING:
		return c.fit(c.AppendBytes(b), text.TooMuch)
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.DURATION:
		v, p := text.Int(b)
		if p != text.OK {
			return p
		}
		return c.fit(c.AppendInt(v), text.Range)
	case arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		v, p := text.Uint(b)
		if p != text.OK {
			if i, q := text.Int(b); q == text.OK && i <= 0 || q == text.Range {
				if p = text.Range; i == 0 && q == text.OK {
					return c.fit(c.AppendUint(0), text.Range)
				}
			}
			return p
		}
		return c.fit(c.AppendUint(v), text.Range)
	case arrow.FLOAT64:
		v, p := text.Float64(b)
		if p == text.OK {
			c.AppendFloat64(v)
		}
		return p
	case arrow.FLOAT32:
		v, p := text.Float32(b)
		if p == text.OK {
			c.AppendFloat32(v)
		}
		return p
	case arrow.BOOL:
		switch string(b) {
		case "true", "True", "TRUE":
			c.AppendBool(true)
		case "false", "False", "FALSE":
			c.AppendBool(false)
		default:
			return text.Malformed
		}
		return text.OK
	case arrow.DATE32:
		v, p := text.Date(b)
		if p != text.OK {
			return p
		}
		return c.fit(c.AppendInt(int64(v)), text.Range)
	case arrow.TIME32, arrow.TIME64:
		v, p := text.Time(b, c.form.unit)
		if p != text.OK {
			return p
		}
		return c.fit(c.AppendInt(v), text.Range)
	case arrow.TIMESTAMP:
		v, p := text.Timestamp(b, c.form.unit, c.form.utc)
		if p != text.OK {
			return p
		}
		return c.fit(c.AppendInt(v), text.Range)
	case arrow.DECIMAL128:
		hi, lo, p := text.Decimal(b, c.form.precision, c.form.scale)
		if p == text.OK {
			c.AppendDecimal(hi, lo)
		}
		return p
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY:
		return c.appendBase64(b)
	case arrow.DICTIONARY:
		if p := c.Children[0].AppendText(b); p != text.OK {
			return p
		}
		return c.fit(c.EndValue(), text.Values)
	}
	return text.Malformed
}

// AppendUnits appends an integer in the unit of a date, time or timestamp, written in decimal.
func (c *Column) AppendUnits(b []byte) text.Problem {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch c.ID {
	case arrow.DATE32, arrow.TIMESTAMP:
	case arrow.TIME32, arrow.TIME64:
		low, high = 0, 86400*text.PerSecond(c.form.unit)-1
	default:
		return text.Malformed
	}
	v, p := text.Int(b)
	if p != text.OK {
		return p
	}
	return c.fit(v >= low && v <= high && c.AppendInt(v), text.Range)
}

func (c *Column) fit(ok bool, otherwise text.Problem) text.Problem {
	if ok {
		return text.OK
	}
	return otherwise
}

// appendBase64 decodes where the value stays.
func (c *Column) appendBase64(b []byte) text.Problem {
	if len(b)%4 != 0 || bytes.IndexByte(b, '\n') >= 0 || bytes.IndexByte(b, '\r') >= 0 { // the library passes over line ends
		return text.Malformed
	}
	size := len(b) / 4 * 3
	for i := len(b); i > 0 && i > len(b)-2 && b[i-1] == '='; i-- {
		size--
	}
	if c.offset == 0 {
		if size != c.width {
			return text.Size
		}
		if c.n == c.room {
			c.grow()
		}
		to := c.fixed.b[c.n*size : (c.n+1)*size]
		if m, err := strict64.Decode(to, b); err != nil || m != size {
			return text.Malformed
		}
		c.slot()
		return text.OK
	}
	end := c.used + size
	if end > len(c.bytes.b) && !c.growBytes(end) {
		return text.TooMuch
	}
	if m, err := strict64.Decode(c.bytes.b[c.used:end], b); err != nil || m != size {
		return text.Malformed
	}
	i := c.slot()
	c.used = end
	c.setEnd(i+1, end)
	return text.OK
}

// Refused returns the fault of code Decode for a value that AppendText did not take. Quoted says that value is text that
// stood in quotes.
func (c *Column) Refused(value []byte, quoted bool, p text.Problem) *fault.Fault {
	got := text.Short(value)
	if quoted {
		got = strconv.Quote(got)
	}
	if p != text.Malformed {
		got += ", " + string(p)
	}
	return fault.New(fault.Decode, "expected %s, got %s", schema.Format(c.Type), got).At("column %s", c.Path)
}

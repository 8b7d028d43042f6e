package csv

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/wasmill/wasmill/engine/fault"
)

// field is one field of a record: where its text is, without the quotes.
type field struct {
	from, to int
	quoted   bool
	doubled  bool // holds quotes written twice
}

// scanner finds the fields of a record.
type scanner struct {
	delimiter byte
	fields    []field
	// open is set when a record was bad because a quote was not closed, which more data might do.
	open bool
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// record finds the fields of the record at the beginning of s and returns where the next one begins. When there is
// something wrong it returns that, and then end is 0.
func (d *scanner) record(s []byte) (end int, f *fault.Fault) {
	d.fields, d.open = d.fields[:0], false
	for p := 0; ; {
		if p < len(s) && s[p] == '"' {
			x, next, f := d.quotedField(s, p)
			if f != nil {
				return 0, f
			}
			d.fields = append(d.fields, x)
			p = next
		} else {
			from := p
			p = d.plain(s, p)
			to := p
			if p < len(s) && s[p] == '"' {
				return 0, fault.New(fault.Decode, "expected no quote in a field that does not begin with one").At("byte %d", p)
			}
			if to > from && s[to-1] == '\r' && (p == len(s) || s[p] == '\n') {
				to--
			}
			d.fields = append(d.fields, field{from: from, to: to})
		}
		if p == len(s) {
			return p, nil
		}
		p++
		if s[p-1] == '\n' {
			return p, nil
		}
	}
}

// plain returns where the delimiter, line end or quote is that ends the field at p.
func (d *scanner) plain(s []byte, p int) int {
	delimiters := ones * uint64(d.delimiter)
	for p+8 <= len(s) {
		w := binary.LittleEndian.Uint64(s[p:])
		x, y, z := w^delimiters, w^ones*'\n', w^ones*'"'
		// The lowest byte found is right, see the scanner of json.
		found := ((x-ones)&^x | (y-ones)&^y | (z-ones)&^z) & highs
		if found != 0 {
			return p + bits.TrailingZeros64(found)>>3
		}
		p += 8
	}
	for p < len(s) && s[p] != d.delimiter && s[p] != '\n' && s[p] != '"' {
		p++
	}
	return p
}

// quotedField reads a field in quotes at p and returns where the delimiter or LF behind it is, or the end.
func (d *scanner) quotedField(s []byte, p int) (field, int, *fault.Fault) {
	f := field{from: p + 1, quoted: true}
	p++
	for {
		i := bytes.IndexByte(s[p:], '"')
		if i < 0 {
			d.open = true
			return f, 0, fault.New(fault.Decode, "expected a closing quote, got the end").At("byte %d", len(s))
		}
		p += i + 1
		if p < len(s) && s[p] == '"' {
			f.doubled = true
			p++
			continue
		}
		f.to = p - 1
		if p < len(s) && s[p] == '\r' && (p+1 == len(s) || s[p+1] == '\n') {
			p++
		}
		if p < len(s) && s[p] != d.delimiter && s[p] != '\n' {
			return f, 0, fault.New(fault.Decode, "expected %q or the line's end behind a closing quote, got %s", d.delimiter, quoted(s[p])).At("byte %d", p)
		}
		return f, p, nil
	}
}

func quoted(c byte) string {
	if c < 0x80 {
		return fmt.Sprintf("%q", c)
	}
	return fmt.Sprintf("byte 0x%02x", c)
}

// cut returns how many bytes at the beginning of data are whole records, see codec.Format.
func cut(data []byte, delimiter byte) int {
	d := scanner{delimiter: delimiter}
	whole := 0
	if bytes.HasPrefix(data, byteOrderMark) {
		whole = len(byteOrderMark)
	}
	for whole < len(data) {
		end, f := d.record(data[whole:])
		if f != nil {
			if i := bytes.IndexByte(data[whole:], '\n'); i >= 0 && !d.open {
				whole += i + 1
				continue
			}
			break
		}
		if data[whole+end-1] != '\n' {
			break
		}
		whole += end
	}
	if whole == len(byteOrderMark) && bytes.HasPrefix(data, byteOrderMark) {
		return 0
	}
	return whole
}

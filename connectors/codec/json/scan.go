package json

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf8"

	"github.com/wasmill/wasmill/connectors/codec/text"
	"github.com/wasmill/wasmill/engine/fault"
)

// scanner reads the tokens of one record. Methods return false when they find something wrong, and leave it in problem.
type scanner struct {
	s       []byte
	p       int // where in s the next token or white space begins
	problem *fault.Fault
	scratch []byte // what a string with escapes stands for
}

// space passes over white space.
func (d *scanner) space() {
	for d.p < len(d.s) {
		switch d.s[d.p] {
		case ' ', '\t', '\r', '\n':
			d.p++
		default:
			return
		}
	}
}

// spaceInLine is space up to the line's end.
func (d *scanner) spaceInLine() {
	for d.p < len(d.s) {
		switch d.s[d.p] {
		case ' ', '\t', '\r':
			d.p++
		default:
			return
		}
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// str reads the string whose opening quote is at p, and returns what it stands for, valid until the next call.
func (d *scanner) str() ([]byte, bool) {
	s := d.s
	start := d.p + 1
	i := start
	// Eight bytes at a time: those that are not plain text get their high bit set in special. A borrow may reach the byte
	// above such a one only, so the lowest is right, and no other is looked at.
	for i+8 <= len(s) {
		w := binary.LittleEndian.Uint64(s[i:])
		quote, escape := w^ones*'"', w^ones*'\\'
		special := ((quote-ones)&^quote | (escape-ones)&^escape | (w-ones*0x20)&^w | w) & highs
		if special != 0 {
			i += bits.TrailingZeros64(special) >> 3
			break
		}
		i += 8
	}
	for ; i < len(s); i++ {
		c := s[i]
		if c == '"' {
			d.p = i + 1
			return s[start:i], true
		}
		if c < 0x20 || c == '\\' || c >= utf8.RuneSelf {
			return d.strSlow(start, i)
		}
	}
	d.p = len(s)
	d.syntax("'\"' at the end of a string")
	return nil, false
}

// strSlow goes on at i, where there is an escape or something that is not ASCII.
func (d *scanner) strSlow(start, i int) ([]byte, bool) {
	s := d.s
	escaped, wide := false, false
	for i < len(s) && s[i] != '"' {
		switch c := s[i]; {
		case c == '\\':
			escaped = true
			i++
		case c < 0x20:
			d.p = i
			d.syntax("no control character in a string")
			return nil, false
		case c >= utf8.RuneSelf:
			wide = true
		}
		i++
	}
	if i >= len(s) {
		d.p = len(s)
		d.syntax("'\"' at the end of a string")
		return nil, false
	}
	raw := s[start:i]
	d.p = i + 1
	if wide && !utf8.Valid(raw) {
		d.p = start + text.InvalidAt(raw)
		d.syntax("valid UTF-8")
		return nil, false
	}
	if !escaped {
		return raw, true
	}
	return d.unescape(start, raw)
}

// unescape returns what raw, which is at start, stands for.
func (d *scanner) unescape(start int, raw []byte) ([]byte, bool) {
	out := d.scratch[:0]
	for i := 0; i < len(raw); {
		c := raw[i]
		if c != '\\' {
			out = append(out, c)
			i++
			continue
		}
		switch e := raw[i+1]; e { // a backslash is never the last: it would have hidden the closing quote
		case '"', '\\', '/':
			out = append(out, e)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, n := unicodeEscape(raw[i:])
			if n == 0 {
				d.p = start + i
				d.syntax("an escape \\uXXXX, in pairs for surrogates")
				return nil, false
			}
			out = utf8.AppendRune(out, r)
			i += n - 2
		default:
			d.p = start + i
			d.syntax("one of \" \\ / b f n r t u behind a backslash")
			return nil, false
		}
		i += 2
	}
	d.scratch = out
	return out, true
}

// unicodeEscape reads \uXXXX, or two of them for a surrogate pair, and returns what they took, 0 if they are not right.
func unicodeEscape(b []byte) (rune, int) {
	r, ok := hex4(b)
	if !ok || r>>10 == 0xdc00>>10 {
		return 0, 0
	}
	if r>>10 != 0xd800>>10 {
		return r, 6
	}
	low, ok := hex4(b[6:])
	if !ok || low>>10 != 0xdc00>>10 {
		return 0, 0
	}
	return 0x10000 + (r&0x3ff)<<10 + low&0x3ff, 12
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20-'a' < 6:
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 + rune(c)
	}
	return r, true
}

// num is a number as it was read: mantissa * 10^exp, exact if not long.
type num struct {
	text     []byte
	mantissa uint64
	exp      int
	negative bool
	integer  bool // neither fraction nor exponent
	long     bool // the mantissa has more digits than were taken
}

// number reads a number.
func (d *scanner) number(n *num) bool {
	s, i := d.s, d.p
	*n = num{integer: true}
	if i < len(s) && s[i] == '-' {
		n.negative = true
		i++
	}
	first := i
	var m uint64
	for i < len(s) && s[i]-'0' <= 9 {
		m = m*10 + uint64(s[i]-'0')
		i++
	}
	digits := i - first
	if digits == 0 {
		d.p = i
		return d.syntax("a digit")
	}
	if s[first] == '0' && digits > 1 {
		d.p = first + 1
		return d.syntax("no digit behind a leading 0")
	}
	if i < len(s) && s[i] == '.' {
		n.integer = false
		i++
		from := i
		for i < len(s) && s[i]-'0' <= 9 {
			m = m*10 + uint64(s[i]-'0')
			i++
		}
		if i == from {
			d.p = i
			return d.syntax("a digit behind the point")
		}
		n.exp = from - i
		digits += i - from
	}
	n.long = digits > 19 // 10^19 is below 2^64
	if i < len(s) && s[i]|0x20 == 'e' {
		n.integer = false
		i++
		negative := false
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			negative = s[i] == '-'
			i++
		}
		from, e := i, 0
		for i < len(s) && s[i]-'0' <= 9 {
			e = min(e*10+int(s[i]-'0'), 1_000_000)
			i++
		}
		if i == from {
			d.p = i
			return d.syntax("a digit in the exponent")
		}
		if negative {
			e = -e
		}
		n.exp += e
	}
	n.text, n.mantissa = s[d.p:i], m
	d.p = i
	return true
}

// unsigned returns an integer without its sign.
func (n *num) unsigned() (uint64, text.Problem) {
	if !n.long {
		return n.mantissa, text.OK
	}
	b := n.text
	if n.negative {
		b = b[1:]
	}
	return text.Uint(b)
}

// float returns the nearest number of size bits.
func (n *num) float(size int) (float64, text.Problem) {
	if size == 64 && !n.long {
		if v, ok := text.Exact(n.mantissa, n.exp); ok {
			if n.negative {
				v = -v
			}
			return v, text.OK
		}
	}
	v, err := strconv.ParseFloat(string(n.text), size)
	if err != nil {
		return 0, text.Range
	}
	return v, text.OK
}

// literal reads a word.
func (d *scanner) literal(word string) bool {
	if len(d.s)-d.p >= len(word) && string(d.s[d.p:d.p+len(word)]) == word {
		d.p += len(word)
		return true
	}
	return d.syntax("`" + word + "`")
}

// maxSkipDepth bounds how deep values nest that no column wants.
const maxSkipDepth = 512

// skip passes over a value of any kind.
func (d *scanner) skip(depth int) bool {
	d.space()
	if d.p >= len(d.s) {
		return d.syntax("a value")
	}
	switch open := d.s[d.p]; open {
	case '"':
		_, ok := d.str()
		return ok
	case 't':
		return d.literal("true")
	case 'f':
		return d.literal("false")
	case 'n':
		return d.literal("null")
	case '{', '[':
		if depth >= maxSkipDepth {
			return d.syntax("values that nest at most " + strconv.Itoa(maxSkipDepth) + " deep")
		}
		d.p++
		for first := true; ; first = false {
			more, ok := d.more(open+2, first)
			if !ok || !more {
				return ok
			}
			if open == '{' {
				if _, ok := d.name(); !ok {
					return false
				}
			}
			if !d.skip(depth + 1) {
				return false
			}
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		var n num
		return d.number(&n)
	}
	return d.syntax("a value")
}

// more reads what is in front of a member or item: a comma unless it is the first, or the closing bracket, in which
// case there are no more.
func (d *scanner) more(closing byte, first bool) (more, ok bool) {
	d.space()
	if d.p < len(d.s) {
		switch c := d.s[d.p]; {
		case c == closing:
			d.p++
			return false, true
		case first:
			return true, true
		case c == ',':
			d.p++
			d.space()
			return true, true
		}
	}
	return false, d.syntax("',' or '" + string(rune(closing)) + "'")
}

// name reads a member's name and the colon.
func (d *scanner) name() ([]byte, bool) {
	if d.p >= len(d.s) || d.s[d.p] != '"' {
		return nil, d.syntax("a name in quotes")
	}
	b, ok := d.str()
	if !ok {
		return nil, false
	}
	d.space()
	if d.p >= len(d.s) || d.s[d.p] != ':' {
		return nil, d.syntax("':' behind a name")
	}
	d.p++
	return b, true
}

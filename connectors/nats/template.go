package nats

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
)

// template is text with values of columns in it: `flights.{carrier}`. `{{` and `}}` stand for single braces. At the end `{column>}` takes a
// value of one or more parts with dots between.
type template struct {
	parts []part
}

// part is text, or the name of a column when column is set.
type part struct {
	text   string
	column bool
	many   bool // the column's value may have dots
}

// parseTemplate returns a plain error for braces that do not match.
func parseTemplate(s string) (template, error) {
	var t template
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			t.parts = append(t.parts, part{text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case (c == '{' || c == '}') && i+1 < len(s) && s[i+1] == c:
			text.WriteByte(c)
			i++
		case c == '{':
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return t, fmt.Errorf("`%s` has a `{` without a `}`", s)
			}
			name := strings.TrimSpace(s[i+1 : i+end])
			if name == "" || strings.ContainsRune(name, '{') {
				return t, fmt.Errorf("`%s` has no column's name between `{` and `}`", s)
			}
			flush()
			one, many := strings.CutSuffix(name, ">")
			if many && (one == "" || i+end+1 < len(s)) {
				return t, fmt.Errorf("`%s` has a `{%s}` that is not at the end", s, name)
			}
			t.parts = append(t.parts, part{text: one, column: true, many: many})
			i += end
		case c == '}':
			return t, fmt.Errorf("`%s` has a `}` without a `{`", s)
		default:
			text.WriteByte(c)
		}
	}
	flush()
	return t, nil
}

// fixed returns the text of a template without columns.
func (t template) fixed() (string, bool) {
	s := ""
	for _, p := range t.parts {
		if p.column {
			return "", false
		}
		s += p.text
	}
	return s, true
}

// wild says whether the text between columns has a wildcard.
func (t template) wild() bool {
	for _, p := range t.parts {
		if !p.column && strings.ContainsAny(p.text, "*>") {
			return true
		}
	}
	return false
}

// filter returns a filter for all subjects that the template can give: each token with a column is a `*`, with one of many parts a `>`.
func (t template) filter() string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.column {
			b.WriteByte(0)
		} else {
			b.WriteString(p.text)
		}
	}
	tokens := strings.Split(b.String(), ".")
	for i, token := range tokens {
		if strings.IndexByte(token, 0) >= 0 {
			tokens[i] = "*"
		}
	}
	if n := len(t.parts); n > 0 && t.parts[n-1].many {
		tokens[len(tokens)-1] = ">"
	}
	return strings.Join(tokens, ".")
}

// check returns faults for columns that are not there.
func (t template) check(faults *fault.List, where string, columns []string) {
	for _, p := range t.parts {
		known := !p.column
		for _, c := range columns {
			known = known || c == p.text
		}
		if !known {
			faults.Add(fault.Schema, where, "unknown column `%s`", p.text).Hint = fault.DidYouMean(p.text, columns)
		}
	}
}

// bound is a template with the columns of a batch.
type bound struct {
	parts  []part
	arrays []arrow.Array // nil for text
}

// bind finds the columns in rec. It keeps no reference: what it returns is good as long as rec.
func (t template) bind(rec arrow.Record, into *bound) error {
	into.parts, into.arrays = t.parts, into.arrays[:0]
	for _, p := range t.parts {
		if !p.column {
			into.arrays = append(into.arrays, nil)
			continue
		}
		at := rec.Schema().FieldIndices(p.text)
		if len(at) == 0 {
			return fault.New(fault.Schema, "unknown column `%s`", p.text)
		}
		into.arrays = append(into.arrays, rec.Column(at[0]))
	}
	return nil
}

// errNull is a column that has no value in the row.
type errNull struct{ column string }

func (e errNull) Error() string { return "column `" + e.column + "` is null" }

// append appends the text for a row. Check, where given, says what is wrong with a column's value, "" for nothing.
func (b *bound) append(dst []byte, row int, check func(value []byte) string) ([]byte, error) {
	for i, p := range b.parts {
		a := b.arrays[i]
		if a == nil {
			dst = append(dst, p.text...)
			continue
		}
		if a.IsNull(row) {
			return dst, errNull{p.text}
		}
		from := len(dst)
		dst = appendValue(dst, a, row)
		if what := p.check(dst[from:], check); what != "" {
			return dst, fmt.Errorf("column `%s` %s: %.60q", p.text, what, dst[from:])
		}
	}
	return dst, nil
}

// check says what is wrong with a column's value, "" for nothing.
func (p *part) check(value []byte, check func([]byte) string) string {
	if !p.many {
		return check(value)
	}
	for token := range bytes.SplitSeq(value, []byte{'.'}) {
		if what := check(token); what != "" {
			return what
		}
	}
	return ""
}

// appendValue appends a value as text.
func appendValue(dst []byte, a arrow.Array, row int) []byte {
	switch a := a.(type) {
	case *array.String:
		return append(dst, a.Value(row)...)
	case *array.LargeString:
		return append(dst, a.Value(row)...)
	case *array.Binary:
		return append(dst, a.Value(row)...)
	case *array.LargeBinary:
		return append(dst, a.Value(row)...)
	case *array.Int64:
		return strconv.AppendInt(dst, a.Value(row), 10)
	case *array.Int32:
		return strconv.AppendInt(dst, int64(a.Value(row)), 10)
	case *array.Dictionary:
		return appendValue(dst, a.Dictionary(), a.GetValueIndex(row))
	}
	return append(dst, a.ValueStr(row)...)
}

// inSubject says what is wrong with a value as part of a subject.
func inSubject(value []byte) string {
	if len(value) == 0 {
		return "is empty"
	}
	for _, c := range value {
		if c == '.' || c == '*' || c == '>' || notInSubject(rune(c)) {
			return "has a character that a subject cannot have"
		}
	}
	return ""
}

// inHeader says what is wrong with a value as a header's.
func inHeader(value []byte) string {
	for _, c := range value {
		if c == '\r' || c == '\n' {
			return "has a line end, which a header cannot have"
		}
	}
	return ""
}

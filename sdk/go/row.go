package wasmill

import (
	"reflect"
	"strings"
	"unsafe"
)

// field is a field of a struct that is a column.
type field struct {
	name   string
	offset uintptr
	codec  *codec
}

// row is a struct whose fields are columns, worked out once when a function is registered.
type row struct {
	goType  reflect.Type
	size    uintptr
	fields  []field
	sized   []field // those with bytes
	checked bool    // some field has a check
}

// compileRow panics with a text for the function's author when a field cannot be a column.
func compileRow(t reflect.Type, function string) *row {
	if t.Kind() != reflect.Struct {
		panic("wasmill: " + function + ": expected a struct for a row, got " + t.String())
	}
	r := &row{goType: t, size: t.Size()}
	names := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, text, _ := strings.Cut(f.Tag.Get("wasmill"), ",")
		if name == "-" || f.Type == reflect.TypeFor[Keyed]() || (!f.IsExported() && f.Tag.Get("wasmill") == "") {
			continue
		}
		where := "wasmill: " + function + ": " + t.String() + "." + f.Name
		if !f.IsExported() {
			panic(where + ": a column's field must be exported")
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		if names[name] {
			panic(where + ": there are two columns named " + name)
		}
		names[name] = true
		k := compileType(f.Type, strings.TrimSpace(text), where)
		r.fields = append(r.fields, field{name: name, offset: f.Offset, codec: k})
		if k.bytes != nil {
			r.sized = append(r.sized, r.fields[len(r.fields)-1])
		}
		r.checked = r.checked || k.check != nil
	}
	return r
}

// compileInput is compileRow for what a function reads.
func compileInput(t reflect.Type, function string) *row {
	r := compileRow(t, function)
	for _, f := range r.fields {
		if f.codec.pass && f.codec.text == "" {
			panic("wasmill: " + function + ": column " + f.name +
				": a Column of an input needs a tag with its type, as in `wasmill:\"carrier,utf8\"`")
		}
	}
	return r
}

// bytes returns how many bytes of text a row holds.
func (r *row) bytes(p unsafe.Pointer) int {
	n := 0
	for i := range r.sized {
		if f := &r.sized[i]; f.codec.plain {
			n += textBytes(unsafe.Add(p, f.offset))
		} else {
			n += f.codec.bytes(unsafe.Add(p, f.offset))
		}
	}
	return n
}

// total is the sum of bytes over n rows that lie behind each other.
func (r *row) total(rows unsafe.Pointer, n int) int {
	sum := 0
	for i := range r.sized {
		f, at := &r.sized[i], r.sized[i].offset
		for range n {
			if f.codec.plain {
				sum += textBytes(unsafe.Add(rows, at))
			} else {
				sum += f.codec.bytes(unsafe.Add(rows, at))
			}
			at += r.size
		}
	}
	return sum
}

// check returns what is wrong with a row that cannot be written, or "".
func (r *row) check(p unsafe.Pointer) string {
	for i := range r.fields {
		if f := &r.fields[i]; f.codec.check != nil {
			if fault := f.codec.check(unsafe.Add(p, f.offset)); fault != "" {
				return "column " + f.name + ": " + fault
			}
		}
	}
	return ""
}

package config

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
)

var (
	rawType         = reflect.TypeFor[json.RawMessage]()
	numberType      = reflect.TypeFor[json.Number]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
)

type decoder struct{ faults fault.List }

func (d *decoder) wrong(path, expected string, got any) {
	d.faults.Add(fault.Usage, path, "expected %s, got %s", expected, describe(got))
}

// value stores tree in v, or notes why it does not fit.
func (d *decoder) value(path string, tree any, v reflect.Value) {
	if v.Type() == rawType {
		v.SetBytes(encode(tree))
		return
	}
	if v.CanAddr() && v.Addr().Type().Implements(unmarshalerType) {
		if err := v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(encode(tree)); err != nil {
			f := d.faults.Add(fault.Usage, path, "%v", err)
			if g := fault.From(err); g.Code != fault.Internal {
				f.What, f.Hint = g.What, g.Hint
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if tree == nil {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.value(path, tree, v.Elem())
	case reflect.Interface:
		if tree != nil {
			v.Set(reflect.ValueOf(tree))
		}
	case reflect.Struct:
		d.object(path, tree, v)
	case reflect.Map:
		d.entries(path, tree, v)
	case reflect.Slice:
		list, ok := tree.([]any)
		if !ok {
			list = []any{tree}
		}
		out := reflect.MakeSlice(v.Type(), len(list), len(list))
		for i, item := range list {
			if ok {
				d.value(fmt.Sprintf("%s[%d]", path, i), item, out.Index(i))
			} else {
				d.value(path, item, out.Index(i))
			}
		}
		v.Set(out)
	default:
		d.scalar(path, tree, v)
	}
}

func (d *decoder) scalar(path string, tree any, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == numberType {
			if n, ok := tree.(json.Number); ok {
				v.SetString(n.String())
				return
			}
			d.wrong(path, "a number", tree)
			return
		}
		if s, ok := tree.(string); ok {
			v.SetString(s)
			return
		}
		d.wrong(path, "a string", tree)
	case reflect.Bool:
		if b, ok := tree.(bool); ok {
			v.SetBool(b)
			return
		}
		d.wrong(path, "true or false", tree)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if n, ok := tree.(json.Number); ok {
			if i, err := strconv.ParseInt(n.String(), 10, v.Type().Bits()); err == nil {
				v.SetInt(i)
				return
			}
		}
		d.wrong(path, fmt.Sprintf("an integer of %d bits", v.Type().Bits()), tree)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n, ok := tree.(json.Number); ok {
			if i, err := strconv.ParseUint(n.String(), 10, v.Type().Bits()); err == nil {
				v.SetUint(i)
				return
			}
		}
		d.wrong(path, fmt.Sprintf("an integer of %d bits that is not negative", v.Type().Bits()), tree)
	case reflect.Float32, reflect.Float64:
		if n, ok := tree.(json.Number); ok {
			if x, err := n.Float64(); err == nil && !math.IsInf(x, 0) {
				v.SetFloat(x)
				return
			}
		}
		d.wrong(path, "a number", tree)
	default:
		panic(fmt.Sprintf("config.Decode: field of type %v at %q", v.Type(), path))
	}
}

func (d *decoder) object(path string, tree any, v reflect.Value) {
	members, ok := tree.(map[string]any)
	if !ok {
		d.wrong(path, "an object", tree)
		return
	}
	fields := fieldsOf(v.Type())
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
		tree, ok := members[f.name]
		if ok {
			d.value(join(path, f.name), tree, v.FieldByIndex(f.index))
		} else if f.required {
			d.faults.Add(fault.Usage, path, "`%s` is missing", f.name)
		}
	}
	for _, name := range sortedNames(members) {
		if !slices.Contains(names, name) {
			d.faults.Add(fault.Usage, join(path, name), "unknown field `%s`", name).Hint = fault.DidYouMean(name, names)
		}
	}
}

func (d *decoder) entries(path string, tree any, v reflect.Value) {
	members, ok := tree.(map[string]any)
	if !ok {
		d.wrong(path, "an object", tree)
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), len(members))
	for _, name := range sortedNames(members) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(join(path, name), members[name], item)
		out.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), item)
	}
	v.Set(out)
}

type field struct {
	name           string
	index          []int
	required, main bool
}

// fieldsOf returns the fields that have a `json` tag; those of embedded structs count as the struct's own.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" || !f.IsExported() {
			continue
		}
		options := strings.Split(f.Tag.Get("config"), ",")
		fields = append(fields, field{name, f.Index, slices.Contains(options, "required"), slices.Contains(options, "main")})
	}
	return fields
}

func mainField(t reflect.Type) (field, bool) {
	for _, f := range fieldsOf(t) {
		if f.main {
			return f, true
		}
	}
	return field{}, false
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// encode returns a tree of parse's as JSON again.
func encode(tree any) []byte {
	b, err := json.Marshal(tree)
	if err != nil {
		panic(err) // parse yields nothing that does not encode
	}
	return b
}

func describe(tree any) string {
	switch x := tree.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		const most = 40
		if len(x) > most {
			return strconv.Quote(x[:most]) + "..."
		}
		return strconv.Quote(x)
	default:
		return fmt.Sprint(x)
	}
}

// Package config decodes the configuration of a connector or codec strictly: every unknown field, missing field and
// wrong type is a fault that says where, and all of them are reported at once.
package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"

	"github.com/wasmill/wasmill/engine/fault"
)

// Decode decodes raw, a JSON object, into the struct that into points to, whose fields name their members by `json`
// tags. Members that raw has not leave the field as it is, so that defaults are set before; no raw, or null, is an
// empty object. The tag `config` holds, separated by commas:
//
//   - `required`: it is a fault when the member is missing;
//   - `main`: raw may be this member's value alone (`file: data.csv` for `file: {path: data.csv}`).
//
// A slice also takes a single value for a list of one. Fields may be strings, booleans, numbers, slices, maps with
// string keys, structs, pointers to those, `any` (numbers are [json.Number]), [json.Number], [json.RawMessage], and types that implement [json.Unmarshaler], such as
// [Duration] and [Bytes].
//
// The error is a [fault.List] of faults of code Usage. Where is the path of the field from raw's root, such as
// "subjects[1]" or "fields.user.min", and empty for the root. It panics when into is not a pointer to a struct.
func Decode(raw json.RawMessage, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic("config.Decode: not a pointer to a struct")
	}
	var d decoder
	tree, err := parse(raw)
	if err != nil {
		d.faults.Add(fault.Usage, "", "the configuration is not valid JSON: %v", err)
		return d.faults.Err()
	}
	v = v.Elem()
	switch tree.(type) {
	case nil:
		tree = map[string]any{}
	case map[string]any:
	default:
		if f, ok := mainField(v.Type()); ok {
			tree = map[string]any{f.name: tree}
		}
	}
	d.value("", tree, v)
	return d.faults.Err()
}

// parse returns raw as a tree of maps, slices, strings, booleans, json.Number and nil. Nothing, too, is nil.
func parse(raw json.RawMessage) (any, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text behind the value")
	}
	return tree, nil
}

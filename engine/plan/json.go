package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
)

// maxJSON is the most bytes of a plan's JSON.
const maxJSON = 16 << 20

// WriteJSON returns the plan as indented JSON that ends in a line feed.
func WriteJSON(p *Plan) ([]byte, error) {
	return indented(p)
}

// indented writes JSON for people: "flights.>" stays what it is.
func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fault.New(fault.Internal, "the plan cannot be written: %v", err)
	}
	return b.Bytes(), nil
}

// ReadJSON reads what [WriteJSON] writes, and validates it. A plan of a newer version gives a fault of code Unsupported,
// anything else that is wrong a fault of code Usage or the [fault.List] of [Plan.Validate]. Dir is left empty.
func ReadJSON(data []byte) (*Plan, error) {
	if len(data) > maxJSON {
		return nil, fault.New(fault.Limit, "the plan has %d bytes, at most %d are allowed", len(data), maxJSON)
	}
	var head struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, jsonFault(data, err)
	}
	switch {
	case head.Version == nil:
		return nil, fault.New(fault.Usage, "the plan has no `version`").WithHint("this is version %d", Version)
	case *head.Version > Version:
		return nil, fault.New(fault.Unsupported, "the plan is of version %d, this wasmill reads up to version %d", *head.Version, Version).
			WithHint("use a newer wasmill")
	}
	var p Plan
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return nil, jsonFault(data, err)
	}
	if err := p.compact(); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &p, nil
}

func jsonFault(data []byte, err error) error {
	f := fault.New(fault.Usage, "the plan is not valid JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	offset := int64(-1)
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &typ):
		offset = typ.Offset
		f.What = "expected " + wanted(typ.Type.Kind()) + ", got " + typ.Value
		if typ.Field != "" {
			f.What = "`" + typ.Field + "`: " + f.What
		}
	case errors.Is(err, io.ErrUnexpectedEOF):
		offset = int64(len(data))
	}
	if offset < 0 || offset > int64(len(data)) {
		return f
	}
	before := data[:offset]
	line := bytes.Count(before, []byte{'\n'}) + 1
	return f.At("plan.json:%d:%d", line, len(before)-bytes.LastIndexByte(before, '\n'))
}

// wanted says what JSON a Go value is read from.
func wanted(k reflect.Kind) string {
	switch k {
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "an object"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	}
	return "an integer"
}

// compact brings configurations into the form that does not depend on how the plan was indented.
func (p *Plan) compact() error {
	for _, raw := range p.configs() {
		if len(*raw) == 0 || string(*raw) == "null" {
			*raw = nil
			continue
		}
		var b bytes.Buffer
		if err := json.Compact(&b, *raw); err != nil {
			return fault.New(fault.Usage, "a configuration is not valid JSON: %v", err)
		}
		*raw = b.Bytes()
	}
	return nil
}

// configs returns all configurations in the plan.
func (p *Plan) configs() []*json.RawMessage {
	var all []*json.RawMessage
	if d := p.DeadLetter; d != nil {
		all = append(all, &d.Config, &d.FormatConfig)
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if n.Source != nil {
			all = append(all, &n.Source.Config, &n.Source.FormatConfig)
		}
		if n.Sink != nil {
			all = append(all, &n.Sink.Config, &n.Sink.FormatConfig)
		}
		if n.Call != nil {
			all = append(all, &n.Call.Config)
		}
		if n.Lookup != nil {
			all = append(all, &n.Lookup.Config, &n.Lookup.FormatConfig)
		}
	}
	return all
}

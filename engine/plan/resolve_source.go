package plan

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// lookUpSource returns the source with its connector, its codec and the schema of its records; nil when there is a fault.
func (r *resolver) lookUpSource(n *Node) *ResolvedSource {
	s := n.Source
	declared, declaredOK := r.declared(n)
	c, ok := r.connector(n, "source", s.Connector)
	if !ok {
		return nil
	}
	if c.NewSource == nil {
		r.add(n, fault.Usage, "source.connector", "`%s` cannot be an input", s.Connector).Hint = "inputs are " + r.connectorNames(func(c connectors.Connector) bool { return c.NewSource != nil })
		return nil
	}
	source, err := c.NewSource(s.Config)
	habit := ""
	if err != nil {
		r.place(n, "source.config", err)
		if s.Format == "" {
			return nil
		}
	} else {
		habit = source.DefaultFormat()
	}
	f := r.format(n, "source", s.Format, habit)
	if err != nil || f.Name == "" || !declaredOK {
		return nil
	}
	if f.NewDecoder == nil {
		r.add(n, fault.Usage, "source.format", "the format `%s` cannot be read", f.Name)
		return nil
	}
	found := &ResolvedSource{Source: source, Format: f, Schema: declared, Decode: declared}
	switch {
	case declared != nil:
		if !r.documentColumns(n, declared, f) {
			return nil
		}
	case !s.Infer && f.Documents && !f.Schemaless:
		found.Schema, found.Decode = schema.Document(), schema.Document()
	default:
		if found.Schema = r.inferred(n, source, f); found.Schema == nil {
			return nil
		}
		found.Inferred, found.Decode = true, found.Schema
	}
	if !r.described(n, found.Schema) {
		return nil
	}
	return found
}

// declared returns the schema that the plan gives, nil for none, and whether it is free of faults.
func (r *resolver) declared(n *Node) (*arrow.Schema, bool) {
	if len(n.Source.Schema) == 0 {
		return nil, true
	}
	ok := true
	fields := make([]arrow.Field, 0, len(n.Source.Schema))
	for i, f := range n.Source.Schema {
		field, err := schema.ParseField(f.Name, f.Type)
		if err != nil {
			r.within(n, fmt.Sprintf("source.schema[%d].type", i), err)
			ok = false
			continue
		}
		fields = append(fields, field)
	}
	return arrow.NewSchema(fields, nil), ok
}

// inferred returns a schema from the format itself, or from the first bytes of the input.
func (r *resolver) inferred(n *Node, source connectors.Source, f codec.Format) *arrow.Schema {
	s := n.Source
	const declare = "declare the columns: `schema: {carrier: utf8, delay: float64}`"
	if !s.Infer && !f.Schemaless {
		r.add(n, fault.Schema, "source", "the input has no schema, which the format `%s` needs", f.Name).Hint = declare + ", or write `schema: infer`"
		return nil
	}
	if f.Infer == nil {
		r.add(n, fault.Schema, "source.infer", "a schema cannot be inferred from the format `%s`", f.Name).Hint = declare
		return nil
	}
	if f.Schemaless {
		// A format such as raw has one schema, whatever the data.
		if fixed, err := f.Infer(nil, s.FormatConfig); err == nil && fixed != nil && len(fixed.Fields()) > 0 {
			return fixed
		}
	}
	if r.env.Sample == nil {
		r.add(n, fault.Schema, "source.infer", "the schema is to be inferred, and the input cannot be looked at here").Hint = declare
		return nil
	}
	sample, err := r.env.Sample(r.ctx, n, source)
	if err != nil {
		r.within(n, "source.infer", err)
		return nil
	}
	found, err := f.Infer(sample, s.FormatConfig)
	switch {
	case err != nil:
		r.place(n, "source.format_config", err)
		return nil
	case found == nil || len(found.Fields()) == 0:
		r.add(n, fault.Schema, "source.infer", "the first records of the input have no columns").Hint = declare
		return nil
	}
	return found
}

// described checks metadata and event times against the schema of the records.
func (r *resolver) described(n *Node, records *arrow.Schema) bool {
	before := len(r.faults)
	seen := make(map[string]bool)
	for _, f := range records.Fields() {
		if seen[f.Name] {
			r.add(n, fault.Schema, "source", "there are two columns `%s` in the records", f.Name)
		}
		seen[f.Name] = true
	}
	for _, name := range sortedKeys(n.Source.Metadata) {
		if seen[name] && len(n.Source.Schema) == 0 { // in a declared schema Validate has seen it
			r.add(n, fault.Schema, "source.metadata."+name, "the column `%s` is in the records and in the metadata", name)
		}
	}
	if e := n.Source.EventTime; e != nil && e.Column != "" {
		r.eventTime(n, "source.event_time.column", e.Column, sourceSchema(n.Source, records, nil))
	}
	return len(r.faults) == before
}

// eventTime reports whether a column can hold event times.
func (r *resolver) eventTime(n *Node, path, name string, in *arrow.Schema) bool {
	at := r.column(n, path, name, in)
	if at < 0 {
		return false
	}
	switch t := in.Field(at).Type; t.ID() {
	case arrow.TIMESTAMP, arrow.DATE32, arrow.INT64:
		return true
	default:
		r.add(n, fault.Schema, path, "the event time `%s` is %s, expected a timestamp, a date32 or an int64 in milliseconds", name, schema.Format(t)).
			Hint = "declare it in the schema as `timestamp[ms, UTC]`, for instance"
		return false
	}
}

// sourceSchema returns what a source passes on: of the records' columns and the metadata those in keep, nil for all. The
// metadata stand last, by name.
func sourceSchema(s *Source, records *arrow.Schema, keep map[string]bool) *arrow.Schema {
	var fields []arrow.Field
	for _, f := range records.Fields() {
		if keep == nil || keep[f.Name] {
			fields = append(fields, f)
		}
	}
	for _, name := range sortedKeys(s.Metadata) {
		if keep == nil || keep[name] {
			fields = append(fields, metadataField(name, s.Metadata[name]))
		}
	}
	return arrow.NewSchema(fields, nil)
}

func metadataField(name, from string) arrow.Field {
	f := arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
	switch from {
	case "subject":
		f.Nullable = false
	case "sequence":
		f.Type, f.Nullable = arrow.PrimitiveTypes.Uint64, false
	case "timestamp":
		f.Type = &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}
	}
	return f
}

// codecs makes a decoder and an encoder each, so that options and types which they refuse show before the job starts.
func (r *resolver) codecs() {
	for _, n := range r.nodes {
		switch {
		case n.Source != nil:
			d, err := n.Source.Format.NewDecoder(n.Source.Decode, n.Node.Source.FormatConfig, memory.DefaultAllocator, codec.Limits{})
			if err != nil {
				r.place(n.Node, "source.format_config", err)
				continue
			}
			d.Close()
		case n.Sink != nil:
			if _, err := n.Sink.Format.NewEncoder(n.In[0], n.Node.Sink.FormatConfig); err != nil {
				r.place(n.Node, "sink.format_config", err)
			}
		}
	}
}

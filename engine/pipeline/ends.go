package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
)

var (
	sourceKeys = []string{"label", "format", "schema", "metadata", "event_time", "on_error", "parallelism"}
	sinkKeys   = []string{"label", "from", "format", "on_error", "parallelism"}
)

// ends returns the mappings behind a key or its plural.
func (b *builder) ends(root *value, one, many string) []*value {
	v, all := root.get(one), root.get(many)
	switch {
	case v != nil && all != nil:
		b.add(all.at, "there are `%s` and `%s`", one, many).Hint = "put all of them into `" + many + "`"
		b.partial = true
	case v != nil && v.kind == list:
		b.expected(v, "a mapping for `"+one+"`").Hint = "a list goes behind `" + many + "`"
		b.partial = true
	case v != nil:
		return []*value{v}
	case all != nil && all.kind != list:
		b.expected(all, "a list for `"+many+"`").Hint = "a single one goes behind `" + one + "`"
		b.partial = true
	case all != nil && len(all.items) > 0:
		return all.items
	default:
		b.add(root.at, "there is no %s", one).Hint = "add `" + one + ": {file: {path: data.ndjson}}`, for instance"
		b.partial = true
	}
	return nil
}

func (b *builder) inputs(root *value) {
	var ids []string
	for _, v := range b.ends(root, "input", "inputs") {
		n := b.node(v, plan.KindSource)
		n.Source = &plan.Source{}
		b.source(v, n.Source, n.Positions)
		b.append(n)
		ids = append(ids, n.ID)
	}
	if len(ids) > 1 {
		all := root.get("inputs")
		n := b.node(&value{at: all.at}, plan.KindUnion)
		n.Inputs = ids
		for i, item := range all.items {
			b.set(n.Positions, fmt.Sprintf("inputs[%d]", i), item.at)
		}
		b.append(n)
	}
}

func (b *builder) source(v *value, s *plan.Source, positions map[string]string) {
	b.set(positions, "source", v.at)
	s.Connector, s.Config = b.connector(v, "source", sourceKeys, positions)
	if v.kind != object {
		return
	}
	s.Format, s.FormatConfig = b.format(v, "source", positions)
	s.OnError = b.policy(v)
	b.positions(positions, "source", v, "metadata", "event_time", "on_error")
	b.schema(v, s, positions)
	if m := v.get("metadata"); m != nil && b.mapping(m, "`metadata`") {
		s.Metadata = make(map[string]string)
		for _, c := range m.members {
			s.Metadata[c.name] = b.text(c.value, "subject, sequence, timestamp or header:NAME")
		}
	}
	if e := v.get("event_time"); e != nil {
		s.EventTime = b.eventTime(e)
	}
}

func (b *builder) eventTime(v *value) *plan.EventTime {
	if v.kind == text {
		return &plan.EventTime{Column: v.text}
	}
	if !b.mapping(v, "`event_time`") {
		return nil
	}
	b.unknown(v, "event_time", []string{"column", "out_of_orderness", "watermarks", "idle", "max_drift"}, nil)
	e := &plan.EventTime{OutOfOrderness: b.duration(v, "out_of_orderness"), Idle: b.duration(v, "idle"), MaxDrift: b.duration(v, "max_drift")}
	if w := v.get("watermarks"); w != nil {
		e.Watermarks = b.text(w, "bounded, monotonous or none")
	}
	if c := v.get("column"); c != nil {
		e.Column = b.text(c, "a column")
	}
	return e
}

func (b *builder) schema(v *value, s *plan.Source, positions map[string]string) {
	for _, m := range v.members {
		switch {
		case m.name != "schema":
		case m.value.kind == text && m.value.text == "infer":
			s.Infer = true
			b.set(positions, "source.infer", m.value.at)
		case m.value.kind != object:
			b.expected(m.value, "a mapping of columns to types, or `infer`").Hint = "write `schema: {carrier: utf8, delay: float64}`"
		case len(m.value.members) == 0:
			b.add(m.value.at, "the schema has no columns").Hint = "write `schema: {carrier: utf8, delay: float64}`, or `schema: infer`"
		default:
			s.Schema = b.fields(m, "source.schema", positions)
		}
	}
}

// fields reads a mapping of columns to types.
func (b *builder) fields(m member, path string, positions map[string]string) []plan.Field {
	b.set(positions, path, m.place())
	if m.value.kind != object {
		b.expected(m.value, "a mapping of columns to types").Hint = "write `schema: {carrier: utf8, delay: float64}`"
		return nil
	}
	var fields []plan.Field
	for i, c := range m.value.members {
		at := fmt.Sprintf("%s[%d]", path, i)
		b.set(positions, at, c.at)
		b.set(positions, at+".type", c.place())
		fields = append(fields, plan.Field{Name: c.name, Type: b.text(c.value, "a type such as utf8, int64 or timestamp[ms, UTC]")})
	}
	return fields
}

// connector returns the one key of an input or output that is none of keys: it names the connector, and its value configures it.
func (b *builder) connector(v *value, path string, keys []string, positions map[string]string) (string, json.RawMessage) {
	if v.kind == text {
		b.set(positions, path+".connector", v.at)
		return v.text, nil
	}
	if !b.mapping(v, "an input or output") {
		return "", nil
	}
	var found []member
	for _, m := range v.members {
		if slices.Contains(keys, m.name) {
			continue
		}
		if near := fault.Suggest(m.name, keys); near != "" && !slices.ContainsFunc(v.members, func(o member) bool { return o.name == near }) {
			b.add(m.at, "unknown key `%s`", m.name).Hint = "did you mean `" + near + "`?"
			continue
		}
		found = append(found, m)
	}
	if len(found) == 0 {
		b.add(v.at, "no connector is named").Hint = "add one, such as `file: {path: data.ndjson}`"
		return "", nil
	}
	for _, m := range found[1:] {
		b.add(m.at, "there are two connectors, `%s` and `%s`, or one of them is an unknown key", found[0].name, m.name).
			Hint = "keys besides the connector are " + strings.Join(keys, ", ")
	}
	m := found[0]
	b.set(positions, path+".connector", m.at)
	b.deep(positions, path+".config", m.place(), m.value)
	return m.name, raw(m.value)
}

// raw returns a value as JSON, nil for nothing.
func raw(v *value) json.RawMessage {
	if v.kind == null {
		return nil
	}
	return v.json(nil)
}

// format reads `format: NAME` or `format: {NAME: OPTIONS}`.
func (b *builder) format(v *value, path string, positions map[string]string) (string, json.RawMessage) {
	f := v.get("format")
	switch {
	case f == nil:
		return "", nil
	case f.kind == object && len(f.members) == 1:
		m := f.members[0]
		b.set(positions, path+".format", m.at)
		b.deep(positions, path+".format_config", m.place(), m.value)
		return m.name, raw(m.value)
	case f.kind == object:
		b.add(f.at, "expected one format, got %d", len(f.members)).Hint = "write `format: json` or `format: {csv: {delimiter: \";\"}}`"
		return "", nil
	}
	b.set(positions, path+".format", f.at)
	return b.text(f, "a format such as json"), nil
}

func (b *builder) outputs(root *value) {
	from := b.last
	for _, v := range b.ends(root, "output", "outputs") {
		n := b.node(v, plan.KindSink)
		n.Sink = &plan.Sink{}
		if from := b.from(v, from, n.Positions); from != "" {
			n.Inputs = []string{from}
		} else {
			b.partial = true
		}
		b.sink(v, "sink", n.Sink, n.Positions, sinkKeys)
		b.append(n)
	}
}

func (b *builder) sink(v *value, path string, s *plan.Sink, positions map[string]string, keys []string) {
	b.set(positions, path, v.at)
	s.Connector, s.Config = b.connector(v, path, keys, positions)
	if v.kind != object {
		return
	}
	s.Format, s.FormatConfig = b.format(v, path, positions)
	s.OnError = b.policy(v)
	b.positions(positions, path, v, "on_error")
}

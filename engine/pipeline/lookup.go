package pipeline

import (
	"fmt"

	"github.com/wasmill/wasmill/engine/plan"
)

var lookupKeys = []string{"format", "schema", "key", "columns", "version", "missing", "on_error"}

// lookup reads a lookup: a table, named as an input is, and what is looked up in it.
func (b *builder) lookup(m member, positions map[string]string) *plan.Lookup {
	b.set(positions, "lookup", m.place())
	l, v := &plan.Lookup{}, m.value
	if !b.mapping(v, "`lookup`") {
		return l
	}
	l.Connector, l.Config = b.connector(v, "lookup", lookupKeys, positions)
	l.Format, l.FormatConfig = b.format(v, "lookup", positions)
	l.OnError = b.policy(v)
	b.positions(positions, "lookup", v, "version", "missing", "on_error")
	for _, m := range v.members {
		switch m.name {
		case "schema":
			l.Schema = b.fields(m, "lookup.schema", positions)
		case "key":
			l.Key = b.keys(m, positions)
		case "columns":
			l.Columns = b.columns(m, "lookup.columns", positions)
		case "missing":
			if m.value.kind == null { // `missing: null` without quotes
				l.Missing = plan.MissingNull
			} else {
				l.Missing = b.text(m.value, "null, drop, fail or dead_letter")
			}
		case "version":
			l.Version = b.version(m.value, positions)
		}
	}
	return l
}

// keys reads one column, a list of them, or a mapping of the rows' columns to those of the table.
func (b *builder) keys(m member, positions map[string]string) []plan.Column {
	b.list(m, "lookup.key", positions)
	var columns []plan.Column
	if m.value.kind == object {
		for i, c := range m.value.members {
			b.set(positions, fmt.Sprintf("lookup.key[%d]", i), c.at)
			columns = append(columns, plan.Column{Name: b.text(c.value, "a column of the table"), From: c.name})
		}
		return columns
	}
	for _, name := range b.texts(m.value, "a column") {
		columns = append(columns, plan.Column{Name: name, From: name})
	}
	return columns
}

func (b *builder) version(v *value, positions map[string]string) *plan.LookupVersion {
	if v.kind == text {
		return &plan.LookupVersion{At: v.text}
	}
	version := &plan.LookupVersion{}
	if !b.mapping(v, "`version`") {
		return version
	}
	b.unknown(v, "version", []string{"at", "of", "revision"}, nil)
	b.positions(positions, "lookup.version", v, "at", "of", "revision")
	for name, to := range map[string]*string{"at": &version.At, "of": &version.Of, "revision": &version.Revision} {
		if c := v.get(name); c != nil {
			*to = b.text(c, "a column")
		}
	}
	return version
}

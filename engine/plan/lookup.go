package plan

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/stream"
)

// Lookup adds columns to rows that it finds by key in a table outside.
type Lookup struct {
	// Connector and Config name the connector and configure it; Format and FormatConfig are as with [Source].
	Connector    string          `json:"connector"`
	Config       json.RawMessage `json:"config,omitempty"`
	Format       string          `json:"format,omitempty"`
	FormatConfig json.RawMessage `json:"format_config,omitempty"`
	// Schema lists the table's columns; empty: they are derived from what is there, where the connector has something to look at.
	Schema []Field `json:"schema,omitempty"`
	// Key lists the columns of the rows (From) that make the key, and the column of the table (Name) that each is compared with.
	Key []Column `json:"key"`
	// Columns are those that are added: a name each, and the column of the table. Empty: all but those of the key and the version.
	Columns []Column `json:"columns,omitempty"`
	// Version chooses between several entries of a key; nil: what there is now.
	Version *LookupVersion `json:"version,omitempty"`
	// Missing is what happens to rows whose key is not there: "null" adds nulls, "drop" leaves them out; else a [Policy]. Empty means null.
	Missing string `json:"missing,omitempty"`
	// OnError is what happens to rows whose entry does not decode; empty means fail.
	OnError Policy `json:"on_error,omitempty"`
}

// LookupVersion chooses between several entries of one key. Either At or Revision is set.
type LookupVersion struct {
	// At is a column of the rows with a time, or an int64: the newest entry that is not newer is taken. Of is the column of the table
	// that is compared with it; empty where the table keeps the times of its entries itself.
	At string `json:"at,omitempty"`
	Of string `json:"of,omitempty"`
	// Revision is a column of the rows with the number of the entry.
	Revision string `json:"revision,omitempty"`
}

func (v *LookupVersion) column() string { return v.At + v.Revision }

// The values of Lookup.Missing that are no policies.
const (
	MissingNull = "null"
	MissingDrop = "drop"
)

// ResolvedLookup is a lookup with its connector and codec, and what it reads of the rows.
type ResolvedLookup struct {
	Lookup connectors.Lookup
	Format codec.Format
	Query  connectors.Query
	// Derived says that the table's columns were not declared.
	Derived bool
	// Keys are the input columns of the key and perhaps the version, From the table's columns that are added.
	Keys, From []int
}

func (v *validator) lookup(n *Node, l *Lookup) {
	if l.Connector == "" {
		v.add(n, "lookup.connector", "the lookup names no table").Hint = "add `kv: {bucket: NAME}` or `file: {path: table.csv}`"
	}
	v.validJSON(n, "lookup.config", l.Config)
	v.validJSON(n, "lookup.format_config", l.FormatConfig)
	if len(l.Key) == 0 {
		v.add(n, "lookup", "the lookup names no key").Hint = "add `key: COLUMN`"
	}
	v.renames(n, "lookup.key", l.Key)
	v.renames(n, "lookup.columns", l.Columns)
	for i, f := range l.Schema {
		if slices.ContainsFunc(l.Schema[:i], func(o Field) bool { return o.Name == f.Name }) {
			v.add(n, fmt.Sprintf("lookup.schema[%d]", i), "the column `%s` is declared twice", f.Name)
		}
	}
	if version := l.Version; version != nil {
		switch {
		case version.At == "" && version.Revision == "":
			v.add(n, "lookup.version", "the version names no column").Hint = "write `version: {at: COLUMN}` or `version: {revision: COLUMN}`"
		case version.At != "" && version.Revision != "":
			v.add(n, "lookup.version", "a version is `at` a time or a `revision`, not both")
		case version.Revision != "" && version.Of != "":
			v.add(n, "lookup.version.of", "`of` goes with `at`").Hint = "to find rows of a table by a number, make it a part of the key"
		}
	}
	switch l.Missing {
	case MissingNull, MissingDrop:
	default:
		if p := Policy(l.Missing); p == "" || p == Fail || p == SetAway {
			v.policy(n, "lookup.missing", p)
		} else {
			v.add(n, "lookup.missing", "unknown way with missing keys `%s`", l.Missing).
				Hint = fault.DidYouMean(l.Missing, []string{MissingNull, MissingDrop, string(Fail), string(SetAway)})
		}
	}
	v.policy(n, "lookup.on_error", l.OnError)
}

// lookUpTable returns a lookup with its connector, codec and the columns of its table; nil when there is a fault.
func (r *resolver) lookUpTable(n *Node) *ResolvedLookup {
	l := n.Lookup
	c, ok := r.connector(n, "lookup", l.Connector)
	if !ok {
		return nil
	}
	if c.NewLookup == nil {
		r.add(n, fault.Usage, "lookup.connector", "`%s` cannot be looked up in", l.Connector).Hint =
			"tables are " + r.connectorNames(func(c connectors.Connector) bool { return c.NewLookup != nil })
		return nil
	}
	table, err := c.NewLookup(l.Config)
	if err != nil {
		r.place(n, "lookup.config", err)
		return nil
	}
	f := r.format(n, "lookup", l.Format, table.DefaultFormat())
	if f.Name == "" {
		return nil
	}
	if f.NewDecoder == nil {
		r.add(n, fault.Usage, "lookup.format", "the format `%s` cannot be read", f.Name)
		return nil
	}
	found := &ResolvedLookup{Lookup: table, Format: f}
	var fields []arrow.Field
	for i, declared := range l.Schema {
		field, err := schema.ParseField(declared.Name, declared.Type)
		if err != nil {
			r.within(n, fmt.Sprintf("lookup.schema[%d].type", i), err)
			return nil
		}
		fields = append(fields, field)
	}
	found.Query.Schema = arrow.NewSchema(fields, nil)
	if len(fields) == 0 {
		if found.Query.Schema = r.derived(n, table, f); found.Query.Schema == nil {
			return nil
		}
		found.Derived = true
	}
	decoded, config := found.Query.Schema, l.FormatConfig
	found.Query.NewDecoder = func() (codec.Decoder, error) {
		return f.NewDecoder(decoded, config, memory.DefaultAllocator, codec.Limits{})
	}
	d, err := found.Query.NewDecoder()
	if err != nil {
		r.place(n, "lookup.format_config", err)
		return nil
	}
	d.Close()
	return found
}

// derived returns the columns of a table from what is in it.
func (r *resolver) derived(n *Node, table connectors.Lookup, f codec.Format) *arrow.Schema {
	const declare = "declare the table's columns: `schema: {name: utf8, score: float64}`"
	if f.Infer == nil {
		r.add(n, fault.Schema, "lookup.format", "columns cannot be derived from the format `%s`", f.Name).Hint = declare
		return nil
	}
	sample, err := table.Sample(connectors.Job{Name: r.plan.Name, Node: n.ID, Dir: r.plan.Dir, Cut: f.Cutter(n.Lookup.FormatConfig)}, f.Rows != nil)
	if err != nil {
		r.within(n, "lookup.connector", err)
		return nil
	}
	if sample == nil {
		r.add(n, fault.Schema, "lookup", "the table's columns are not known").Hint = declare
		return nil
	}
	found, err := f.Infer(sample, n.Lookup.FormatConfig)
	switch {
	case err != nil:
		r.place(n, "lookup.format_config", err)
		return nil
	case found == nil || len(found.Fields()) == 0:
		r.add(n, fault.Schema, "lookup", "the first records of the table have no columns").Hint = declare
		return nil
	}
	return found
}

// lookup checks the columns of a lookup, and returns what it passes on.
func (r *resolver) lookup(n *ResolvedNode) *arrow.Schema {
	l, found, in := n.Node.Lookup, n.Lookup, n.In[0]
	before := len(r.faults)
	q := &found.Query
	found.Keys, found.From, q.Of = nil, nil, nil
	var keys []arrow.Field
	for i, k := range l.Key {
		path := fmt.Sprintf("lookup.key[%d]", i)
		at := r.column(n.Node, path, k.From, in)
		if at < 0 {
			continue
		}
		if f := in.Field(at); schema.IsJSON(f) || !stream.Keyable(f.Type) {
			r.add(n.Node, fault.Schema, path, "the column `%s` of type %s cannot be a key", k.From, schema.FormatField(f)).
				Hint = "use bool, integers, floats, utf8, binary, dates or timestamps"
		}
		found.Keys, keys, q.Of = append(found.Keys, at), append(keys, in.Field(at)), append(q.Of, k.Name)
	}
	q.Key, q.Version, q.VersionOf = arrow.NewSchema(keys, nil), connectors.Newest, ""
	if v := l.Version; v != nil {
		path := "lookup.version.at"
		q.Version, q.VersionOf = connectors.AsOf, v.Of
		if v.Revision != "" {
			path, q.Version = "lookup.version.revision", connectors.Exact
		}
		if at := r.version(n.Node, path, v, in); at >= 0 {
			found.Keys = append(found.Keys, at)
		}
	}
	if len(r.faults) > before {
		return nil
	}
	if err := found.Lookup.Check(*q); err != nil {
		r.place(n.Node, "lookup", err)
		return nil
	}
	fields := slices.Clone(in.Fields())
	for i, c := range r.added(n) {
		path := fmt.Sprintf("lookup.columns[%d]", i)
		at := r.column(n.Node, path, c.From, q.Schema)
		if at < 0 {
			return nil
		}
		f := q.Schema.Field(at)
		f.Name, f.Nullable = c.Name, f.Nullable || l.Missing == "" || l.Missing == MissingNull
		if slices.ContainsFunc(fields, func(o arrow.Field) bool { return o.Name == f.Name }) {
			r.add(n.Node, fault.Schema, path, "the rows have a column `%s` already", f.Name).Hint = fmt.Sprintf("give it another name: `columns: {NAME: %s}`", c.From)
			return nil
		}
		fields, found.From = append(fields, f), append(found.From, at)
	}
	return arrow.NewSchema(fields, nil)
}

// version checks the column that a version is in.
func (r *resolver) version(n *Node, path string, v *LookupVersion, in *arrow.Schema) int {
	at := r.column(n, path, v.column(), in)
	if at < 0 {
		return -1
	}
	switch t := in.Field(at).Type; t.ID() {
	case arrow.INT64:
		return at
	case arrow.UINT64:
		if v.Revision != "" {
			return at
		}
	case arrow.TIMESTAMP, arrow.DATE32:
		if v.At != "" {
			return at
		}
	}
	want := "a timestamp, a date32 or an int64"
	if v.Revision != "" {
		want = "an int64 or uint64"
	}
	r.add(n, fault.Schema, path, "the version `%s` is %s, expected %s", v.column(), schema.Format(in.Field(at).Type), want)
	return -1
}

// added returns the columns that a lookup adds.
func (r *resolver) added(n *ResolvedNode) []Column {
	l := n.Node.Lookup
	if len(l.Columns) > 0 {
		return l.Columns
	}
	var columns []Column
	for _, f := range n.Lookup.Query.Schema.Fields() {
		if !slices.Contains(n.Lookup.Query.Of, f.Name) && f.Name != n.Lookup.Query.VersionOf {
			columns = append(columns, Column{Name: f.Name, From: f.Name})
		}
	}
	return columns
}

// readsKeys turns what is read of a lookup's output into what it reads of its input.
func (n *ResolvedNode) readsKeys(in *need) {
	for _, f := range n.Out.Fields()[len(n.In[0].Fields()):] {
		delete(in.columns, f.Name)
	}
	for _, at := range n.Lookup.Keys {
		in.add(n.In[0].Field(at).Name)
	}
}

func (n *ResolvedNode) explainLookup(x *ExplainedNode) {
	l := n.Node.Lookup
	x.Connector, x.Format, x.OnError, x.Inferred = l.Connector, n.Lookup.Format.Name, l.OnError, n.Lookup.Derived
	x.Missing = l.Missing
	if x.Missing == "" {
		x.Missing = MissingNull
	}
	for _, at := range n.Lookup.Keys {
		x.Reads = append(x.Reads, n.In[0].Field(at).Name)
	}
}

// Package aggregate holds the built-in aggregates of windows and keys: count, sum, min, max, avg, first, last, collect, collect_all,
// min_by and max_by. An accumulator is a [Row] of cells, which can be added to, merged with another, stored and turned into a result.
package aggregate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// Spec is one aggregate: what goes into the column Name of a result. Nulls in Column do not count, but in a collect_all, nor do rows with a
// null in By.
type Spec struct {
	Name string `json:"name"`
	// Func is one of [Funcs].
	Func string `json:"func"`
	// Column is what is aggregated. A count may have none: it counts rows.
	Column string `json:"column,omitempty"`
	// By is, for min_by and max_by, the column whose extreme tells the row that Column is taken of; of several such rows the first.
	By string `json:"by,omitempty"`
}

// Funcs lists the aggregates.
var Funcs = []string{"count", "sum", "min", "max", "avg", "first", "last", "collect", "collect_all", "min_by", "max_by"}

// Cell is a part of an accumulator.
type Cell struct {
	n      int64 // values that were added; 0: none
	hi, lo uint64
	seq    int64 // when the value came
	data   []byte
}

// Row is the accumulator of a set of aggregates.
type Row []Cell

// aggregate is a Spec bound to its columns.
type aggregate struct {
	Spec
	at, by     int // columns, -1 for none
	class      class
	byClass    class
	first      int // its first cell
	cells      int
	out        arrow.DataType
	add        func(r Row, row int, seq int64) // of the record bound
	takesLater bool                            // last: of two values the later counts
}

// lists reports whether the result is a list.
func (a *aggregate) lists() bool { return a.Func == "collect" || a.Func == "collect_all" }

// Set is a list of aggregates over rows of one schema. It is not safe for concurrent use.
type Set struct {
	aggregates []aggregate
	cells      int
	fields     []arrow.Field
}

// New binds aggregates to a schema. Faults have code Schema; Where is "aggregate.NAME".
func New(in *arrow.Schema, specs []Spec) (*Set, error) {
	s := &Set{}
	var faults fault.List
	for _, spec := range specs {
		a, err := bind(in, spec)
		if err != nil {
			faults.Append(fault.From(err).At("aggregate.%s", spec.Name))
			continue
		}
		a.first = s.cells
		s.cells += a.cells
		s.aggregates = append(s.aggregates, a)
		s.fields = append(s.fields, arrow.Field{Name: spec.Name, Type: a.out, Nullable: spec.Func != "count" && !a.lists()})
	}
	return s, faults.Err()
}

// Check finds what is wrong with a spec whatever the columns are: code Usage.
func (s Spec) Check() error {
	if !slices.Contains(Funcs, s.Func) {
		return fault.New(fault.Usage, "unknown aggregate `%s`", s.Func).WithHint("%s", fault.DidYouMean(s.Func, Funcs))
	}
	extreme := s.Func == "min_by" || s.Func == "max_by"
	switch {
	case extreme && (s.By == "" || s.Column == ""):
		return fault.New(fault.Usage, "a %s takes a column of the row that is extreme by another", s.Func).
			WithHint("write `%s: {%s: {take: COLUMN, by: COLUMN}}`", s.Name, s.Func)
	case !extreme && s.By != "":
		return fault.New(fault.Usage, "a %s has no `by`", s.Func)
	case s.Column == "" && s.Func != "count":
		return fault.New(fault.Usage, "a %s needs a column", s.Func).WithHint("write `%s: {%s: COLUMN}`", s.Name, s.Func)
	}
	return nil
}

func column(in *arrow.Schema, name string) (int, class, error) {
	if name == "" {
		return -1, noClass, nil
	}
	at := in.FieldIndices(name)
	if len(at) == 0 {
		var names []string
		for _, f := range in.Fields() {
			names = append(names, f.Name)
		}
		return -1, noClass, fault.New(fault.Schema, "unknown column `%s`", name).WithHint("%s", fault.DidYouMean(name, names))
	}
	return at[0], classOf(in.Field(at[0]).Type), nil
}

func bind(in *arrow.Schema, spec Spec) (a aggregate, err error) {
	if err := spec.Check(); err != nil {
		return a, err
	}
	a = aggregate{Spec: spec, cells: 1}
	if a.at, a.class, err = column(in, spec.Column); err != nil {
		return a, err
	}
	if a.by, a.byClass, err = column(in, spec.By); err != nil {
		return a, err
	}
	var t arrow.DataType
	if a.at >= 0 {
		t = in.Field(a.at).Type
	}
	number := a.class == ints || a.class == uints || a.class == floats
	switch spec.Func {
	case "count":
		a.out = arrow.PrimitiveTypes.Int64
		return a, nil
	case "sum", "avg":
		if !number || !summable(t) {
			return a, fault.New(fault.Schema, "there is no %s of the column `%s` of type %s", spec.Func, spec.Column, schema.Format(t)).
				WithHint("a %s is of integers or floats", spec.Func)
		}
		switch {
		case spec.Func == "avg" || a.class == floats:
			a.out = arrow.PrimitiveTypes.Float64
		case a.class == uints:
			a.out = arrow.PrimitiveTypes.Uint64
		default:
			a.out = arrow.PrimitiveTypes.Int64
		}
		return a, nil
	case "min_by", "max_by":
		a.cells = 2
		if a.byClass == noClass {
			return a, noOrder(spec.Func, spec.By, in.Field(a.by).Type)
		}
	case "collect", "collect_all":
		a.out = arrow.ListOf(t)
	case "last":
		a.takesLater = true
	}
	if a.class == noClass {
		return a, noOrder(spec.Func, spec.Column, t)
	}
	if a.out == nil {
		a.out = t
	}
	return a, nil
}

func noOrder(what, name string, t arrow.DataType) error {
	return fault.New(fault.Unsupported, "there is no %s of the column `%s` of type %s", what, name, schema.Format(t)).
		WithHint("columns may be bool, integers, floats, utf8, binary, dates, times, timestamps or durations")
}

func summable(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.DATE32, arrow.TIME32, arrow.TIME64, arrow.TIMESTAMP:
		return false
	}
	return true
}

// Fields returns the columns of a result.
func (s *Set) Fields() []arrow.Field { return s.fields }

// Columns returns the names of the columns that the aggregates read.
func Columns(specs []Spec) []string {
	var names []string
	for _, s := range specs {
		for _, name := range []string{s.Column, s.By} {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Type names the layout of the set's accumulators, for [state.Store.Declare]: version and columns.
func (s *Set) Type() string {
	parts := make([]string, len(s.aggregates))
	for i, a := range s.aggregates {
		parts[i] = fmt.Sprintf("%s: %s %s", a.Name, a.Func, schema.Format(a.out))
	}
	return "aggregates/1<" + strings.Join(parts, ", ") + ">"
}

// NewRow returns an accumulator that nothing was added to.
func (s *Set) NewRow() Row { return make(Row, s.cells) }

// Clear empties an accumulator.
func (s *Set) Clear(r Row) { clear(r) }

// Empty reports whether an accumulator is as NewRow gives it.
func (r Row) Empty() bool {
	for i := range r {
		if r[i].n != 0 {
			return false
		}
	}
	return true
}

// Size returns about how many bytes an accumulator takes.
func (r Row) Size() int {
	n := 56 * len(r)
	for i := range r {
		n += cap(r[i].data)
	}
	return n
}

// Add adds a row of the record bound. Seq tells when it came: it rises from row to row.
func (s *Set) Add(r Row, row int, seq int64) {
	for i := range s.aggregates {
		s.aggregates[i].add(r, row, seq)
	}
}

// Merge adds what was added to from, which stays as it is.
func (s *Set) Merge(into, from Row) {
	for i := range s.aggregates {
		s.aggregates[i].merge(into, from)
	}
}

// Build appends the results to the builders of Fields. An integer sum that does not fit its type gives a fault of code Limit.
func (s *Set) Build(builders []array.Builder, r Row) error {
	for i := range s.aggregates {
		a := &s.aggregates[i]
		if err := a.build(builders[i], r); err != nil {
			return fault.From(err).At("aggregate %s", a.Name)
		}
	}
	return nil
}

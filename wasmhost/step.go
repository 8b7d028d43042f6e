package wasmhost

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/arrowabi"
)

// progress follows the steps of one result and holds them to the function's kind.
type progress struct {
	function *function
	importer *arrowabi.Importer
	empty    arrow.Record
	side     int        // the output: 0, or the number of a side output
	sides    []progress // of the side outputs, once one of them had a step
	inputs   int        // rows that went in
	rows     int        // rows that came out; with origins only whether there were any
	origin   int32      // the last origin
	mapped   bool       // the steps with rows have origins
	partial  bool       // the row of the last origin has more rows to come
}

// consume imports a step, checks it and yields it. A step that is not sound breaks the guest, for its memory cannot be trusted to be
// in any order; an error of yield is returned as it is.
func (p *progress) consume(r stepResult, last bool, yield func(udf.Result) error) error {
	f := p.function
	if r.side != 0 {
		aside, err := p.aside(r, last)
		if err != nil {
			f.guest.broken = fault.From(err)
			return f.blame(-1, err)
		}
		p = aside
	}
	rec, origins, err := p.take(r, last)
	if err != nil {
		if f.guest.broken == nil {
			f.guest.broken = fault.From(err)
		}
		return f.blame(-1, err)
	}
	defer rec.Release()
	return yield(udf.Result{Record: rec, Origins: origins, Side: p.side, Last: last, Partial: r.partial == 1})
}

func (p *progress) take(r stepResult, last bool) (arrow.Record, []int32, error) {
	rec := p.empty
	rec.Retain()
	if r.array != 0 {
		var err error
		rec.Release()
		if rec, err = p.importer.Import(r.array); err != nil {
			return nil, nil, err
		}
	}
	origins, err := p.check(rec, r, last)
	if err != nil {
		rec.Release()
		return nil, nil, err
	}
	return rec, origins, nil
}

// check holds a step to the rules of its kind and returns the origins of its rows.
func (p *progress) check(rec arrow.Record, r stepResult, last bool) ([]int32, error) {
	f, rows := p.function, int(rec.NumRows())
	free := f.signature.Kind == udf.FlatMap || f.signature.Kind.Keyed()
	if r.origins != 0 && !free {
		return nil, fault.New(fault.Guest, "a %s has no origins: its rows correspond one to one", f.signature.Kind)
	}
	if err := p.checkPartial(r, free, last); err != nil {
		return nil, err
	}
	if rows > 0 {
		if p.rows > 0 && p.mapped != (r.origins != 0) {
			return nil, fault.New(fault.Guest, "some steps of the result have origins and others have none")
		}
		p.mapped = r.origins != 0
	}
	if p.mapped && rows > 0 {
		origins, err := p.importer.Origins(r.origins, rows, p.inputs)
		if err != nil {
			return nil, err
		}
		if origins[0] < p.origin {
			return nil, fault.New(fault.BadArray, "origins fall from row %d to row %d between two steps", p.origin, origins[0])
		}
		if p.rows > 0 && origins[0] == p.origin && !p.partial && f.signature.Kind != udf.Process {
			return nil, fault.New(fault.Guest, "a step goes on with row %d, and the one before did not say that it is partial", p.origin)
		}
		p.origin, p.partial = origins[rows-1], r.partial == 1
		p.rows = 1
		return origins, nil
	}
	return p.matched(rows, free, last)
}

// checkPartial checks what a step says of its last row. Whether the engine may run a row again hangs on it.
func (p *progress) checkPartial(r stepResult, free, last bool) error {
	switch {
	case r.partial > 1:
		return fault.New(fault.Guest, "expected partial 0 or 1, got %d", r.partial)
	case p.function.signature.Kind == udf.Process:
		// Nothing is done before the whole call is.
	case r.partial == 1 && last:
		return fault.New(fault.Guest, "the last step is partial")
	case r.partial == 1 && !free:
		return fault.New(fault.Guest, "a %s has no partial rows: they correspond one to one", p.function.signature.Kind)
	}
	return nil
}

// matched checks steps whose rows correspond to the input's one to one.
func (p *progress) matched(rows int, free, last bool) ([]int32, error) {
	if p.mapped {
		return nil, nil // an empty step among others
	}
	if p.side > 0 {
		if rows > 0 {
			return nil, fault.New(fault.Guest, "a step of the side output `%s` has no origins", p.function.sides[p.side-1].tag)
		}
		return nil, nil
	}
	p.rows += rows
	if p.rows > p.inputs || last && p.rows < p.inputs && !(free && p.rows == 0) {
		what := "a %s returned %d rows for %d"
		if free {
			what += " without origins"
		}
		return nil, fault.New(fault.Guest, what, p.function.signature.Kind, p.rows, p.inputs)
	}
	if free && rows < p.inputs {
		return p.function.counting(p.rows-rows, rows), nil
	}
	return nil, nil
}

// side is an output of a process beside its results.
type side struct {
	tag      string
	importer *arrowabi.Importer
	empty    arrow.Record
}

// openSides takes what the side outputs need.
func (f *function) openSides(limits arrowabi.Limits) error {
	f.sides = nil
	for _, d := range f.signature.Sides {
		importer, err := arrowabi.NewImporter(f.guest.arena, d.Out, limits, f.where)
		if err != nil {
			return err
		}
		empty := array.NewRecordBuilder(memory.DefaultAllocator, d.Out)
		f.sides = append(f.sides, side{d.Tag, importer, empty.NewRecord()})
		empty.Release()
	}
	return nil
}

// aside returns what there is of the side output that a step belongs to. Should it be the last step, the results are complete.
func (p *progress) aside(r stepResult, last bool) (*progress, error) {
	f := p.function
	if int64(r.side) > int64(len(f.sides)) {
		return nil, fault.New(fault.Guest, "a step of side output %d came, the function declares %d", r.side, len(f.sides))
	}
	if last {
		if _, err := p.matched(0, true, true); err != nil {
			return nil, err
		}
	}
	if p.sides == nil {
		for i, s := range f.sides {
			p.sides = append(p.sides, progress{function: f, importer: s.importer, empty: s.empty, side: i + 1, inputs: p.inputs})
		}
	}
	return &p.sides[r.side-1], nil
}

// counting returns n origins from first on, in memory that the next step may use again.
func (f *function) counting(first, n int) []int32 {
	f.identity = f.identity[:0]
	for i := range n {
		f.identity = append(f.identity, int32(first+i))
	}
	return f.identity
}

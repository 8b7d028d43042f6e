package wasmhost

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/arrowabi"
)

// maxConfig is the most bytes of a function's configuration.
const maxConfig = 1 << 20

// Bind implements [udf.Guest]. It returns faults of code Schema for an input that does not fit, Unsupported for types
// that do not cross, Limit for memory, and Guest for a function that refuses or breaks the ABI; then the guest is broken.
func (g *guest) Bind(ctx context.Context, name string, kind udf.Kind, in *arrow.Schema, config json.RawMessage, state udf.State) (udf.Function, error) {
	if g.broken != nil {
		return nil, g.gone()
	}
	index := -1
	var names []string
	var kinds []string // that the function has, should it not have this one
	for i, s := range g.bundle.functions {
		names = append(names, s.Name)
		if s.Name == name {
			kinds = append(kinds, string(s.Kind))
			if s.Kind == kind {
				index = i
			}
		}
	}
	switch {
	case index >= 0:
	case len(kinds) > 0:
		return nil, fault.New(fault.Schema, "the function `%s` of the bundle `%s` is %s, not %s", name, g.bundle.name, strings.Join(kinds, ", "), kind)
	default:
		return nil, fault.New(fault.Schema, "the bundle `%s` has no function `%s`", g.bundle.name, name).
			WithHint("%s", fault.DidYouMean(name, names))
	}
	f := &function{guest: g, index: uint32(index), signature: &g.bundle.functions[index], in: in, state: state, where: "function " + name}
	err := f.open(ctx, config)
	if err != nil {
		return nil, f.placed(err)
	}
	if kind == udf.Process {
		timed, err := newProcess(f)
		if err != nil {
			return nil, f.placed(err)
		}
		return timed, nil
	}
	return f, nil
}

// open checks the input's schema, opens the function in the guest, and takes what calls need.
func (f *function) open(ctx context.Context, config json.RawMessage) error {
	g := f.guest
	if err := f.fits(); err != nil {
		return err
	}
	if len(config) > maxConfig {
		return fault.New(fault.Limit, "the configuration has %d bytes, at most %d are allowed", len(config), maxConfig)
	}
	if keyed := f.signature.Kind.Keyed(); keyed && f.state == nil && len(f.signature.State) > 0 {
		return fault.New(fault.Internal, "a keyed function was bound without state")
	} else if !keyed {
		f.state = nil
	}
	f.out = f.signature.Out
	if f.out == nil {
		f.out = f.in
	}
	empty := array.NewRecordBuilder(memory.DefaultAllocator, f.out)
	f.empty = empty.NewRecord()
	empty.Release()
	leave := g.account(ctx, nil)
	defer leave()
	if err := f.enterOpen(ctx, config); err != nil {
		return err
	}
	var err error
	if f.result, err = g.arena.Scratch(resultSize, 8); err != nil {
		return err
	}
	brings := f.in
	if f.signature.Kind == udf.Process {
		brings = withTimes(f.in)
	}
	if f.exporter, err = arrowabi.NewExporter(g.arena, brings, f.signature.Kind.Keyed(), g.noop, f.where); err != nil {
		return err
	}
	limits := arrowabi.Limits{Rows: g.options.MaxStepRows, Bytes: g.options.MaxStepBytes}
	if f.importer, err = arrowabi.NewImporter(g.arena, f.out, limits, f.where); err != nil {
		return err
	}
	return f.openSides(limits)
}

// fits checks the input's schema against the columns that the function declares.
func (f *function) fits() error {
	if err := arrowabi.CheckSchema(f.in); err != nil {
		return err
	}
	if f.signature.In == nil {
		return nil
	}
	want, got := f.signature.In.Fields(), f.in.Fields()
	if len(want) != len(got) {
		return fault.New(fault.Schema, "expected %d columns (%s), got %d (%s)", len(want), schema.FormatSchema(f.signature.In), len(got), schema.FormatSchema(f.in))
	}
	for i := range want {
		if !arrow.TypeEqual(want[i].Type, got[i].Type) {
			return fault.New(fault.Schema, "expected %s, got %s", schema.Format(want[i].Type), schema.Format(got[i].Type)).At("column %s", want[i].Name)
		}
	}
	return nil
}

// enterOpen calls wasmill_open with the schema and the configuration, which live until it returns.
func (f *function) enterOpen(ctx context.Context, config json.RawMessage) error {
	g := f.guest
	schemaPtr, err := arrowabi.ExportSchema(g.arena, f.in, g.noop)
	if err != nil {
		return err
	}
	var configPtr uint32
	if len(config) > 0 {
		if configPtr, err = g.arena.Scratch(len(config), 1); err != nil {
			return err
		}
		b, ok := g.view(configPtr, uint32(len(config)))
		if !ok {
			return fault.New(fault.Internal, "scratch lies outside of the memory")
		}
		copy(b, config)
	}
	g.opened = true // even if it fails: another may have been opened before
	open := g.mod.ExportedFunction(exportOpen)
	refusal := g.status(ctx, exportOpen, open, uint64(f.index), uint64(schemaPtr), uint64(configPtr), uint64(len(config)))
	if g.broken != nil {
		return refusal
	}
	err = g.arena.FreeScratch(schemaPtr)
	if configPtr != 0 && err == nil {
		err = g.arena.FreeScratch(configPtr)
	}
	if refusal != nil {
		return refusal
	}
	return err
}

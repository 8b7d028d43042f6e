package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
)

// padding is how many rows lie before and behind the rows of a sliced input: not a multiple of 8, so that bits shift.
const padding = 3

// reserve is what a vector's input may take in a guest, in bytes.
const reserve = 1 << 20

func (v *Vector) run(ctx context.Context, functions []udf.Signature, g udf.Guest, layout string) error {
	in, err := v.schema()
	if err != nil {
		return err
	}
	store := &states{values: map[string][]byte{}}
	signature := udf.Find(functions, v.Function, "")
	if signature == nil {
		return fmt.Errorf("the bundle has no function %s", v.Function)
	}
	var st udf.State = store
	if signature.Kind == udf.Process {
		store.timed = newTimed(store, signature.State)
		st = store.timed
	}
	for _, side := range signature.Sides {
		store.tags = append(store.tags, side.Tag)
	}
	f, err := g.Bind(ctx, v.Function, signature.Kind, in, v.Config, st)
	if err != nil {
		return err
	}
	for i := range v.Calls {
		if err := v.call(ctx, g, f, in, &v.Calls[i], store, layout); err != nil {
			return fmt.Errorf("call %d: %w", i, err)
		}
	}
	return nil
}

func (v *Vector) call(ctx context.Context, g udf.Guest, f udf.Function, in *arrow.Schema, c *Call, store *states, layout string) error {
	var alloc memory.Allocator = memory.DefaultAllocator
	if layout != "plain" {
		if err := g.Arena().Reserve(reserve); err != nil {
			return err
		}
		alloc = g.Arena()
	}
	rows := c.Rows
	if layout == "sliced" && len(rows) > 0 {
		for range padding {
			rows = append(append(rows[:0:0], c.Rows[len(c.Rows)-1]), rows...)
			rows = append(rows, c.Rows[0])
		}
	}
	rec, err := build(alloc, in, rows)
	if err != nil {
		return fmt.Errorf("the vector's input: %w", err)
	}
	defer func() { rec.Release() }()
	if layout == "sliced" && len(c.Rows) > 0 {
		whole := rec
		rec = whole.NewSlice(padding, int64(padding+len(c.Rows)))
		whole.Release()
	}
	got := outcome{inputs: len(c.Rows) + len(c.Fire), tags: store.tags}
	before := g.Stats().CopiedBytes
	if t := store.timed; t != nil {
		err = t.call(ctx, f.(udf.TimedFunction), rec, c, got.step)
	} else {
		err = f.Call(ctx, rec, store.begin(c.Keys), got.step)
	}
	if c.Error != nil {
		return c.Error.check(err)
	}
	if err != nil {
		return err
	}
	if copied := g.Stats().CopiedBytes - before; copied > 0 && layout == "guest" && store.timed == nil { // event times lie outside
		return fmt.Errorf("%d bytes were copied although the input lay in the guest", copied)
	}
	return got.check(c)
}

// outcome collects the steps of a result.
type outcome struct {
	inputs  int
	rows    []string
	origins []int32
	partial bool // so said the last step with rows
	matched bool // a step had no origins
	last    int  // how many steps were the last
	tags    []string
	sides   map[string]*outcome // by tag
}

func (o *outcome) step(r udf.Result) error {
	if o.last > 0 {
		return errors.New("a step came after the last one")
	}
	if r.Side > 0 {
		return o.aside(r)
	}
	if r.Last {
		o.last++
	}
	rows, err := render(r.Record)
	if err != nil {
		return err
	}
	if len(rows) > 0 && r.Origins == nil {
		o.matched = true
	}
	if r.Origins != nil && len(r.Origins) != len(rows) {
		return fmt.Errorf("%d origins for %d rows", len(r.Origins), len(rows))
	}
	if len(rows) > 0 {
		if n := len(o.origins); o.partial && (r.Origins == nil || r.Origins[0] != o.origins[n-1]) {
			return fmt.Errorf("the step before row %d was partial, and its last input row has no more rows", n)
		}
		o.partial = r.Partial
	}
	o.rows = append(o.rows, rows...)
	o.origins = append(o.origins, r.Origins...)
	return nil
}

func (o *outcome) check(c *Call) error {
	if o.last != 1 {
		return errors.New("there was no last step")
	}
	if err := o.checkSides(c.Sides); err != nil {
		return err
	}
	if c.Counts != nil {
		counts := make([]int, o.inputs)
		for _, origin := range o.all() {
			counts[origin]++
		}
		if fmt.Sprint(counts) != fmt.Sprint(c.Counts) {
			return fmt.Errorf("expected %v rows of the input's, got %v", c.Counts, counts)
		}
		return nil
	}
	var want []string
	for _, row := range c.Want {
		text, err := canonical(row)
		if err != nil {
			return fmt.Errorf("the vector's output: %w", err)
		}
		want = append(want, text)
	}
	if got, want := strings.Join(o.rows, "\n"), strings.Join(want, "\n"); got != want {
		return fmt.Errorf("expected rows\n%s\ngot\n%s", want, got)
	}
	if c.Origins == nil && len(o.origins) > 0 && !counts(o.origins) || c.Origins != nil && fmt.Sprint(c.Origins) != fmt.Sprint(o.all()) {
		return fmt.Errorf("expected origins %v, got %v", c.Origins, o.all())
	}
	return nil
}

// all returns the origins, also of rows that correspond one to one.
func (o *outcome) all() []int32 {
	if !o.matched {
		return o.origins
	}
	all := make([]int32, len(o.rows))
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// counts says whether origins are 0, 1, 2 and so on, which is what rows that correspond one to one have.
func counts(origins []int32) bool {
	for i, o := range origins {
		if int(o) != i {
			return false
		}
	}
	return true
}

func (want *Failure) check(err error) error {
	var failed *udf.CallError
	if !errors.As(err, &failed) {
		return fmt.Errorf("expected the call to fail at row %d, got %v", want.Row, err)
	}
	if what := fault.From(failed.Err).What; failed.Row != want.Row || what != want.Text {
		return fmt.Errorf("expected %q at row %d, got %q at row %d", want.Text, want.Row, what, failed.Row)
	}
	return nil
}

// states is the state of a keyed function, by the key's name.
type states struct {
	keys   []string // by slot
	values map[string][]byte
	timed  *timed   // of a process
	tags   []string // of its side outputs
}

// begin takes a call's keys and returns the rows' slots, nil for nil.
func (s *states) begin(keys []string) []int32 {
	s.keys = s.keys[:0]
	if keys == nil {
		return nil
	}
	slots, known := make([]int32, len(keys)), map[string]int32{}
	for i, k := range keys {
		slot, ok := known[k]
		if !ok {
			slot = int32(len(s.keys))
			known[k] = slot
			s.keys = append(s.keys, k)
		}
		slots[i] = slot
	}
	return slots
}

func (s *states) key(state, slot int32) string { return fmt.Sprintf("%d %s", state, s.keys[slot]) }

func (s *states) Get(state, slot int32) ([]byte, bool, error) {
	v, ok := s.values[s.key(state, slot)]
	return v, ok, nil
}

func (s *states) Put(state, slot int32, value []byte) error {
	s.values[s.key(state, slot)] = append([]byte(nil), value...)
	return nil
}

func (s *states) Delete(state, slot int32) error {
	delete(s.values, s.key(state, slot))
	return nil
}

package wasmill

import (
	"reflect"
	"unsafe"
)

// Number is what a vectorised function gets in slices.
type Number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Vector1 registers an expression of one column, a, that works on whole batches: out[i] is to become the value for
// a[i]. The slices lie in the columns' own memory: they are valid until fn returns, and a is not to be changed. Where a is
// null, a[i] is any number and the result is null whatever out[i] is.
func Vector1[A, R Number](name string, fn func(a []A, out []R) error, options ...Option) {
	registerVector[struct{ A A }, R](name, options, func(f *function, out []R) error {
		return fn(slice[A](f, 0), out)
	})
}

// Vector2 is [Vector1] of two columns, a and b. The result is null where one of them is.
func Vector2[A, B, R Number](name string, fn func(a []A, b []B, out []R) error, options ...Option) {
	registerVector[struct {
		A A
		B B
	}, R](name, options, func(f *function, out []R) error {
		return fn(slice[A](f, 0), slice[B](f, 1), out)
	})
}

func slice[T any](f *function, i int) []T {
	return unsafe.Slice((*T)(f.columns[i].values), f.length)
}

func registerVector[In any, R Number](name string, options []Option, fn func(f *function, out []R) error) {
	in := compileInput(reflect.TypeFor[In](), name)
	out := compileRow(reflect.TypeFor[struct{ Value *R }](), name)
	register(&function{name: name, kind: "scalar", in: in, out: out, run: func(f *function) error {
		f.at = -1
		if f.length > stepRows {
			return Errorf("a vectorised function takes at most ", itoa(stepRows), " rows at once, got ", itoa(f.length))
		}
		r := f.take()
		o := r.outputs[0]
		if err := fn(f, unsafe.Slice((*R)(o.extend(f.length)), f.length)); err != nil {
			return err
		}
		for i := range f.columns {
			if c := &f.columns[i]; c.validity != nil {
				for row := range f.length {
					if c.null(row) {
						o.setNull(row)
					}
				}
			}
		}
		r.rows, f.next = f.length, f.length
		return nil
	}}, options)
}

// Batch is a batch of any columns, as [AnyFilter] sees it.
type Batch struct{ f *function }

// Len returns how many columns there are.
func (b Batch) Len() int { return len(b.f.columns) }

// Name returns a column's name.
func (b Batch) Name(column int) string { return b.f.columns[column].name }

// Format returns a column's type in the notation of the Arrow C data interface, such as "l" for int64.
func (b Batch) Format(column int) string { return b.f.columns[column].format }

// IsNull reports whether a column is null in a row.
func (b Batch) IsNull(column, row int) bool {
	c := &b.f.columns[column]
	return c.format == "n" || c.null(row)
}

// AnyFilter registers a filter over rows of any columns, whose names and types it learns from the batch.
func AnyFilter(name string, fn func(batch Batch, row int) (bool, error), options ...Option) {
	out := compileRow(reflect.TypeFor[struct{ Keep bool }](), name)
	register(&function{name: name, kind: "filter", out: out, run: func(f *function) error {
		r := f.take()
		for ; f.next < f.length; f.next++ {
			f.at = f.next
			keep, err := fn(Batch{f}, f.at)
			if err != nil {
				return err
			}
			r.outputs[0].codec.write(r.outputs[0], 1, unsafe.Pointer(&keep), 0)
			r.rows++
		}
		return nil
	}}, options)
}

// AnyMap registers a function that sees batches of any columns and returns them as they are.
func AnyMap(name string, fn func(batch Batch) error, options ...Option) {
	register(&function{name: name, kind: "map", run: func(f *function) error {
		f.at = -1
		f.take().rows, f.next = f.length, f.length
		return fn(Batch{f})
	}}, options)
}

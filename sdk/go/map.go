package wasmill

import (
	"reflect"
	"unsafe"
)

// Map registers a function that makes one row of each.
func Map[In, Out any](name string, fn func(In) (Out, error), options ...Option) {
	in, out := compileInput(reflect.TypeFor[In](), name), compileRow(reflect.TypeFor[Out](), name)
	resolvePasses(name, in, out)
	registerMap(name, "map", in, out, fn, options)
}

// Scalar registers an expression: it computes one column, named value, of the fields of In. R is of a column's type.
func Scalar[In, R any](name string, fn func(In) (R, error), options ...Option) {
	in, out := compileInput(reflect.TypeFor[In](), name), compileRow(reflect.TypeFor[struct{ Value R }](), name)
	registerMap(name, "scalar", in, out, func(in In) (struct{ Value R }, error) {
		v, err := fn(in)
		return struct{ Value R }{v}, err
	}, options)
}

// Scalar1 registers an expression of one column, named a. A panic in fn fails the row.
func Scalar1[A, R any](name string, fn func(A) R, options ...Option) {
	type in struct{ A A }
	registerScalar(name, func(in *in) R { return fn(in.A) }, options)
}

// Scalar2 registers an expression of two columns, a and b.
func Scalar2[A, B, R any](name string, fn func(A, B) R, options ...Option) {
	type in struct {
		A A
		B B
	}
	registerScalar(name, func(in *in) R { return fn(in.A, in.B) }, options)
}

// Scalar3 registers an expression of three columns, a, b and c.
func Scalar3[A, B, C, R any](name string, fn func(A, B, C) R, options ...Option) {
	type in struct {
		A A
		B B
		C C
	}
	registerScalar(name, func(in *in) R { return fn(in.A, in.B, in.C) }, options)
}

func registerScalar[In, R any](name string, fn func(*In) R, options []Option) {
	var rows []In
	var outs []R
	in, out := compileInput(reflect.TypeFor[In](), name), compileRow(reflect.TypeFor[struct{ Value R }](), name)
	register(&function{name: name, kind: "scalar", in: in, out: out, run: func(f *function) error {
		f.take()
		return inChunks(f, in, &rows, func(n int) error {
			if outs == nil {
				outs = make([]R, chunk)
			}
			for i := range n {
				f.at = f.next + i
				outs[i] = fn(&rows[i])
			}
			return f.add(unsafe.Pointer(&outs[0]), n, nil)
		})
	}}, options)
}

// Filter registers a function that says which rows to keep: those for which it returns true. A Null[bool] says that it is not
// known, which counts as false.
func Filter[In any, Keep bool | Null[bool]](name string, fn func(In) (Keep, error), options ...Option) {
	var rows []In
	var keep [chunk]Keep
	in := compileInput(reflect.TypeFor[In](), name)
	out := compileRow(reflect.TypeFor[struct{ Keep Keep }](), name)
	register(&function{name: name, kind: "filter", in: in, out: out, run: func(f *function) error {
		f.take()
		return inChunks(f, in, &rows, func(n int) error {
			for i := range n {
				f.at = f.next + i
				var err error
				if keep[i], err = fn(rows[i]); err != nil {
					return err
				}
			}
			return f.add(unsafe.Pointer(&keep), n, nil)
		})
	}}, options)
}

func registerMap[In, Out any](name, kind string, in, out *row, fn func(In) (Out, error), options []Option) {
	var rows []In
	var outs []Out
	register(&function{name: name, kind: kind, in: in, out: out, run: func(f *function) error {
		f.take()
		return inChunks(f, in, &rows, func(n int) error {
			if outs == nil {
				outs = make([]Out, chunk)
			}
			for i := range n {
				f.at = f.next + i
				v, err := fn(rows[i])
				if err != nil {
					return err
				}
				outs[i] = v
				if out.checked {
					if fault := out.check(unsafe.Pointer(&outs[i])); fault != "" {
						return failure(fault)
					}
				}
			}
			return f.add(unsafe.Pointer(&outs[0]), n, nil)
		})
	}}, options)
}

// inChunks reads the rows of the batch into *rows, at most 1,024 at a time, and calls each with how many they are. It stops early
// when a result is full.
func inChunks[In any](f *function, in *row, rows *[]In, each func(n int) error) error {
	if *rows == nil {
		*rows = make([]In, chunk)
	}
	for f.next < f.length && len(f.full) == 0 && !f.sidesFull() {
		n := min(chunk, f.length-f.next)
		f.at = f.next
		for i := range in.fields {
			if field := &in.fields[i]; !field.codec.pass && !f.firing {
				field.codec.read(&f.columns[i], f.next, n, unsafe.Add(unsafe.Pointer(unsafe.SliceData(*rows)), field.offset), in.size)
			}
		}
		if err := each(n); err != nil {
			return err
		}
		f.next += n
	}
	return nil
}

// resolvePasses gives the columns that out passes on the type that in declares for them.
func resolvePasses(name string, in, out *row) {
	for i := range out.fields {
		if !out.fields[i].codec.pass {
			continue
		}
		found := false
		for _, from := range in.fields {
			if from.name == out.fields[i].name {
				out.fields[i].codec.text, found = from.codec.text, true
			}
		}
		if !found {
			panic("wasmill: " + name + ": there is no input column " + out.fields[i].name + " to pass on")
		}
	}
}

package wasmill

import (
	"reflect"
	"unsafe"
)

// emitter collects the rows that a function emits, and adds them to the function's result.
type emitter[Out any] struct {
	f       *function
	rows    []Out
	origins []int32
	bytes   int
	err     error
}

const emitBytes = 4 << 20 // of text that an emitter holds back

func (e *emitter[Out]) emit(v Out) {
	e.rows, e.origins = append(e.rows, v), append(e.origins, int32(e.f.at))
	last := unsafe.Pointer(&e.rows[len(e.rows)-1])
	if out := e.f.out; out.checked && e.err == nil {
		if fault := out.check(last); fault != "" {
			e.err = failure(fault)
		}
	}
	if e.f.out.sized != nil {
		e.bytes += e.f.out.bytes(last)
	}
	if len(e.rows) == chunk || e.bytes > emitBytes {
		e.flush()
	}
}

func (e *emitter[Out]) flush() {
	if len(e.rows) > 0 && e.err == nil {
		e.err = e.f.add(unsafe.Pointer(&e.rows[0]), len(e.rows), e.origins)
	}
	e.rows, e.origins, e.bytes = e.rows[:0], e.origins[:0], 0
}

// FlatMap registers a function that makes any number of rows of each, by calling emit before it returns.
func FlatMap[In, Out any](name string, fn func(in In, emit func(Out)) error, options ...Option) {
	var rows []In
	in, out := compileInput(reflect.TypeFor[In](), name), compileRow(reflect.TypeFor[Out](), name)
	refusePasses(name, out)
	e := &emitter[Out]{}
	emit := e.emit
	register(&function{name: name, kind: "flat_map", in: in, out: out, run: func(f *function) error {
		f.take()
		*e = emitter[Out]{f: f, rows: e.rows[:0], origins: e.origins[:0]}
		return inChunks(f, in, &rows, func(n int) error {
			for i := range n {
				f.at = f.next + i
				if err := fn(rows[i], emit); err != nil {
					return err
				}
				if e.err != nil {
					return e.err
				}
			}
			e.flush()
			return e.err
		})
	}}, options)
}

func refusePasses(name string, out *row) {
	for _, f := range out.fields {
		if f.codec.pass {
			panic("wasmill: " + name + ": column " + f.name + " cannot be passed on: only a map has one row for each")
		}
	}
}

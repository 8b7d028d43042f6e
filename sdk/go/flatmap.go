package wasmill

import (
	"reflect"
	"unsafe"
)

// emitter collects the rows that a function emits, and adds them to the function's result.
type emitter[Out any] struct {
	f       *function
	out     *row
	rows    []Out
	origins []int32
	n       int // rows collected
	bytes   int // of text in them
	err     error
}

const emitBytes = 4 << 20 // of text that an emitter holds back

// begin prepares for a run of f.
func (e *emitter[Out]) begin(f *function) {
	if e.rows == nil {
		e.rows, e.origins = make([]Out, chunk), make([]int32, chunk)
	}
	e.f, e.out, e.n, e.bytes, e.err = f, f.out, 0, 0, nil
}

func (e *emitter[Out]) emit(v Out) {
	at := &e.rows[e.n]
	*at = v
	e.origins[e.n] = int32(e.f.at)
	e.n++
	if e.out.checked && e.err == nil {
		if fault := e.out.check(unsafe.Pointer(at)); fault != "" {
			e.err = failure(fault)
		}
	}
	if e.out.sized != nil {
		e.bytes += e.out.bytes(unsafe.Pointer(at))
	}
	if e.n == chunk || e.bytes > emitBytes {
		e.flush()
	}
}

func (e *emitter[Out]) flush() {
	if e.n > 0 && e.err == nil {
		e.err = e.f.add(unsafe.Pointer(&e.rows[0]), e.n, e.origins[:e.n])
	}
	e.n, e.bytes = 0, 0
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
		e.begin(f)
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

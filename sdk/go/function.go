package wasmill

//lint:file-ignore U1000 what this host's build has no use for, exports_wasip1.go has

import (
	"runtime"
	"strings"
	"unsafe"
)

// A step of a result ends at this many rows, or at the first row that takes it past this many bytes of text; the ABI allows 65,536 rows and 64 MiB.
const (
	stepRows  = 65_535
	stepBytes = 32 << 20
	chunk     = 1024 // rows that cross between columns and Go at once
)

// function is a registered function and what there is of its current call.
type function struct {
	name, kind, doc string
	in, out, state  *row // nil for any columns, the same columns, no state
	open            func(config []byte) error
	run             func(f *function) error // fills results until done, or until a result is full

	states        []stateField // of a process
	sides         []aside
	sideFunctions []*function

	columns []column
	slots   []int32
	times   column // of a process: of its rows or timers
	domains column // of its timers
	firing  bool   // the call is about timers
	length  int    // rows of the batch
	next    int    // the first row not worked on yet
	at      int    // the row at work, for errors
	now     *result
	full    []*result
	idle    []*result
	opened  bool
	done    bool
}

// result is a step that is being filled, that waits for the host, or that the host reads.
type result struct {
	owner    *function
	array    arrowArray
	children []pointer
	outputs  []*output // nil for columns passed through
	passed   []arrowArray
	origins  []int32
	first    int // the batch's row that row 0 comes from, where rows correspond one to one
	rows     int
	bytes    int
	side     int // the side output that it belongs to, counted from 1
}

// functions in the order of their registration.
var functions []*function

// live holds results that the host reads, by address; nothing else in Go refers to them.
var live = map[pointer]*result{}

// Option is a setting of a function.
type Option func(*function)

// Doc sets the sentence that describes the function.
func Doc(text string) Option { return func(f *function) { f.doc = text } }

// Columns names the columns of a [Scalar1] to [Scalar3], [Vector1] or [Vector2], which are a, b and c otherwise.
func Columns(names ...string) Option {
	return func(f *function) {
		if f.in == nil || len(names) != len(f.in.fields) {
			panic("wasmill: " + f.name + ": Columns has " + itoa(len(names)) + " names, which is not how many columns there are")
		}
		for i, name := range names {
			f.in.fields[i].name = name
		}
	}
}

// Result names the column that a scalar function computes, which is value otherwise.
func Result(name string) Option {
	return func(f *function) {
		if f.kind != "scalar" {
			panic("wasmill: " + f.name + ": Result is for scalar functions")
		}
		f.out.fields[0].name = name
	}
}

// OnOpen has fn called when the function is opened, with the pipeline's configuration as JSON, empty for none. The function keeps its bytes.
func OnOpen(fn func(config []byte) error) Option { return func(f *function) { f.open = fn } }

func register(f *function, options []Option) {
	for _, o := range options {
		o(f)
	}
	for _, other := range functions {
		if other.name == f.name {
			panic("wasmill: two functions are named " + f.name)
		}
	}
	functions = append(functions, f)
}

// take returns an empty result, with the memory of an earlier one if there is any.
func (f *function) take() *result {
	var r *result
	if n := len(f.idle); n > 0 {
		r, f.idle = f.idle[n-1], f.idle[:n-1]
	} else {
		r = f.newResult()
	}
	for _, o := range r.outputs {
		if o != nil {
			o.reset()
		}
	}
	r.first, r.rows, r.bytes, r.origins = f.next, 0, 0, r.origins[:0]
	f.now = r
	return r
}

func (f *function) newResult() *result {
	r := &result{owner: f}
	if f.out == nil { // the columns as they come
		r.outputs = make([]*output, len(f.columns))
	} else {
		for _, field := range f.out.fields {
			if field.codec.pass {
				r.outputs = append(r.outputs, nil)
			} else {
				r.outputs = append(r.outputs, newOutput(field.codec))
			}
		}
	}
	r.children = make([]pointer, len(r.outputs))
	r.passed = make([]arrowArray, len(r.outputs))
	return r
}

// add appends n rows that lie behind each other in memory. Origins is nil where rows correspond one to one. Rows that are more than a
// step holds go into further results.
func (f *function) add(rows unsafe.Pointer, n int, origins []int32) error {
	for n > 0 {
		r := f.now
		take := min(n, stepRows-r.rows)
		bytes := f.out.total(rows, take)
		if r.bytes+bytes > stepBytes {
			if take, bytes = f.fitting(rows, take); take == 0 && r.rows == 0 {
				return Errorf("a row holds ", itoa(f.out.bytes(rows)), " bytes, more than 32 MiB")
			}
		}
		for i, field := range f.out.fields {
			if o := r.outputs[i]; o != nil && take > 0 {
				field.codec.write(o, take, unsafe.Add(rows, field.offset), f.out.size)
			}
		}
		r.rows, r.bytes = r.rows+take, r.bytes+bytes
		if origins != nil {
			r.origins, origins = append(r.origins, origins[:take]...), origins[take:]
		}
		rows, n = unsafe.Add(rows, uintptr(take)*f.out.size), n-take
		if n > 0 {
			first := r.first + r.rows
			f.full = append(f.full, r)
			f.take().first = first
		}
	}
	return nil
}

// fitting returns how many of n rows the current result still has room for, and their bytes.
func (f *function) fitting(rows unsafe.Pointer, n int) (take, bytes int) {
	for take < n {
		b := f.out.bytes(unsafe.Add(rows, uintptr(take)*f.out.size))
		if f.now.bytes+bytes+b > stepBytes {
			break
		}
		take, bytes = take+1, bytes+b
	}
	return take, bytes
}

// drop takes back what was not handed out.
func (f *function) drop() {
	if f.now != nil {
		f.full = append(f.full, f.now)
	}
	f.idle = append(f.idle, f.full...)
	f.now, f.full = nil, f.full[:0]
	for _, s := range f.sideFunctions {
		s.drop()
	}
}

// failure is an error whose text is for the function's author.
type failure string

func (e failure) Error() string { return string(e) }

// Errorf joins its parts to an error. It stands in for fmt.Errorf, which makes a guest larger by 300 KB.
func Errorf(parts ...string) error { return failure(strings.Join(parts, "")) }

// refusal ends a row from within what cannot return an error.
type refusal struct{ failure }

// protect runs fn, and makes an error of a panic in it, with the lines of the author's code that led there.
func protect(fn func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case refusal:
			err = p.failure
		default:
			err = failure("panic: " + panicText(p) + where())
		}
	}()
	return fn()
}

func panicText(p any) string {
	switch p := p.(type) {
	case error:
		return p.Error()
	case string:
		return p
	case interface{ String() string }:
		return p.String()
	}
	return "a value that is no error and no string"
}

// where lists the calls from the panic outwards, up to this package's.
func where() string {
	var b strings.Builder
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		frame, more := frames.Next()
		if strings.HasPrefix(frame.Function, "github.com/wasmill/wasmill/sdk/go.") {
			break
		}
		if !strings.HasPrefix(frame.Function, "runtime.") {
			b.WriteString("\n\t" + frame.Function + " " + frame.File + ":" + itoa(frame.Line))
		}
		if !more {
			break
		}
	}
	return b.String()
}

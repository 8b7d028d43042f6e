package wasmill

//lint:file-ignore U1000 what this host's build has no use for, exports_wasip1.go has

import "unsafe"

// Status of a call, as docs/abi.md has it.
const (
	statusOK    = 0
	statusMore  = 1
	statusError = 2
)

// lastError is the text behind wasmill_error.
var lastError []byte

func fail(err error) int32 {
	lastError = []byte(err.Error())
	if len(lastError) == 0 {
		lastError = []byte("the function returned an error without a text")
	}
	return statusError
}

func functionAt(index uint32) (*function, error) {
	if index >= uint32(len(functions)) {
		return nil, Errorf("there is no function ", itoa(int(index)))
	}
	return functions[index], nil
}

func (f *function) prepare(schema *arrowSchema, config []byte) error {
	var s column
	s.learn(schema)
	if f.in != nil && len(f.in.fields) != len(s.children) {
		return Errorf("expected ", itoa(len(f.in.fields)), " columns, got ", itoa(len(s.children)))
	}
	f.drop()
	f.idle = nil // a result's columns may be others now
	f.columns, f.opened, f.done = s.children, true, true
	if f.open == nil {
		return nil
	}
	return protect(func() error { return f.open(append([]byte(nil), config...)) })
}

func (f *function) begin(in *arrowArray) {
	children := unsafe.Slice((*pointer)(in.children.at()), int(in.nChildren))
	f.drop()
	f.length, f.next, f.at, f.done = int(in.length), 0, 0, false
	for i := range f.columns {
		f.columns[i].view((*arrowArray)(children[i].at()))
	}
	f.firing = false
	switch {
	case f.kind == "process":
		f.times.width = 8
		f.times.view((*arrowArray)(children[len(f.columns)].at()))
		f.number(children[len(f.columns)+1])
	case f.state != nil:
		f.number(children[len(f.columns)])
	}
}

// number takes the slots of a call.
func (f *function) number(column32 pointer) {
	slots := column{width: 4}
	slots.view((*arrowArray)(column32.at()))
	f.slots = unsafe.Slice((*int32)(slots.values), f.length)
}

// fire is begin for timers.
func (f *function) fire(in *arrowArray) {
	children := unsafe.Slice((*pointer)(in.children.at()), int(in.nChildren))
	f.drop()
	f.length, f.next, f.at, f.done, f.firing = int(in.length), 0, 0, false, true
	f.times.width, f.domains.width = 8, 1
	f.times.view((*arrowArray)(children[0].at()))
	f.domains.view((*arrowArray)(children[1].at()))
	f.number(children[2])
}

// proceed fills out with the next step.
func (f *function) proceed(out *step) int32 {
	if len(f.full) == 0 {
		if f.done {
			return fail(Errorf("wasmill_next was called after the last step"))
		}
		if err := protect(func() error { return f.run(f) }); err != nil {
			f.drop()
			f.done, out.row = true, int32(f.at)
			return fail(err)
		}
		f.done = f.next >= f.length
		now := f.now
		f.now = nil
		if now.rows > 0 {
			f.full = append(f.full, now)
		}
		f.gather()
		switch {
		case now.rows > 0:
		case len(f.full) == 0:
			f.full = append(f.full, now)
		default:
			f.idle = append(f.idle, now)
		}
	}
	r := f.full[0]
	f.full = f.full[:copy(f.full, f.full[1:])]
	out.array, out.side = f.finish(r), uint32(r.side)
	live[out.array] = r
	if len(r.origins) > 0 {
		out.origins = addressOf(unsafe.Pointer(unsafe.SliceData(r.origins)))
		if f.kind != "process" && len(f.full) > 0 && f.full[0].origins[0] == r.origins[len(r.origins)-1] {
			out.partial = 1
		}
	}
	if f.done && len(f.full) == 0 {
		return statusOK
	}
	return statusMore
}

// noBuffers is the buffer list of a struct without nulls.
var noBuffers [1]pointer

// finish fills a result's Arrow structures in, and returns the address of the outermost.
func (f *function) finish(r *result) pointer {
	whole := r.first == 0 && r.rows == f.length
	for i, o := range r.outputs {
		if o != nil {
			r.children[i] = addressOf(unsafe.Pointer(o.finish()))
			continue
		}
		a := *f.columns[f.source(i)].array
		a.offset += int64(r.first)
		a.length = int64(r.rows)
		if !whole && a.nullCount != 0 {
			a.nullCount = -1
		}
		a.release = 1
		r.passed[i] = a
		r.children[i] = addressOf(unsafe.Pointer(&r.passed[i]))
	}
	r.array = arrowArray{
		length: int64(r.rows), nBuffers: 1, nChildren: int64(len(r.children)), release: 1,
		buffers:  addressOf(unsafe.Pointer(&noBuffers)),
		children: addressOf(unsafe.Pointer(unsafe.SliceData(r.children))),
	}
	return addressOf(unsafe.Pointer(&r.array))
}

// source returns which input column an output column passes on.
func (f *function) source(i int) int {
	if f.out == nil {
		return i
	}
	for j, from := range f.in.fields {
		if from.name == f.out.fields[i].name {
			return j
		}
	}
	return 0 // resolvePasses has seen to it that there is one
}

package wasmill

import "unsafe"

// slabs keeps what the host has allocated from being collected.
var slabs = map[pointer][]byte{}

func pack(text []byte) int64 {
	return int64(uint64(addressOf(unsafe.Pointer(unsafe.SliceData(text))))<<32 | uint64(len(text)))
}

//go:wasmexport wasmill_abi_v1
func abiV1() int32 { return 1 }

//go:wasmexport wasmill_alloc
func alloc(size, align uint32) pointer {
	if align == 0 || align&(align-1) != 0 || align > 1<<20 || size > 1<<30 {
		return 0
	}
	slab := make([]byte, size+align)
	start := addressOf(unsafe.Pointer(unsafe.SliceData(slab)))
	p := (start + pointer(align) - 1) &^ (pointer(align) - 1)
	slabs[p] = slab
	return p
}

//go:wasmexport wasmill_free
func free(p pointer, _, _ uint32) { delete(slabs, p) }

// description is kept reachable for the host.
var description []byte

//go:wasmexport wasmill_describe
func exportDescribe() int64 {
	description = describe()
	return pack(description)
}

//go:wasmexport wasmill_open
func open(fn uint32, schema, config pointer, size uint32) int32 {
	f, err := functionAt(fn)
	if err == nil {
		err = f.prepare((*arrowSchema)(schema.at()), unsafe.Slice((*byte)(config.at()), size))
	}
	if err != nil {
		return fail(err)
	}
	return statusOK
}

//go:wasmexport wasmill_call
func call(fn uint32, in, out pointer) int32 {
	f, err := functionAt(fn)
	if err == nil && !f.opened {
		err = Errorf("function ", f.name, " is not open")
	}
	if err != nil {
		return fail(err)
	}
	f.begin((*arrowArray)(in.at()))
	return f.proceed((*step)(out.at()))
}

//go:wasmexport wasmill_next
func next(fn uint32, out pointer) int32 {
	f, err := functionAt(fn)
	if err != nil {
		return fail(err)
	}
	if !f.opened {
		return fail(Errorf("function ", f.name, " is not open"))
	}
	return f.proceed((*step)(out.at()))
}

//go:wasmexport wasmill_timers
func timers(fn uint32, in, out pointer) int32 {
	f, err := functionAt(fn)
	if err == nil && (!f.opened || f.kind != "process") {
		err = Errorf("function ", f.name, " is no process function that is open")
	}
	if err != nil {
		return fail(err)
	}
	f.fire((*arrowArray)(in.at()))
	return f.proceed((*step)(out.at()))
}

//go:wasmexport wasmill_release
func release(array pointer) {
	if r := live[array]; r != nil {
		delete(live, array)
		r.owner.idle = append(r.owner.idle, r)
	}
}

//go:wasmexport wasmill_error
func exportError() int64 { return pack(lastError) }

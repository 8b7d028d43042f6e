package wasmill

import "unsafe"

//go:wasmimport wasmill log
func hostLog(level int32, text unsafe.Pointer, size uint32)

//go:wasmimport wasmill metric
func hostMetric(name unsafe.Pointer, size uint32, value float64)

//go:wasmimport wasmill deadline
func hostDeadline() int64

//go:wasmimport wasmill state_get
func hostStateGet(state, slot int32, to unsafe.Pointer, cap uint32) int64

//go:wasmimport wasmill state_put
func hostStatePut(state, slot int32, from unsafe.Pointer, size uint32) int32

//go:wasmimport wasmill state_delete
func hostStateDelete(state, slot int32) int32

//go:wasmimport wasmill list_add
func hostListAdd(state, slot int32, from unsafe.Pointer, size uint32) int32

//go:wasmimport wasmill list_get
func hostListGet(state, slot int32, to unsafe.Pointer, cap uint32) int64

//go:wasmimport wasmill map_get
func hostMapGet(state, slot int32, key unsafe.Pointer, keySize uint32, to unsafe.Pointer, cap uint32) int64

//go:wasmimport wasmill map_put
func hostMapPut(state, slot int32, key unsafe.Pointer, keySize uint32, from unsafe.Pointer, size uint32) int32

//go:wasmimport wasmill map_remove
func hostMapRemove(state, slot int32, key unsafe.Pointer, keySize uint32) int32

//go:wasmimport wasmill map_next
func hostMapNext(state, slot int32, key unsafe.Pointer, keySize uint32, to unsafe.Pointer, cap uint32) int64

//go:wasmimport wasmill timer_set
func hostTimerSet(slot, domain int32, time int64)

//go:wasmimport wasmill timer_delete
func hostTimerDelete(slot, domain int32, time int64)

//go:wasmimport wasmill watermark
func hostWatermark() int64

//go:wasmimport wasmill now
func hostNow() int64

// fetched is where values arrive that are small, as nearly all are.
var fetched [256]byte

// stateGet returns a copy of what is stored, not nil if there is anything.
func stateGet(state int, slot int32) ([]byte, bool) {
	n := hostStateGet(int32(state), slot, unsafe.Pointer(&fetched), uint32(len(fetched)))
	if n < 0 {
		return nil, false
	}
	value := make([]byte, n)
	if n <= int64(len(fetched)) {
		copy(value, fetched[:n])
	} else {
		hostStateGet(int32(state), slot, unsafe.Pointer(unsafe.SliceData(value)), uint32(n))
	}
	return value, true
}

func statePut(state int, slot int32, value []byte) bool {
	return hostStatePut(int32(state), slot, unsafe.Pointer(unsafe.SliceData(value)), uint32(len(value))) == 0
}

func stateDelete(state int, slot int32) { hostStateDelete(int32(state), slot) }

func bytesAt(b []byte) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b))
}

// fetch returns a copy of what get writes, which returns its length or -1.
func fetch(get func(to unsafe.Pointer, cap uint32) int64) ([]byte, bool) {
	n := get(bytesAt(fetched[:]))
	if n < 0 {
		return nil, false
	}
	value := make([]byte, n)
	if n <= int64(len(fetched)) {
		copy(value, fetched[:n])
	} else {
		get(bytesAt(value))
	}
	return value, true
}

func listAdd(state int, slot int32, value []byte) bool {
	at, size := bytesAt(value)
	return hostListAdd(int32(state), slot, at, size) == 0
}

// listGet returns the values of a list, each behind its length.
func listGet(state int, slot int32) []byte {
	all, _ := fetch(func(to unsafe.Pointer, cap uint32) int64 { return hostListGet(int32(state), slot, to, cap) })
	return all
}

func mapGet(state int, slot int32, key []byte) ([]byte, bool) {
	at, size := bytesAt(key)
	return fetch(func(to unsafe.Pointer, cap uint32) int64 { return hostMapGet(int32(state), slot, at, size, to, cap) })
}

func mapPut(state int, slot int32, key, value []byte) bool {
	k, keySize := bytesAt(key)
	v, size := bytesAt(value)
	return hostMapPut(int32(state), slot, k, keySize, v, size) == 0
}

func mapRemove(state int, slot int32, key []byte) {
	at, size := bytesAt(key)
	hostMapRemove(int32(state), slot, at, size)
}

// mapNext returns some entries behind a key, or the first ones: each the lengths of its key and value, and these.
func mapNext(state int, slot int32, last []byte, first bool) []byte {
	at, size := bytesAt(last)
	if first {
		size = 1<<32 - 1
	}
	page := make([]byte, 4096)
	n := hostMapNext(int32(state), slot, at, size, unsafe.Pointer(unsafe.SliceData(page)), uint32(len(page)))
	if n < 0 {
		page = make([]byte, -n)
		n = hostMapNext(int32(state), slot, at, size, unsafe.Pointer(unsafe.SliceData(page)), uint32(len(page)))
	}
	return page[:n]
}

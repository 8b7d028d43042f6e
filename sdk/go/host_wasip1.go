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

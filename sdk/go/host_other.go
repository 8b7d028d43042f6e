//go:build !wasip1

package wasmill

// Outside of a guest there is no host: logs and counters go nowhere and no state is stored, so that the functions of a
// guest can be tested as the Go that they are.

import (
	"math"
	"unsafe"
)

func hostLog(int32, unsafe.Pointer, uint32) {}

func hostMetric(unsafe.Pointer, uint32, float64) {}

func hostDeadline() int64 { return math.MaxInt64 }

func stateGet(int, int32) ([]byte, bool) { return nil, false }

func statePut(int, int32, []byte) bool { return true }

func stateDelete(int, int32) {}

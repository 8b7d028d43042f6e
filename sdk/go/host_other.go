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

func listAdd(int, int32, []byte) bool { return true }

func listGet(int, int32) []byte { return nil }

func mapGet(int, int32, []byte) ([]byte, bool) { return nil, false }

func mapPut(int, int32, []byte, []byte) bool { return true }

func mapRemove(int, int32, []byte) {}

func mapNext(int, int32, []byte, bool) []byte { return nil }

func hostTimerSet(int32, int32, int64) {}

func hostTimerDelete(int32, int32, int64) {}

func hostWatermark() int64 { return math.MinInt64 }

func hostNow() int64 { return 0 }

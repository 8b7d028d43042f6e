package wasmill

import (
	"time"
	"unsafe"
)

// Level is the weight of a line in the log.
type Level int32

// The levels.
const (
	Debug Level = -4
	Info  Level = 0
	Warn  Level = 4
	Error Level = 8
)

// Log writes a line to the job's log.
func Log(level Level, line string) {
	hostLog(int32(level), unsafe.Pointer(unsafe.StringData(line)), uint32(len(line)))
}

// Metric adds to the job's counter of that name.
func Metric(name string, value float64) {
	hostMetric(unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), value)
}

// Left returns how much time remains of the current call; negative when it is over.
func Left() time.Duration { return time.Duration(hostDeadline()) }

// Package codectest helps to test codecs: an allocator that holds a decoder to what it announced, schemas from text,
// random records.
package codectest

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/engine/schema"
)

// Schema reads "name: type, name: type".
func Schema(t testing.TB, columns string) *arrow.Schema {
	t.Helper()
	s, err := schema.ParseSchema(columns)
	if err != nil {
		t.Fatalf("%s: %v", columns, err)
	}
	return s
}

// Arena is an allocator like a guest's: it only moves forward, in memory that holds other bytes than zero. It panics
// when more is asked of it than was allowed, and counts what was not given back.
type Arena struct {
	memory  []byte
	tip     int
	allowed int
	// Live is the number of allocations that were not freed.
	Live int
	// Moved is the number of bytes that were copied because a buffer outgrew its place.
	Moved int
}

var _ memory.Allocator = (*Arena)(nil)

// NewArena returns an arena of size bytes that allows all of them.
func NewArena(size int) *Arena {
	a := &Arena{memory: make([]byte, size+64), allowed: size}
	for i := range a.memory {
		a.memory[i] = 0xa5
	}
	return a
}

// Allow allows n bytes from now on.
func (a *Arena) Allow(n int) { a.allowed = n }

// Allowed returns how many bytes may still be asked for.
func (a *Arena) Allowed() int { return a.allowed }

// Reset begins again at the start of the memory. Nothing may be live.
func (a *Arena) Reset() {
	if a.Live != 0 {
		panic("codectest: buffers are live")
	}
	a.tip = 0
}

// Clear is Reset after a test that failed: what is live is forgotten.
func (a *Arena) Clear() { a.tip, a.Live = 0, 0 }

// Allocate implements memory.Allocator.
func (a *Arena) Allocate(n int) []byte {
	size := (n + 63) &^ 63
	if size > a.allowed {
		panic(fmt.Sprintf("codectest: %d bytes were asked for where %d are left of what was announced", n, a.allowed))
	}
	a.allowed -= size
	if size > len(a.memory)-a.tip {
		panic("codectest: the arena is too small")
	}
	b := a.memory[a.tip : a.tip+n : a.tip+n]
	a.tip += size
	a.Live++
	return b
}

// Reallocate implements memory.Allocator.
func (a *Arena) Reallocate(n int, b []byte) []byte {
	moved := a.Allocate(n)
	a.Moved += copy(moved, b)
	a.Free(b)
	return moved
}

// Free implements memory.Allocator.
func (a *Arena) Free(b []byte) {
	if len(b) > 0 {
		a.Live--
	}
}

// Format is the inverse of [Schema].
func Format(s *arrow.Schema) string { return schema.FormatSchema(s) }

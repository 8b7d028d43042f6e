package wasmhost

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/linmem"
)

// Where callers keep what they pass, in their memory of one page.
const (
	atName    = 0x1000
	atVectors = 0x3000
	atResult  = 0x4000
	atBuffer  = 0x8000
)

// caller is a guest without code, in whose stead the test calls WASI's functions.
type caller struct {
	*guest
	t testing.TB
}

func newCaller(t testing.TB, files *Files) caller {
	g := (&loaded{module: &module{host: &Host{options: Options{
		Now: func() time.Time { return time.Unix(1, 0) }, Random: func(b []byte) { clear(b) },
	}}}, files: files}).guest(udf.Options{CallTimeout: time.Hour})
	memory, err := linmem.Reserve(pageSize, pageSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(memory.Free)
	g.memory = memory
	g.entry.Context = context.Background()
	g.clock = g.starting(false)
	g.clock.entered = time.Now()
	g.meter.Start(unlimited)
	return caller{g, t}
}

// call calls a function by its name.
func (c caller) call(name string, params ...uint64) errno {
	c.t.Helper()
	for _, f := range wasi {
		if f.name == name {
			if len(f.params) != len(params) {
				c.t.Fatalf("%s takes %d parameters, got %d", name, len(f.params), len(params))
			}
			return f.call(c.guest, params)
		}
	}
	c.t.Fatalf("there is no %s", name)
	return 0
}

// name writes a path to the memory and returns where it lies.
func (c caller) name(s string) (ptr, length uint64) {
	copy(c.memory.Bytes()[atName:atVectors], s)
	return atName, uint64(len(s))
}

// open opens a path below the root with the flags and rights, and returns the descriptor.
func (c caller) open(path string, flags, rights uint64) (fd uint64, e errno) {
	c.t.Helper()
	ptr, n := c.name(path)
	e = c.call("path_open", rootDescriptor, 0, ptr, n, flags, rights, 0, 0, atResult)
	return uint64(c.word(atResult)), e
}

func (c caller) mustOpen(path string) uint64 {
	c.t.Helper()
	fd, e := c.open(path, 0, rightsRead)
	if e != errnoSuccess {
		c.t.Fatalf("cannot open %s: %d", path, e)
	}
	return fd
}

func (c caller) word(ptr int) uint32 { return binary.LittleEndian.Uint32(c.memory.Bytes()[ptr:]) }
func (c caller) long(ptr int) uint64 { return binary.LittleEndian.Uint64(c.memory.Bytes()[ptr:]) }

// vectors writes vectors of the given lengths, over buffers one behind the other, and returns their number.
func (c caller) vectors(lengths ...uint32) uint64 {
	at := uint32(atBuffer)
	for i, n := range lengths {
		binary.LittleEndian.PutUint32(c.memory.Bytes()[atVectors+8*i:], at)
		binary.LittleEndian.PutUint32(c.memory.Bytes()[atVectors+8*i+4:], n)
		at += n
	}
	return uint64(len(lengths))
}

func (c caller) buffer(n uint32) string { return string(c.memory.Bytes()[atBuffer : atBuffer+n]) }

func someFiles(t testing.TB) *Files {
	t.Helper()
	files, err := NewFiles(map[string][]byte{
		"lib/python313.zip":         []byte("PK and more"),
		"bundle/clean.py":           []byte("def map(event): return event\n"),
		"bundle/model/weights.bin":  []byte("0123456789"),
		"bundle/model/größe.txt":    []byte("ü"),
		"bundle/model/empty":        nil,
		"bundle/model/deep/er/file": []byte("x"),
	}, "empty")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

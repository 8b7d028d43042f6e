package arrowabi_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/wasmhost/arrowabi"
	"github.com/wasmill/wasmill/wasmhost/linmem"
)

const where = "function f"

var generous = arrowabi.Limits{Rows: 1 << 20, Bytes: 1 << 30}

// guest is memory with an allocator that only moves forward: what an Importer or Exporter sees of an instance.
type guest struct {
	*linmem.Arena
	mem  *linmem.Memory
	next uint32
}

func newGuest(t testing.TB) *guest {
	g, done := openGuest(t)
	t.Cleanup(done)
	return g
}

func openGuest(t interface{ Fatal(...any) }) (*guest, func()) {
	mem, err := linmem.Reserve(linmem.PageSize, 256<<20)
	if err != nil {
		t.Fatal(err)
	}
	g := &guest{mem: mem, next: 4096}
	g.Arena = linmem.NewArena(mem, linmem.Source{
		Alloc: func(size, align uint32) (uint32, error) { return g.take(size, align), nil },
		Free:  func(_, _, _ uint32) error { return nil },
	})
	return g, func() {
		g.Close()
		mem.Free()
	}
}

func (g *guest) take(size, align uint32) uint32 {
	ptr := (g.next + align - 1) &^ (align - 1)
	g.next = ptr + size
	if need := (uint64(g.next) + linmem.PageSize - 1) &^ (linmem.PageSize - 1); g.mem.Reallocate(need) == nil {
		return 0
	}
	return ptr
}

// put writes bytes into the guest and returns their address.
func (g *guest) put(b []byte) uint32 {
	if len(b) == 0 {
		return 0
	}
	ptr := g.take(uint32(len(b)), 8)
	copy(g.Bytes()[ptr:], b)
	return ptr
}

func (g *guest) u32(at uint32) uint32       { return binary.LittleEndian.Uint32(g.Bytes()[at:]) }
func (g *guest) u64(at uint32) uint64       { return binary.LittleEndian.Uint64(g.Bytes()[at:]) }
func (g *guest) setU32(at uint32, v uint32) { binary.LittleEndian.PutUint32(g.Bytes()[at:], v) }
func (g *guest) setU64(at uint32, v uint64) { binary.LittleEndian.PutUint64(g.Bytes()[at:], v) }

// buffer returns the address where the i-th pointer of an array's buffers lies.
func (g *guest) buffer(a uint32, i int) uint32 { return g.u32(a+40) + uint32(i)*4 }

// child returns the address of an array's i-th child.
func (g *guest) child(a uint32, i int) uint32 { return g.u32(g.u32(a+44) + uint32(i)*4) }

// record returns a record of rows given as a JSON array of objects.
func record(t testing.TB, alloc memory.Allocator, schema *arrow.Schema, json string) arrow.Record {
	t.Helper()
	rec, _, err := array.RecordFromJSON(alloc, schema, strings.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// cross exports a record into g and imports it again.
func cross(t interface{ Fatal(...any) }, g *guest, rec arrow.Record) (back arrow.Record, ex *arrowabi.Exporter, im *arrowabi.Importer) {
	ex, err := arrowabi.NewExporter(g, rec.Schema(), false, 1, where)
	if err != nil {
		t.Fatal(err)
	}
	ptr, err := ex.Export(rec, nil)
	if err != nil {
		t.Fatal(err)
	}
	im, err = arrowabi.NewImporter(g, rec.Schema(), generous, where)
	if err != nil {
		t.Fatal(err)
	}
	if back, err = im.Import(ptr); err != nil {
		t.Fatal(err)
	}
	return back, ex, im
}

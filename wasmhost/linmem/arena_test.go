package linmem_test

import (
	"errors"
	"testing"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow/memory"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/linmem"
)

// guest is an allocator as a guest has one, written in Go: it only moves forward, and counts what it gave.
type guest struct {
	mem    *linmem.Memory
	next   uint32
	live   map[uint32]uint32
	calls  int
	answer func(size, align uint32) (uint32, error) // nil: an honest one
}

func newGuest(t testing.TB, limit uint64) *guest {
	mem, err := linmem.Reserve(linmem.PageSize, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mem.Free)
	return &guest{mem: mem, next: 4096, live: map[uint32]uint32{}}
}

func (g *guest) alloc(size, align uint32) (uint32, error) {
	g.calls++
	if g.answer != nil {
		return g.answer(size, align)
	}
	ptr := (g.next + align - 1) &^ (align - 1)
	end := uint64(ptr) + uint64(size)
	if need := (end + linmem.PageSize - 1) &^ (linmem.PageSize - 1); need > uint64(len(g.mem.Bytes())) && g.mem.Reallocate(need) == nil {
		return 0, nil
	}
	g.next = uint32(end)
	g.live[ptr] = size
	return ptr, nil
}

func (g *guest) free(ptr, size, _ uint32) error {
	g.calls++
	if g.live[ptr] != size {
		return errors.New("freed what was not given")
	}
	delete(g.live, ptr)
	return nil
}

func (g *guest) arena() *linmem.Arena {
	return linmem.NewArena(g.mem, linmem.Source{Alloc: g.alloc, Free: g.free})
}

func reserve(t testing.TB, a *linmem.Arena, n int) {
	t.Helper()
	if err := a.Reserve(n); err != nil {
		t.Fatal(err)
	}
}

func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

func TestArenaCutsAndReuses(t *testing.T) {
	g := newGuest(t, 64<<20)
	a := g.arena()
	reserve(t, a, 1000)
	x, y := a.Allocate(100), a.Allocate(1)
	if _, ok := a.Contains(x); !ok || address(x)%linmem.Align != 0 || address(y) != address(x)+128 {
		t.Fatalf("%#x and %#x are not neighbours in the guest, aligned to 64", address(x), address(y))
	}
	x[0] = 1
	a.Free(x)
	a.Free(y)
	if z := a.Allocate(100); address(z) != address(x) || z[0] != 0 {
		t.Fatal("an empty slab is not cut from its start again, or what it held is still there")
	}
	if s := a.Stats(); s.Slabs != 1 || s.SlabBytes != 64<<10 || s.Live != 1 || s.Fallbacks != 0 || g.calls != 1 {
		t.Fatalf("got %+v after %d calls of the guest", s, g.calls)
	}
}

func TestArenaGrowsAtTheTip(t *testing.T) {
	a := newGuest(t, 64<<20).arena()
	reserve(t, a, 4096)
	x := a.Allocate(10)
	x[9] = 9
	grown := a.Reallocate(300, x)
	if address(grown) != address(x) || grown[9] != 9 || grown[10] != 0 || a.Stats().MovedBytes != 0 {
		t.Fatal("the last allocation did not grow in place")
	}
	y := a.Allocate(64)
	moved := a.Reallocate(400, grown)
	if address(moved) == address(x) || moved[9] != 9 || a.Stats().MovedBytes != 300 {
		t.Fatalf("an allocation with a neighbour: %d bytes were moved, want 300", a.Stats().MovedBytes)
	}
	if small := a.Reallocate(5, moved); address(small) != address(moved) || len(small) != 5 {
		t.Fatal("an allocation did not shrink in place")
	}
	if z := a.Reallocate(0, y); len(z) != 0 || a.Stats().Live != 1 {
		t.Fatal("shrinking to nothing did not free")
	}
}

func TestArenaFallsBackAndCounts(t *testing.T) {
	g := newGuest(t, 64<<20)
	a := g.arena()
	b := a.Allocate(100)
	if _, ok := a.Contains(b); ok || len(b) != 100 || g.calls != 0 {
		t.Fatal("an allocation without a reservation is not in Go memory, or the guest was entered")
	}
	b[99] = 1
	if b = a.Reallocate(50, b); len(b) != 50 {
		t.Fatalf("got %d bytes, want 50", len(b))
	}
	b = a.Reallocate(200, b)
	if s := a.Stats(); s.Fallbacks != 2 || s.FallbackBytes != 300 || s.MovedBytes != 50 {
		t.Fatalf("got %+v", s)
	}
	a.Free(b)
	if len(a.Allocate(0)) != 0 || len(a.Allocate(-1)) != 0 {
		t.Fatal("nothing is something")
	}
}

func TestReserveSizes(t *testing.T) {
	g := newGuest(t, 64<<20)
	a := g.arena()
	var got []uint64
	for range 4 {
		s := a.Stats().SlabBytes
		reserve(t, a, 64<<10)
		b := a.Allocate(64 << 10)
		for len(b) > 0 { // use the slab up, so that the next one must come
			if b = a.Allocate(64); func() bool { _, ok := a.Contains(b); return !ok }() {
				break
			}
		}
		got = append(got, a.Stats().SlabBytes-s)
	}
	want := []uint64{64 << 10, 1 << 20, 1 << 20, 4 << 20}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("slabs of %d bytes, want %d", got, want)
		}
	}
	reserve(t, a, 9<<20)
	if b := a.Allocate(9 << 20); len(b) != 9<<20 || a.Stats().Slabs != 5 {
		t.Fatal("a large reservation did not get a slab of its own")
	}
}

func TestReserveWithoutMemory(t *testing.T) {
	g := newGuest(t, 2<<20)
	a := g.arena()
	reserve(t, a, 1<<10)
	reserve(t, a, 1<<20) // the 4 MiB that come next do not fit, 1 MiB does
	if a.Stats().Slabs != 1 || len(g.live) != 1 {
		t.Fatalf("%d slabs, %d in the guest: the idle one was not given back", a.Stats().Slabs, len(g.live))
	}
	for _, n := range []int{4 << 20, 1 << 40, -1} {
		err := a.Reserve(n)
		if fault.CodeOf(err) != fault.Limit {
			t.Errorf("%d bytes: got %v", n, err)
		}
	}
}

func TestReserveDistrustsTheGuest(t *testing.T) {
	for _, c := range []struct {
		name, want string
		answer     func(size, align uint32) (uint32, error)
	}{
		{"unaligned", "wasmill_alloc: expected an address aligned to 64, got 0x1001", func(_, _ uint32) (uint32, error) { return 0x1001, nil }},
		{"outside", "wasmill_alloc: 65536 bytes at 0xffffffc0 end outside of the memory of 131072 bytes", func(_, _ uint32) (uint32, error) { return 0xffffffc0, nil }},
		{"over the end", "wasmill_alloc: 65536 bytes at 0x10040 end outside of the memory of 131072 bytes", func(_, _ uint32) (uint32, error) { return 65536 + 64, nil }},
		{"out of memory", "the guest has no memory for 64 more bytes (raise the memory limit or use smaller batches)", func(_, _ uint32) (uint32, error) { return 0, nil }},
		{"trap", "it trapped", func(_, _ uint32) (uint32, error) { return 0, fault.New(fault.Guest, "it trapped") }},
	} {
		g := newGuest(t, 64<<20)
		g.mem.Reallocate(2 * linmem.PageSize)
		g.answer = c.answer
		a := g.arena()
		if err := a.Reserve(64); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		if _, ok := a.Contains(a.Allocate(64)); ok {
			t.Errorf("%s: memory was cut from what was refused", c.name)
		}
	}
}

func TestSlabsDoNotOverlap(t *testing.T) {
	g := newGuest(t, 64<<20)
	a := g.arena()
	reserve(t, a, 64)
	b := a.Allocate(64 << 10)
	at, _ := a.Contains(b)
	g.mem.Reallocate(8 << 20)
	g.answer = func(_, _ uint32) (uint32, error) { return at + 64, nil }
	err := a.Reserve(64)
	want := "wasmill_alloc: 1048576 bytes at 0x1040 overlap 65536 bytes at 0x1000 that are still in use"
	if err == nil || err.Error() != want || fault.CodeOf(err) != fault.Guest {
		t.Fatalf("got %v, want %s", err, want)
	}
	if _, err := a.Scratch(8, 8); fault.CodeOf(err) != fault.Guest {
		t.Fatalf("scratch inside of a slab: got %v", err)
	}
}

func TestScratch(t *testing.T) {
	g := newGuest(t, 64<<20)
	a := g.arena()
	p, err := a.Scratch(100, 8)
	if err != nil || p%8 != 0 {
		t.Fatal(p, err)
	}
	g.answer = func(_, _ uint32) (uint32, error) { return p, nil }
	if _, err := a.Scratch(100, 8); fault.CodeOf(err) != fault.Guest {
		t.Fatalf("the same piece given twice: got %v", err)
	}
	if err := a.FreeScratch(p); err != nil || len(g.live) != 0 {
		t.Fatal(err, g.live)
	}
	if err := a.FreeScratch(p); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]int{{0, 8}, {-1, 8}, {8, 3}, {8, 128}, {8, 0}} {
		if _, err := a.Scratch(c[0], c[1]); fault.CodeOf(err) != fault.Internal {
			t.Errorf("scratch %v: got %v", c, err)
		}
	}
}

func TestCloseDoesNotEnterTheGuest(t *testing.T) {
	g := newGuest(t, 64<<20)
	a := g.arena()
	reserve(t, a, 64)
	b := a.Allocate(64)
	calls := g.calls
	a.Close()
	g.mem.Free()
	a.Free(b) // the memory is gone: it must not be touched
	if g.calls != calls {
		t.Fatal("the guest was entered")
	}
}

// An arena behaves as any allocator does: what it hands out keeps its bytes, is zeroed, aligned and not shared, while
// the reserved space lasts and beyond.
func TestArenaAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem, err := linmem.Reserve(linmem.PageSize, 32<<20)
		if err != nil {
			t.Fatal(err)
		}
		defer mem.Free()
		g := &guest{mem: mem, next: 4096, live: map[uint32]uint32{}}
		a := g.arena()
		checked := memory.NewCheckedAllocator(a)
		type block struct {
			b    []byte
			mark byte
		}
		var blocks []block
		mark := byte(0)
		fill := func(b []byte) block {
			mark++
			for i := range b {
				b[i] = mark
			}
			return block{b, mark}
		}
		pick := func() int { return rapid.IntRange(0, len(blocks)-1).Draw(t, "block") }
		t.Repeat(map[string]func(*rapid.T){
			"reserve": func(t *rapid.T) {
				if err := a.Reserve(rapid.IntRange(0, 200_000).Draw(t, "n")); err != nil && fault.CodeOf(err) != fault.Limit {
					t.Fatal(err)
				}
			},
			"allocate": func(t *rapid.T) {
				b := checked.Allocate(rapid.IntRange(1, 40_000).Draw(t, "n"))
				for i, x := range b {
					if x != 0 {
						t.Fatalf("byte %d of a new allocation is %d", i, x)
					}
				}
				if address(b)%64 != 0 {
					t.Fatalf("%#x is not aligned", address(b))
				}
				blocks = append(blocks, fill(b))
			},
			"reallocate": func(t *rapid.T) {
				if len(blocks) == 0 {
					t.Skip()
				}
				i := pick()
				n, old := rapid.IntRange(1, 60_000).Draw(t, "n"), len(blocks[i].b)
				b := checked.Reallocate(n, blocks[i].b)
				if len(b) != n {
					t.Fatalf("got %d bytes, want %d", len(b), n)
				}
				for j, x := range b {
					if j < old && x != blocks[i].mark || j >= old && x != 0 {
						t.Fatalf("byte %d of %d is %d after growth from %d", j, n, x, old)
					}
				}
				blocks[i] = fill(b)
			},
			"free": func(t *rapid.T) {
				if len(blocks) == 0 {
					t.Skip()
				}
				i := pick()
				checked.Free(blocks[i].b)
				blocks = append(blocks[:i], blocks[i+1:]...)
			},
			"trim": func(t *rapid.T) {
				if err := a.Trim(); err != nil {
					t.Fatal(err)
				}
			},
			"": func(t *rapid.T) {
				for _, b := range blocks {
					for _, x := range b.b {
						if x != b.mark {
							t.Fatalf("a block marked %d holds %d", b.mark, x)
						}
					}
				}
			},
		})
		for _, b := range blocks {
			checked.Free(b.b)
		}
		if err := a.Trim(); err != nil {
			t.Fatal(err)
		}
		if s := a.Stats(); s.Live != 0 || s.Slabs != 0 || len(g.live) != 0 {
			t.Fatalf("left behind: %+v, %d in the guest", s, len(g.live))
		}
	})
}

// What bounds an allocation is clearing its bytes.
func BenchmarkArena(b *testing.B) {
	g := newGuest(b, 64<<20)
	a := g.arena()
	reserve(b, a, 1<<20)
	var held [14][]byte
	round := func() {
		for i := range held {
			held[i] = a.Allocate(8192)
		}
		for i := range held {
			a.Free(held[i])
		}
	}
	round()
	b.ReportAllocs()
	for b.Loop() {
		round()
	}
	if s := a.Stats(); s.Fallbacks != 0 || s.GuestAllocs != 1 {
		b.Fatalf("not a steady state: %+v", s)
	}
}

package linmem_test

import (
	"context"
	"testing"
	"unsafe"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/linmem"
)

// growModule is a module with a memory of 1 to 8 pages, exported as "memory", and a function "grow" (pages) -> i32.
var growModule = []byte{
	0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic, version
	0x01, 0x06, 0x01, 0x60, 0x01, 0x7f, 0x01, 0x7f, // type 0: (i32) -> i32
	0x03, 0x02, 0x01, 0x00, // function 0 of type 0
	0x05, 0x04, 0x01, 0x01, 0x01, 0x08, // memory 1..8
	0x07, 0x11, 0x02, // two exports
	0x06, 'm', 'e', 'm', 'o', 'r', 'y', 0x02, 0x00,
	0x04, 'g', 'r', 'o', 'w', 0x00, 0x00,
	0x0a, 0x08, 0x01, 0x06, 0x00, 0x20, 0x00, 0x40, 0x00, 0x0b, // local.get 0; memory.grow; end
}

func TestGuestGrowsInPlace(t *testing.T) {
	ctx := context.Background()
	for name, config := range map[string]wazero.RuntimeConfig{
		"default": wazero.NewRuntimeConfig(), "interpreter": wazero.NewRuntimeConfigInterpreter(),
	} {
		t.Run(name, func(t *testing.T) {
			mem, err := linmem.Reserve(linmem.PageSize, 6*linmem.PageSize)
			if err != nil {
				t.Fatal(err)
			}
			runtime := wazero.NewRuntimeWithConfig(ctx, config)
			module, err := runtime.Instantiate(experimental.WithMemoryAllocator(ctx, mem), growModule)
			if err != nil {
				t.Fatal(err)
			}
			base, before := mem.Base(), mem.Bytes()
			before[100] = 7
			grow := func(pages uint64) int32 {
				r, err := module.ExportedFunction("grow").Call(ctx, pages)
				if err != nil {
					t.Fatal(err)
				}
				return int32(r[0])
			}
			if got := grow(4); got != 1 {
				t.Fatalf("memory.grow returned %d, want the 1 page from before", got)
			}
			if mem.Base() != base || len(mem.Bytes()) != 5*linmem.PageSize {
				t.Fatalf("the base moved from %#x to %#x, or %d bytes are not 5 pages", base, mem.Base(), len(mem.Bytes()))
			}
			if !module.Memory().WriteByte(100, 8) || before[100] != 8 {
				t.Fatal("a slice from before the growth does not see what the guest writes")
			}
			mem.Bytes()[5*linmem.PageSize-1] = 9
			if b, ok := module.Memory().ReadByte(5*linmem.PageSize - 1); !ok || b != 9 {
				t.Fatal("the guest does not see what is written to its new pages")
			}
			if got := grow(2); got != -1 {
				t.Fatalf("memory.grow beyond the limit returned %d, want -1", got)
			}
			if err := runtime.Close(ctx); err != nil {
				t.Fatal(err)
			}
			if mem.Bytes() != nil || mem.Base() != 0 {
				t.Fatal("closing the instance did not free its memory")
			}
		})
	}
}

func TestReserveRefuses(t *testing.T) {
	_, err := linmem.Reserve(3*linmem.PageSize, 2*linmem.PageSize)
	want := "the module asks for 196608 bytes of memory at its start, the limit is 131072 (raise the memory limit)"
	if err == nil || err.Error() != want || fault.CodeOf(err) != fault.Limit {
		t.Fatalf("got %v, want %s", err, want)
	}
	if _, err := linmem.Reserve(1<<63, 1<<63); fault.CodeOf(err) != fault.Limit {
		t.Fatalf("got %v, want a fault of the limit", err)
	}
}

func TestReserveFourGiB(t *testing.T) {
	mem, err := linmem.Reserve(1, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Free()
	if got := len(mem.Bytes()); got != linmem.PageSize {
		t.Fatalf("one byte was rounded up to %d", got)
	}
	if mem.Reallocate(linmem.MaxSize+1) != nil {
		t.Fatal("more than 4 GiB were committed")
	}
}

func TestOneMemoryPerInstance(t *testing.T) {
	mem, err := linmem.Reserve(linmem.PageSize, linmem.PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Free()
	if mem.Allocate(linmem.PageSize, linmem.PageSize) != experimental.LinearMemory(mem) {
		t.Fatal("the first instance did not get the memory")
	}
	if second := mem.Allocate(linmem.PageSize, linmem.PageSize); second.Reallocate(linmem.PageSize) != nil {
		t.Fatal("a second instance got memory")
	}
	if got := mem.Reallocate(0); len(got) != linmem.PageSize {
		t.Fatalf("memory shrank to %d bytes", len(got))
	}
}

func TestContains(t *testing.T) {
	mem, err := linmem.Reserve(linmem.PageSize, 2*linmem.PageSize)
	if err != nil {
		t.Fatal(err)
	}
	b := mem.Bytes()
	beyond := unsafe.Slice(unsafe.SliceData(b), 2*linmem.PageSize) // the address space behind, not committed
	for _, c := range []struct {
		name string
		b    []byte
		at   uint32
		ok   bool
	}{
		{"all", b, 0, true},
		{"inner", b[64:128], 64, true},
		{"last byte", b[linmem.PageSize-1:], linmem.PageSize - 1, true},
		{"empty", b[64:64], 0, false},
		{"nil", nil, 0, false},
		{"over the end", beyond[linmem.PageSize-1 : linmem.PageSize+1], 0, false},
		{"behind", beyond[linmem.PageSize : linmem.PageSize+1], 0, false},
		{"elsewhere", make([]byte, 8), 0, false},
	} {
		if at, ok := mem.Contains(c.b); at != c.at || ok != c.ok {
			t.Errorf("%s: got %d, %v, want %d, %v", c.name, at, ok, c.at, c.ok)
		}
	}
	mem.Free()
	mem.Free() // twice is harmless
	if _, ok := mem.Contains(make([]byte, 8)); ok {
		t.Error("freed memory contains something")
	}
}

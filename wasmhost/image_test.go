package wasmhost

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/linmem"
)

// encoded returns an image with all that one can have, as it lies on disk.
func encoded(t testing.TB) []byte {
	t.Helper()
	memory := make([]byte, 2*linmem.PageSize)
	copy(memory[5000:], "memory")
	memory[len(memory)-1] = 1
	pages, err := linmem.NewImage(uint64(len(memory)), linmem.Runs(memory))
	if err != nil {
		t.Fatal(err)
	}
	defer pages.Close()
	i := &Image{memory: pages, describes: []byte("{}"), state: imageState{globals: []uint64{7, 1 << 40}, noop: 3, interrupt: 4}}
	return bytes.Join(i.encode(memory), nil)
}

func TestImagesOnDisk(t *testing.T) {
	whole := encoded(t)
	i, err := decodeImage(whole, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	m, err := i.memory.Reserve(i.Size())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Free()
	if again := bytes.Join(i.encode(m.Bytes()), nil); !bytes.Equal(again, whole) {
		t.Error("it reads as another image")
	}
	if string(m.Bytes()[5000:5006]) != "memory" || fmt.Sprint(i.state) != "{[7 1099511627776] 3 4}" || string(i.describes) != "{}" {
		t.Errorf("got %+v", i)
	}
	for n := range len(whole) - 1 {
		if n > 100 && n%977 != 0 {
			continue
		}
		if _, err := decodeImage(whole[:n], 2); err == nil {
			t.Fatalf("the first %d of %d bytes are an image", n, len(whole))
		}
	}
	if _, err := decodeImage(append(bytes.Clone(whole), 0), 2); err == nil {
		t.Error("a byte too many is none")
	}
	if _, err := decodeImage(whole, 1); err == nil {
		t.Error("globals of another module are taken")
	}
	huge := bytes.Clone(whole)
	binary.LittleEndian.PutUint64(huge, 1<<60)
	if _, err := decodeImage(huge, 2); err == nil {
		t.Error("an image larger than any memory is read")
	}
}

// FuzzDecodeImage reads what no seal guards.
func FuzzDecodeImage(f *testing.F) {
	f.Add(encoded(f)[:4200])
	f.Add(encoded(f))
	f.Fuzz(func(t *testing.T, content []byte) {
		if i, err := decodeImage(content, 2); err == nil {
			i.Close()
		}
	})
}

// moduleOf puts sections together.
func moduleOf(sections ...[]byte) []byte {
	return append([]byte("\x00asm\x01\x00\x00\x00"), bytes.Join(sections, nil)...)
}

func sectionOf(id byte, content ...byte) []byte {
	return append(binary.AppendUvarint([]byte{id}, uint64(len(content))), content...)
}

func TestSplit(t *testing.T) {
	memory := sectionOf(5, 1, 0, 1)
	data := func(content ...byte) []byte { return moduleOf(memory, sectionOf(sectionData, content...)) }
	for name, c := range map[string]struct {
		wasm []byte
		want string
	}{
		"none":            {moduleOf(memory), "[]"},
		"two":             {data(2, 0, 0x41, 5, 0x0b, 2, 'a', 'b', 2, 0, 0x41, 0x80, 0x01, 0x0b, 0), "[{5 [97 98]} {128 []}]"},
		"high":            {data(1, 0, 0x41, 0x7f, 0x0b, 1, 'a'), "[{4294967295 [97]}]"},
		"passive":         {data(1, 1, 1, 'a'), "data segment 0 is passive, which an image cannot hold (link without `--import-memory` and shared memory, and use no memory.init)"},
		"global's offset": {data(1, 0, 0x23, 0, 0x0b, 1, 'a'), "data segment 0 has an offset that is not constant, which an image cannot hold (link as a plain module, not as a shared library)"},
		"cut":             {data(1, 0, 0x41, 5, 0x0b, 3, 'a'), "the module's data section is cut short"},
		"cut section":     {append(moduleOf(memory), 0, 9, 1), "the module's sections are cut short"},
	} {
		without, segments, err := split(c.wasm)
		got := fmt.Sprint(segments)
		if err != nil {
			got = err.Error()
		} else if !bytes.Equal(without, moduleOf(memory)) {
			t.Errorf("%s: what is left is %q", name, without)
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	if err := place([]segment{{0, []byte("ab")}, {9, []byte("cd")}}, make([]byte, 10)); err == nil ||
		err.Error() != "data segment 1 of 2 bytes at 0x9 lies outside of the memory of 10 bytes" {
		t.Errorf("got %v", err)
	}
}

func TestMutableGlobals(t *testing.T) {
	globals := sectionOf(sectionGlobal, 3, 0x7f, 1, 0x41, 0x80, 0x7f, 0x0b, 0x7e, 0, 0x42, 1, 0x0b, 0x7d, 1, 0x43, 0, 0, 0, 0, 0x0b)
	export := func(name string, index byte) []byte {
		return append(append([]byte{byte(len(name))}, name...), exportGlobal, index)
	}
	both := append(append([]byte{2}, export("sp", 0)...), export("f", 2)...)
	if got, err := mutableGlobals(moduleOf(globals, sectionOf(sectionExport, both...))); err != nil || !slices.Equal(got, []string{"sp", "f"}) {
		t.Errorf("got %v, %v", got, err)
	}
	_, err := mutableGlobals(moduleOf(globals, sectionOf(sectionExport, append([]byte{1}, export("sp", 0)...)...)))
	if err == nil || err.Error() != "the mutable global 2 is not exported, so that an image cannot hold it (link with `-Wl,--export=__stack_pointer`, and let there be no other)" {
		t.Errorf("got %v", err)
	}
	if _, err := mutableGlobals(moduleOf(globals[:9])); fault.CodeOf(err) != fault.Admission {
		t.Errorf("got %v", err)
	}
}

// FuzzSections reads modules that admission has not seen.
func FuzzSections(f *testing.F) {
	f.Add(moduleOf(sectionOf(sectionData, 1, 0, 0x41, 5, 0x0b, 2, 'a', 'b')))
	f.Add(moduleOf(sectionOf(sectionGlobal, 1, 0x7f, 1, 0x41, 0x80, 0x7f, 0x0b), sectionOf(sectionExport, 1, 1, 'a', 3, 0)))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if len(wasm) < 8 {
			return
		}
		memory := make([]byte, 1000)
		if without, segments, err := split(wasm); err == nil {
			if len(without) > len(wasm) {
				t.Error("it grew")
			}
			_ = place(segments, memory) // must not panic
		}
		_, _ = mutableGlobals(wasm)
	})
}

package linmem_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost/linmem"
)

// picture makes an image of three pages whose bytes are a at 5000 and z at the very end.
func picture(t testing.TB) *linmem.Image {
	t.Helper()
	memory := make([]byte, 3*linmem.PageSize)
	memory[5000], memory[len(memory)-1] = 'a', 'z'
	image, err := linmem.NewImage(uint64(len(memory)), linmem.Runs(memory))
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func from(t testing.TB, image *linmem.Image, limit uint64) *linmem.Memory {
	t.Helper()
	m, err := image.Reserve(limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Free)
	return m
}

func TestRuns(t *testing.T) {
	const page = linmem.ImagePage
	for _, c := range []struct {
		set  []int // pages that are not zero, of 6
		want string
	}{
		{nil, "[]"}, {[]int{0}, "[0+1]"}, {[]int{5}, "[5+1]"}, {[]int{0, 1, 3, 5}, "[0+2 3+1 5+1]"}, {[]int{0, 1, 2, 3, 4, 5}, "[0+6]"},
	} {
		memory := make([]byte, 6*page)
		for _, p := range c.set {
			memory[p*page+p] = 1
		}
		got := []string{}
		for _, r := range linmem.Runs(memory) {
			got = append(got, fmt.Sprintf("%d+%d", r.Offset/page, len(r.Bytes)/page))
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%v: got %v, want %s", c.set, got, c.want)
		}
	}
}

func TestMemoriesOfOneImageAreApart(t *testing.T) {
	image := picture(t)
	defer image.Close()
	one, two := from(t, image, 8*linmem.PageSize), from(t, image, 8*linmem.PageSize)
	one.Bytes()[5000] = 'b'
	one.Bytes()[0] = 'c'
	for name, c := range map[string]struct {
		m    *linmem.Memory
		want string
	}{"written": {one, "cb\x00z"}, "other": {two, "\x00a\x00z"}, "later": {from(t, image, 3*linmem.PageSize), "\x00a\x00z"}} {
		b := c.m.Bytes()
		if got := string([]byte{b[0], b[5000], b[5001], b[len(b)-1]}); got != c.want || len(b) != 3*linmem.PageSize {
			t.Errorf("%s: got %q of %d bytes, want %q", name, got, len(b), c.want)
		}
	}
}

func TestResetGivesTheImageAgain(t *testing.T) {
	image := picture(t)
	defer image.Close()
	m := from(t, image, 8*linmem.PageSize)
	want := bytes.Clone(m.Bytes())
	base := m.Base()
	for range 3 {
		grown := m.Reallocate(5 * linmem.PageSize)
		for i := range grown {
			grown[i] = byte(i) | 1
		}
		if err := m.Reset(); err != nil {
			t.Fatal(err)
		}
		b := m.Bytes()
		if m.Base() != base || len(b) != 5*linmem.PageSize || !bytes.Equal(b[:len(want)], want) || len(bytes.Trim(b[len(want):], "\x00")) > 0 {
			t.Fatal("the memory is not what it was at its start")
		}
	}
	if m.Reallocate(9*linmem.PageSize) != nil {
		t.Error("memory grew beyond its limit")
	}
	plain, err := linmem.Reserve(linmem.PageSize, linmem.PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Free()
	plain.Bytes()[7] = 1
	if err := plain.Reset(); err != nil || plain.Bytes()[7] != 0 {
		t.Errorf("a memory without an image is not zero: %v", err)
	}
}

func TestAnImageStaysWhileMemoriesUseIt(t *testing.T) {
	files := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return 0 // another system
		}
		return len(entries)
	}
	before := files()
	image := picture(t)
	m := from(t, image, 8*linmem.PageSize)
	image.Close()
	image.Close() // twice is harmless
	if m.Bytes()[5000] != 'a' {
		t.Error("the memory lost its image")
	}
	if _, err := image.Reserve(8 * linmem.PageSize); err == nil || err.Error() != "an image was used after it was closed" {
		t.Errorf("got %v", err)
	}
	m.Free()
	if after := files(); after != before {
		t.Errorf("%d files are open, %d were before", after, before)
	}
}

func TestImagesThatCannotBe(t *testing.T) {
	image := picture(t)
	defer image.Close()
	_, err := image.Reserve(2 * linmem.PageSize)
	const want = "the guest's image has 196608 bytes of memory, the limit is 131072 (raise the memory limit)"
	if err == nil || err.Error() != want || fault.CodeOf(err) != fault.Limit {
		t.Errorf("got %v, want %s", err, want)
	}
	page := make([]byte, linmem.ImagePage)
	for name, c := range map[string]struct {
		size uint64
		run  linmem.Run
		want string
	}{
		"odd size":    {1000, linmem.Run{}, "an image of 1000 bytes is no memory"},
		"huge":        {2 * linmem.MaxSize, linmem.Run{}, "an image of 8589934592 bytes is no memory"},
		"odd offset":  {linmem.PageSize, linmem.Run{Offset: 100, Bytes: page}, "a run of 4096 bytes at 100 is outside of an image of 65536"},
		"odd length":  {linmem.PageSize, linmem.Run{Bytes: page[1:]}, "a run of 4095 bytes at 0 is outside of an image of 65536"},
		"at the end":  {linmem.PageSize, linmem.Run{Offset: linmem.PageSize, Bytes: page}, "a run of 4096 bytes at 65536 is outside of an image of 65536"},
		"far outside": {linmem.PageSize, linmem.Run{Offset: 1<<64 - 4096, Bytes: page}, "a run of 4096 bytes at 18446744073709547520 is outside of an image of 65536"},
	} {
		if _, err := linmem.NewImage(c.size, []linmem.Run{c.run}); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// BenchmarkImageReserve is bound by two calls of mmap and one of munmap.
func BenchmarkImageReserve(b *testing.B) {
	image := picture(b)
	defer image.Close()
	b.ReportAllocs()
	for b.Loop() {
		m, err := image.Reserve(256 << 20)
		if err != nil {
			b.Fatal(err)
		}
		m.Free()
	}
}

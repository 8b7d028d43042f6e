package wasmhost

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestDescriptors(t *testing.T) {
	c := newCaller(t, someFiles(t))
	for want := uint64(rootDescriptor + 1); want < rootDescriptor+maxOpen; want++ {
		if fd := c.mustOpen("bundle/clean.py"); fd != want {
			t.Fatalf("got descriptor %d, want %d", fd, want)
		}
	}
	if _, e := c.open("bundle/clean.py", 0, rightsRead); e != errnoMfile {
		t.Errorf("one too many: %d", e)
	}
	if e := c.call("fd_close", 100); e != errnoSuccess {
		t.Errorf("close: %d", e)
	}
	if e := c.call("fd_close", 100); e != errnoBadf {
		t.Errorf("close again: %d", e)
	}
	if fd := c.mustOpen("bundle"); fd != 100 {
		t.Errorf("got descriptor %d, want that which was closed", fd)
	}
	if e := c.call("fd_close", rootDescriptor); e != errnoNotsup {
		t.Errorf("close of the root: %d", e)
	}
	if e := c.call("fd_prestat_get", rootDescriptor, atResult); e != errnoSuccess || c.long(atResult) != 1<<32 {
		t.Errorf("the root: %d, %#x", e, c.long(atResult))
	}
	if e := c.call("fd_prestat_dir_name", rootDescriptor, atBuffer, 1); e != errnoSuccess || c.buffer(1) != "/" {
		t.Errorf("the root's name: %d, %q", e, c.buffer(1))
	}
	if e := c.call("fd_prestat_dir_name", rootDescriptor, atBuffer, 0); e != errnoNametoolong {
		t.Errorf("the root's name without room: %d", e)
	}
	for _, fd := range []uint64{0, 4, 100, 300} {
		if e := c.call("fd_prestat_get", fd, atResult); e != errnoBadf {
			t.Errorf("descriptor %d as a folder from the start: %d", fd, e)
		}
	}
}

func TestRead(t *testing.T) {
	c := newCaller(t, someFiles(t))
	fd := c.mustOpen("bundle/model/weights.bin")
	expect := func(what string, e errno, read string) {
		t.Helper()
		n := c.word(atResult)
		if e != errnoSuccess || n != uint32(len(read)) || c.buffer(n) != read {
			t.Errorf("%s: got %d, %d bytes %q, want %q", what, e, n, c.buffer(min(n, 16)), read)
		}
	}
	at := func(want uint64) {
		t.Helper()
		if e := c.call("fd_tell", fd, atResult); e != errnoSuccess || c.long(atResult) != want {
			t.Errorf("tell: %d, %d, want %d", e, c.long(atResult), want)
		}
	}
	expect("two vectors", c.call("fd_read", fd, atVectors, c.vectors(2, 3), atResult), "01234")
	expect("at a place", c.call("fd_pread", fd, atVectors, c.vectors(4), 8, atResult), "89")
	at(5)
	expect("no vectors", c.call("fd_read", fd, atVectors, 0, atResult), "")
	expect("more than there is", c.call("fd_read", fd, atVectors, c.vectors(3, 0, 100, 1), atResult), "56789")
	expect("the end", c.call("fd_read", fd, atVectors, c.vectors(10), atResult), "")
	expect("behind the end", c.call("fd_pread", fd, atVectors, c.vectors(10), 1<<63, atResult), "")
	at(10)
	for _, test := range []struct {
		offset int64
		from   uint64
		want   errno
		at     uint64
	}{
		{3, 0, errnoSuccess, 3}, {-1, 1, errnoSuccess, 2}, {-2, 2, errnoSuccess, 8}, {5, 2, errnoSuccess, 15}, {-16, 1, errnoInval, 15},
		{-1, 0, errnoInval, 15}, {0, 3, errnoInval, 15}, {1<<63 - 1, 0, errnoSuccess, 1<<63 - 1}, {1, 1, errnoInval, 1<<63 - 1}, {0, 0, errnoSuccess, 0},
	} {
		if e := c.call("fd_seek", fd, uint64(test.offset), test.from, atResult); e != test.want {
			t.Errorf("seek %d from %d: got %d, want %d", test.offset, test.from, e, test.want)
		}
		at(test.at)
	}
	// A vector over the vectors that follow: what it brought counts for them, so that they point outside.
	c.vectors(8, 1)
	binary.LittleEndian.PutUint32(c.memory.Bytes()[atVectors:], atVectors+8)
	if e := c.call("fd_pread", fd, atVectors, 2, 0, atResult); e != errnoFault {
		t.Errorf("over its own vectors: %d", e)
	}
	folder := c.mustOpen("bundle")
	for name, e := range map[string]errno{
		"many vectors":          c.call("fd_read", fd, atVectors, maxVectors+1, atResult),
		"a folder is read":      c.call("fd_read", folder, atVectors, c.vectors(1), atResult),
		"a folder is read at":   c.call("fd_pread", folder, atVectors, c.vectors(1), 0, atResult),
		"a place in a folder":   c.call("fd_seek", folder, 0, 0, atResult),
		"the place in a folder": c.call("fd_tell", folder, atResult),
		"a file is listed":      c.call("fd_readdir", fd, atBuffer, 100, 0, atResult),
	} {
		want := map[string]errno{"many vectors": errnoInval, "a file is listed": errnoNotdir}[name]
		if want == 0 {
			want = errnoIsdir
		}
		if e != want {
			t.Errorf("%s: got %d, want %d", name, e, want)
		}
	}
}

func TestStat(t *testing.T) {
	c := newCaller(t, someFiles(t))
	seen := map[uint64]string{}
	for _, test := range []struct {
		path string
		kind uint32
		size uint64
	}{
		{"/", typeFolder, 0}, {"bundle", typeFolder, 0}, {"bundle/model/weights.bin", typeFile, 10}, {"bundle/model/empty", typeFile, 0}, {"empty", typeFolder, 0},
	} {
		ptr, n := c.name(test.path)
		if e := c.call("path_filestat_get", rootDescriptor, 1, ptr, n, atResult); e != errnoSuccess {
			t.Errorf("%s: %d", test.path, e)
		}
		one := bytes.Clone(c.memory.Bytes()[atResult : atResult+64])
		if e := c.call("fd_filestat_get", c.mustOpen(test.path), atResult); e != errnoSuccess || !bytes.Equal(one, c.memory.Bytes()[atResult:atResult+64]) {
			t.Errorf("%s: by its descriptor it is another: %d", test.path, e)
		}
		id := c.long(atResult + 8)
		if other, ok := seen[id]; ok || id == 0 {
			t.Errorf("%s has the number %d of %q", test.path, id, other)
		}
		seen[id] = test.path
		got := fmt.Sprint(c.long(atResult), c.word(atResult+16), c.long(atResult+24), c.long(atResult+32))
		if want := fmt.Sprint(1, test.kind, 1, test.size); got != want {
			t.Errorf("%s: device, kind, links, size: got %s, want %s", test.path, got, want)
		}
		for _, at := range []int{40, 48, 56} {
			if got := time.Unix(0, int64(c.long(atResult+at))).UTC(); got != time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) {
				t.Errorf("%s: was written at %s", test.path, got)
			}
		}
	}
	// Guests of an image made over fewer files have remembered numbers.
	more, err := NewFiles(map[string][]byte{"bundle/a": nil, "bundle/model/weights.bin": nil, "bundle/model/empty": nil}, "a", "empty")
	if err != nil {
		t.Fatal(err)
	}
	again := newCaller(t, more)
	for id, path := range seen {
		ptr, n := again.name(path)
		if e := again.call("path_filestat_get", rootDescriptor, 0, ptr, n, atResult); e != errnoSuccess || again.long(atResult+8) != id {
			t.Errorf("%s has another number in a tree of other files: %d", path, e)
		}
	}
}

// list reads a folder's entries through a buffer of n bytes, as wasi-libc does: a buffer that is full may hold a cut entry, which is asked for again.
func (c caller) list(fd uint64, n uint64) []string {
	c.t.Helper()
	var list []string
	for cookie := uint64(0); ; {
		if e := c.call("fd_readdir", fd, atBuffer, n, cookie, atResult); e != errnoSuccess {
			c.t.Fatalf("readdir: %d", e)
		}
		used := uint64(c.word(atResult))
		b := c.memory.Bytes()[atBuffer : atBuffer+used]
		for len(b) >= entrySize {
			end := entrySize + int(binary.LittleEndian.Uint32(b[16:]))
			if len(b) < end {
				break
			}
			cookie = binary.LittleEndian.Uint64(b)
			list = append(list, fmt.Sprintf("%s %d", b[entrySize:end], b[20]))
			b = b[end:]
		}
		if used < n {
			return list
		}
	}
}

func TestReadFolder(t *testing.T) {
	c := newCaller(t, someFiles(t))
	for path, want := range map[string]string{
		"/":            ". 3,.. 3,bundle 3,empty 3,lib 3",
		"bundle/model": ". 3,.. 3,deep 3,empty 4,größe.txt 4,weights.bin 4",
		"empty":        ". 3,.. 3",
	} {
		fd := c.mustOpen(path)
		for n := uint64(entrySize + len("weights.bin")); n < 300; n++ {
			if got := strings.Join(c.list(fd, n), ","); got != want {
				t.Errorf("%s by %d bytes: got %s, want %s", path, n, got, want)
			}
		}
		for _, cookie := range []uint64{7, 1 << 32, 1<<64 - 1} {
			if e := c.call("fd_readdir", fd, atBuffer, 100, cookie, atResult); cookie > 7 && (e != errnoSuccess || c.word(atResult) != 0) {
				t.Errorf("%s from %d on: %d, %d bytes", path, cookie, e, c.word(atResult))
			}
		}
	}
}

func TestReadingCostsFuel(t *testing.T) {
	files, err := NewFiles(map[string][]byte{"large": make([]byte, 1<<20)})
	if err != nil {
		t.Fatal(err)
	}
	spent := func(f func(c caller)) int64 {
		c := newCaller(t, files)
		c.open("large", 0, rightsRead)
		left := c.meter.Stop(0)
		f(c)
		return c.meter.Stop(0) - left
	}
	if got := spent(func(c caller) { c.call("fd_read", 4, atVectors, c.vectors(16<<10), atResult) }); got < 16<<10/fuelBytes {
		t.Errorf("16 KiB cost %d", got)
	}
	if got := spent(func(c caller) { c.open(strings.Repeat("a", 4000), 0, 0) }); got < 4000 {
		t.Errorf("a path of 4,000 bytes cost %d", got)
	}
	if got := spent(func(c caller) { c.call("fd_readdir", rootDescriptor, atBuffer, 1000, 0, atResult) }); got < 3*fuelEntry {
		t.Errorf("a folder cost %d", got)
	}
}

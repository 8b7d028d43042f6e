package wasmhost

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
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

func TestOpen(t *testing.T) {
	c := newCaller(t, someFiles(t))
	const write = rightsRead | rightWrite
	for _, test := range []struct {
		path          string
		flags, rights uint64
		want          errno
	}{
		{"bundle/clean.py", 0, rightsRead, errnoSuccess},
		{"bundle//./model/../clean.py", 0, rightsRead, errnoSuccess},
		{"../../bundle/clean.py", 0, rightsRead, errnoSuccess},
		{"/bundle/clean.py", 0, rightsRead, errnoSuccess},
		{"bundle/model/größe.txt", 0, rightsRead, errnoSuccess},
		{".", 0, rightsRead, errnoSuccess},
		{"..", openFolder, rightsRead, errnoSuccess},
		{"bundle/", openFolder, rightsRead, errnoSuccess},
		{"empty", openFolder, rightsRead, errnoSuccess},
		{"", 0, rightsRead, errnoNoent},
		{"bundle/dirty.py", 0, rightsRead, errnoNoent},
		{"etc/passwd", 0, rightsRead, errnoNoent},
		{"bundle/clean.py", openFolder, rightsRead, errnoNotdir},
		{"bundle/clean.py/", 0, rightsRead, errnoNotdir},
		{"bundle/clean.py/x", 0, rightsRead, errnoNotdir},
		{"bundle/clean.py/..", 0, rightsRead, errnoNotdir},
		{"bundle/clean.py\x00", 0, rightsRead, errnoInval},
		{"bundle/\xff", 0, rightsRead, errnoIlseq},
		{"bundle/\xed\xa0\x80", 0, rightsRead, errnoIlseq},
		{strings.Repeat("a", maxPath), 0, rightsRead, errnoNoent},
		{strings.Repeat("a", maxPath+1), 0, rightsRead, errnoNametoolong},
		{strings.Repeat("../", maxPath/3), 0, rightsRead, errnoSuccess},
		{"bundle/clean.py", 0, write, errnoRofs},
		{"bundle/clean.py", openTruncate, rightsRead, errnoRofs},
		{"bundle/clean.py", openCreate, rightsRead, errnoSuccess},
		{"bundle/clean.py", openCreate | openExclusive, write, errnoExist},
		{"bundle/new.py", openCreate, write, errnoRofs},
		{"bundle/no/new.py", openCreate, write, errnoRofs},
		{"bundle", 0, write, errnoIsdir},
		{"bundle", openFolder, write, errnoSuccess},
	} {
		fd, e := c.open(test.path, test.flags, test.rights)
		if e != test.want {
			t.Errorf("%q, flags %d, rights %#x: got %d, want %d", test.path, test.flags, test.rights, e, test.want)
		}
		if e == errnoSuccess {
			c.call("fd_close", fd)
		}
	}
	file := c.mustOpen("bundle/clean.py")
	ptr, n := c.name("clean.py")
	for fd, want := range map[uint64]errno{0: errnoBadf, 2: errnoBadf, file: errnoNotdir, 99: errnoBadf, 1<<32 - 1: errnoBadf} {
		if got := c.call("path_open", fd, 0, ptr, n, 0, rightsRead, 0, 0, atResult); got != want {
			t.Errorf("below descriptor %d: got %d, want %d", fd, got, want)
		}
	}
	folder := c.mustOpen("bundle/model")
	ptr, n = c.name("../clean.py")
	if e := c.call("path_open", folder, 0, ptr, n, 0, rightsRead, 0, 0, atResult); e != errnoSuccess {
		t.Errorf("from a folder below the root: %d", e)
	}
}

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
	again := newCaller(t, someFiles(t))
	for id, path := range seen {
		ptr, n := again.name(path)
		if again.call("path_filestat_get", rootDescriptor, 0, ptr, n, atResult); again.long(atResult+8) != id {
			t.Errorf("%s has another number in a tree of the same files", path)
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

func TestNothingIsWritten(t *testing.T) {
	c := newCaller(t, someFiles(t))
	fd, root := c.mustOpen("bundle/clean.py"), uint64(rootDescriptor)
	ptr, n := c.name("bundle/clean.py")
	missing := func(s string) (uint64, uint64) {
		copy(c.memory.Bytes()[atName+0x100:], s)
		return atName + 0x100, uint64(len(s))
	}
	ptr2, n2 := missing("bundle/new")
	one := c.vectors(1)
	for _, test := range []struct {
		what string
		got  errno
		want errno
	}{
		{"fd_write", c.call("fd_write", fd, atVectors, one, atResult), errnoBadf},
		{"fd_write to a folder", c.call("fd_write", root, atVectors, one, atResult), errnoBadf},
		{"fd_pwrite", c.call("fd_pwrite", fd, atVectors, one, 0, atResult), errnoBadf},
		{"fd_allocate", c.call("fd_allocate", fd, 0, 100), errnoRofs},
		{"fd_filestat_set_size", c.call("fd_filestat_set_size", fd, 0), errnoRofs},
		{"fd_filestat_set_times", c.call("fd_filestat_set_times", fd, 0, 0, 1), errnoRofs},
		{"path_create_directory", c.call("path_create_directory", root, ptr2, n2), errnoRofs},
		{"path_create_directory of what is there", c.call("path_create_directory", root, ptr, n), errnoExist},
		{"path_filestat_set_times", c.call("path_filestat_set_times", root, 0, ptr, n, 0, 0, 1), errnoRofs},
		{"path_link", c.call("path_link", root, 0, ptr, n, root, ptr2, n2), errnoRofs},
		{"path_remove_directory", c.call("path_remove_directory", root, ptr, n), errnoRofs},
		{"path_rename", c.call("path_rename", root, ptr, n, root, ptr2, n2), errnoRofs},
		{"path_symlink", c.call("path_symlink", ptr, n, root, ptr2, n2), errnoRofs},
		{"path_unlink_file", c.call("path_unlink_file", root, ptr, n), errnoRofs},
		{"path_unlink_file of none", c.call("path_unlink_file", 77, ptr, n), errnoBadf},
		{"path_readlink", c.call("path_readlink", root, ptr, n, atBuffer, 10, atResult), errnoInval},
		{"path_readlink of nothing", c.call("path_readlink", root, ptr2, n2, atBuffer, 10, atResult), errnoNoent},
		{"fd_sync", c.call("fd_sync", fd), errnoSuccess},
		{"fd_datasync", c.call("fd_datasync", fd), errnoSuccess},
		{"fd_advise", c.call("fd_advise", fd, 0, 10, 1), errnoSuccess},
		{"fd_fdstat_set_flags", c.call("fd_fdstat_set_flags", fd, 1), errnoSuccess},
		{"fd_renumber", c.call("fd_renumber", fd, 1), errnoNotsup},
		{"sock_recv", c.call("sock_recv", fd, 0, 0, 0, 0, 0), errnoNotsock},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %d, want %d", test.what, test.got, test.want)
		}
	}
}

func TestPointersOfFileFunctions(t *testing.T) {
	c := newCaller(t, someFiles(t))
	fd, root := c.mustOpen("bundle/clean.py"), uint64(rootDescriptor)
	ptr, n := c.name("bundle")
	one := c.vectors(1)
	// The last bytes of the memory, behind it, and where 32 bits end.
	for _, bad := range []uint64{pageSize - 1, pageSize, 1<<32 - 1, 1<<32 - 4} {
		for name, e := range map[string]errno{
			"path":       c.call("path_filestat_get", root, 0, bad, 2, atResult),
			"stat":       c.call("path_filestat_get", root, 0, ptr, n, bad),
			"descriptor": c.call("path_open", root, 0, ptr, n, 0, rightsRead, 0, 0, bad),
			"vectors":    c.call("fd_read", fd, bad, one, atResult),
			"count":      c.call("fd_read", fd, atVectors, one, bad),
			"count at":   c.call("fd_pread", fd, atVectors, one, 0, bad),
			"place":      c.call("fd_seek", fd, 0, 0, bad),
			"told place": c.call("fd_tell", fd, bad),
			"flags":      c.call("fd_fdstat_get", fd, bad),
			"fd stat":    c.call("fd_filestat_get", fd, bad),
			"entries":    c.call("fd_readdir", root, bad, 2, 0, atResult),
			"used":       c.call("fd_readdir", root, atBuffer, 100, 0, bad),
			"prestat":    c.call("fd_prestat_get", root, bad),
		} {
			if e != errnoFault {
				t.Errorf("%s at %#x: %d", name, bad, e)
			}
		}
	}
	if got := c.file(fd).at; got != 0 {
		t.Errorf("reads and seeks that failed moved to %d", got)
	}
	if i := len(c.files); i != 2 {
		t.Errorf("opening that failed left %d descriptors", i)
	}
}

func TestGuestsWithoutFiles(t *testing.T) {
	c := newCaller(t, nil)
	for _, f := range wasi {
		if !strings.HasPrefix(f.name, "fd_") && !strings.HasPrefix(f.name, "path_") {
			continue
		}
		params := make([]uint64, len(f.params))
		params[0] = rootDescriptor
		if f.name == "path_symlink" {
			params[2] = rootDescriptor
		}
		if e := f.call(c.guest, params); e != errnoBadf {
			t.Errorf("%s: %d", f.name, e)
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

func TestTreesThatCannotBe(t *testing.T) {
	for _, test := range []struct{ path, folder, want string }{
		{"", "", "`` is no path of a file"},
		{"a/", "", "`` is no path of a file"},
		{"/a", "", "`` is no path of a file"},
		{"a/../b", "", "`..` is no path of a file"},
		{"a/b", "", ""},
		{"a", "a", "`a` is both a file and a folder"},
		{"a/b", "a/b/c", "`a/b` is both a file and a folder"},
		{"a\x00", "", "`a\\x00` is no path of a file"},
		{"a\xff", "", "`a\\xff` is no path of a file"},
	} {
		var folders []string
		if test.folder != "" {
			folders = []string{test.folder}
		}
		_, err := NewFiles(map[string][]byte{test.path: {1}}, folders...)
		got := ""
		if f := fault.From(err); err != nil {
			got = f.Error()
		}
		if got != test.want {
			t.Errorf("%q: got %q, want %q", test.path, got, test.want)
		}
	}
}

// FuzzPath checks that a path leads to where it leads by the rules for paths, and never out of the tree.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"", ".", "..", "a/../b", "bundle/model/../../lib//python313.zip", "bundle/clean.py/", "\xff", "a\x00", strings.Repeat("../", 2000)} {
		f.Add(s)
	}
	files := someFiles(f)
	f.Fuzz(func(t *testing.T, s string) {
		n, e := files.root.walk(s)
		if (n != nil) != (e == errnoSuccess) {
			t.Fatalf("%q: %v, %d", s, n, e)
		}
		if n != nil && n.path != path.Clean("/"+s) {
			t.Errorf("%q leads to %s, want %s", s, n.path, path.Clean("/"+s))
		}
	})
}

// FuzzFileFunctions calls functions with any numbers. None may panic but with a fault, nor change the files.
func FuzzFileFunctions(f *testing.F) {
	f.Add([]byte{4, 3, 0, 0x10, 6})
	f.Add(bytes.Repeat([]byte{0xff, 3, 4, 0, 1}, 40))
	values := []uint64{0, 1, 2, 3, 4, 5, 8, 16, 100, atName, atVectors, atResult, atBuffer, pageSize - 8, pageSize, 1<<31 - 1, 1 << 31, 1<<32 - 8, 1<<32 - 1, 1<<63 - 1, 1 << 63, 1<<64 - 1}
	var functions []int
	for i, w := range wasi {
		if strings.HasPrefix(w.name, "fd_") || strings.HasPrefix(w.name, "path_") {
			functions = append(functions, i)
		}
	}
	names := []string{"bundle", "bundle/clean.py", "..", "lib/../bundle/model/", "no", "\xff"}
	f.Fuzz(func(t *testing.T, program []byte) {
		files := someFiles(t)
		c := newCaller(t, files)
		next := func() (b byte) {
			if len(program) > 0 {
				b, program = program[0], program[1:]
			}
			return b
		}
		for len(program) > 0 {
			w := wasi[functions[int(next())%len(functions)]]
			c.name(names[int(next())%len(names)])
			c.vectors(uint32(next()), uint32(values[int(next())%len(values)]))
			params := make([]uint64, len(w.params))
			for i := range params {
				params[i] = values[int(next())%len(values)]
			}
			w.call(c.guest, params)
			if len(c.files) > maxOpen || c.files[0].node != files.root {
				t.Fatalf("%s%v left the descriptors %v", w.name, params, c.files)
			}
		}
		if !sameTree(files.root, someFiles(t).root) {
			t.Error("the files changed")
		}
	})
}

func sameTree(a, b *node) bool {
	if a.path != b.path || a.folder != b.folder || a.id != b.id || !bytes.Equal(a.content, b.content) || len(a.children) != len(b.children) {
		return false
	}
	for i := range a.children {
		if !sameTree(a.children[i], b.children[i]) {
			return false
		}
	}
	return true
}

package wasmhost

import (
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/fault"
)

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
		{"bundle/no/new.py", openCreate, write, errnoNoent},
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

func TestTreesThatCannotBe(t *testing.T) {
	for _, test := range []struct{ path, folder, want string }{
		{"", "", "`/` is no path of a file"},
		{"a/", "", "`/a/` is no path of a file"},
		{"/a", "", "`/` is no path of a file"},
		{"a/../b", "", "`/a/..` is no path of a file"},
		{"a/b", "", ""},
		{"a", "a", "`/a` is both a file and a folder"},
		{"a/b", "a/b/c", "`/a/b` is both a file and a folder"},
		{"a\x00", "", "`/a\uFFFD` is no path of a file"},
		{"a\xff", "", "`/a\uFFFD` is no path of a file"},
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

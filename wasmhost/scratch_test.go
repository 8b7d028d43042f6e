package wasmhost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const rightsWrite = rightsRead | rightsChange

// scratching is a caller with a scratch folder that takes limit bytes, and the folder's path from the root.
func scratching(t *testing.T, limit int64) (c caller, s *Scratch, at string) {
	t.Helper()
	s, err := NewScratch(limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	files := someFiles(t)
	if err := files.Mount(s); err != nil {
		t.Fatal(err)
	}
	return newCaller(t, files), s, strings.TrimPrefix(filepath.ToSlash(s.Path()), "/")
}

// write writes a text to a descriptor.
func (c caller) write(fd uint64, text string) errno {
	copy(c.memory.Bytes()[atBuffer:], text)
	return c.call("fd_write", fd, atVectors, c.vectors(uint32(len(text))), atResult)
}

func (c caller) on(name, path string) errno {
	ptr, n := c.name(path)
	return c.call(name, rootDescriptor, ptr, n)
}

func (c caller) rename(from, to string) errno {
	ptr, n := c.name(from)
	copy(c.memory.Bytes()[atName+0x800:], to)
	return c.call("path_rename", rootDescriptor, ptr, n, rootDescriptor, atName+0x800, uint64(len(to)))
}

func wanted(t *testing.T, what string, got, want errno) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %d, want %d", what, got, want)
	}
}

func TestScratch(t *testing.T) {
	c, s, at := scratching(t, 1000)
	fd, e := c.open(at+"/a.txt", openCreate, rightsWrite)
	wanted(t, "create", e, errnoSuccess)
	wanted(t, "write", c.write(fd, "hello world"), errnoSuccess)
	wanted(t, "seek", c.call("fd_seek", fd, 6, 0, atResult), errnoSuccess)
	wanted(t, "write in the middle", c.write(fd, "there"), errnoSuccess)
	wanted(t, "pwrite", c.call("fd_pwrite", fd, atVectors, c.vectors(1), 0, atResult), errnoSuccess)
	if text, err := os.ReadFile(filepath.Join(s.Path(), "a.txt")); err != nil || string(text) != "tello there" {
		t.Errorf("the host reads %q, %v", text, err)
	}
	wanted(t, "seek to the end", c.call("fd_seek", fd, 0, 2, atResult), errnoSuccess)
	if end := c.long(atResult); end != 11 {
		t.Errorf("the end is at %d", end)
	}
	wanted(t, "cut", c.call("fd_filestat_set_size", fd, 5), errnoSuccess)
	more, e := c.openAppending(at + "/a.txt")
	wanted(t, "open to append", e, errnoSuccess)
	wanted(t, "append", c.write(more, "!"), errnoSuccess)
	wanted(t, "read", c.call("fd_pread", fd, atVectors, c.vectors(3, 20), 0, atResult), errnoSuccess)
	if n := c.word(atResult); n != 6 || c.buffer(6) != "tello!" {
		t.Errorf("%d bytes, %q", n, c.buffer(6))
	}
	reader := c.mustOpen(at + "/a.txt")
	wanted(t, "write what is open to be read", c.write(reader, "x"), errnoBadf)
	_, e = c.open(at+"/a.txt", openCreate|openExclusive, rightsWrite)
	wanted(t, "create again", e, errnoExist)

	wanted(t, "folder", c.on("path_create_directory", at+"/d"), errnoSuccess)
	wanted(t, "folder again", c.on("path_create_directory", at+"/d"), errnoExist)
	wanted(t, "rename", c.rename(at+"/a.txt", at+"/d/b.txt"), errnoSuccess)
	wanted(t, "rename what is not there", c.rename(at+"/a.txt", at+"/d/b.txt"), errnoNoent)
	wanted(t, "rename into the bundle", c.rename(at+"/d/b.txt", "bundle/b.txt"), errnoRofs)
	wanted(t, "remove a folder with something in it", c.on("path_remove_directory", at+"/d"), errnoNotempty)
	wanted(t, "unlink a folder", c.on("path_unlink_file", at+"/d"), errnoIsdir)
	folder := c.mustOpen(at + "/d")
	wanted(t, "list", c.call("fd_readdir", folder, atBuffer, 500, 0, atResult), errnoSuccess)
	if listed := c.buffer(c.word(atResult)); !strings.HasSuffix(listed, "b.txt") {
		t.Errorf("the folder lists %q", listed)
	}
	wanted(t, "unlink", c.on("path_unlink_file", at+"/d/b.txt"), errnoSuccess)
	wanted(t, "stat of what is open and unlinked", c.call("fd_filestat_get", fd, atResult), errnoSuccess)
	if size := c.long(atResult + 32); size != 6 {
		t.Errorf("%d bytes", size)
	}
	wanted(t, "remove", c.on("path_remove_directory", at+"/d"), errnoSuccess)
	if used, items := s.used.Load(), s.items.Load(); used != 0 || items != 0 {
		t.Errorf("%d bytes in %d items are left", used, items)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.Path()); !os.IsNotExist(err) {
		t.Errorf("the folder is there after it was closed: %v", err)
	}
}

func (c caller) openAppending(path string) (uint64, errno) {
	ptr, n := c.name(path)
	e := c.call("path_open", rootDescriptor, 0, ptr, n, openCreate, rightsWrite, 0, fdAppend, atResult)
	return uint64(c.word(atResult)), e
}

// Nothing leads out of the folder: not its parent, nor a link that somebody put there.
func TestScratchEnds(t *testing.T) {
	c, s, at := scratching(t, 1000)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"file": secret, "folder": filepath.Dir(secret), "up": ".."} {
		if err := os.Symlink(target, filepath.Join(s.Path(), name)); err != nil {
			t.Fatal(err)
		}
		_, e := c.open(at+"/"+name, 0, rightsRead)
		wanted(t, "link to a "+name, e, errnoNoent)
	}
	_, e := c.open(at+"/folder/secret", 0, rightsRead)
	wanted(t, "through a link", e, errnoNoent)
	_, e = c.open(at+"/file", openCreate, rightsWrite)
	if e == errnoSuccess {
		t.Error("a link was written through")
	}
	_, e = c.open(at+"/../x", openCreate, rightsWrite)
	wanted(t, "beside the folder", e, errnoRofs)
	_, e = c.open(at+"/../../bundle/clean.py", 0, rightsRead)
	if strings.Count(at, "/") == 1 {
		wanted(t, "the bundle by way of the folder", e, errnoSuccess)
	}
	if text, err := os.ReadFile(secret); err != nil || string(text) != "x" {
		t.Error(text, err)
	}
}

func TestScratchIsLimited(t *testing.T) {
	c, s, at := scratching(t, 10)
	fd, _ := c.open(at+"/a", openCreate, rightsWrite)
	wanted(t, "as much as there may be", c.write(fd, "0123456789"), errnoSuccess)
	wanted(t, "more", c.write(fd, "x"), errnoNospc)
	wanted(t, "longer", c.call("fd_filestat_set_size", fd, 11), errnoNospc)
	wanted(t, "shorter", c.call("fd_filestat_set_size", fd, 4), errnoSuccess)
	wanted(t, "again", c.write(fd, ""), errnoSuccess)
	s.items.Store(maxItems)
	_, e := c.open(at+"/b", openCreate, rightsWrite)
	wanted(t, "one file too many", e, errnoNospc)
	wanted(t, "one folder too many", c.on("path_create_directory", at+"/d"), errnoNospc)
}

// A folder of the scratch is shown in that of the bundle, in the place of what was there, and cannot be changed by that path.
func TestLinks(t *testing.T) {
	s, err := NewScratch(1000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	files, err := BundleFiles(map[string][]byte{"data.zip": []byte("zip"), "job.py": []byte("job")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(files.Mount(s), os.MkdirAll(filepath.Join(s.Path(), "x", "inner"), 0o777),
		os.WriteFile(filepath.Join(s.Path(), "x", "inner", "a.txt"), []byte("hello"), 0o666)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][3]string{
		{"..", s.Path() + "/x", "`..` is no name of a folder"}, {"a/b", s.Path() + "/x", "`a/b` is no name of a folder"}, {"a", "/etc", "`/etc` is not in the folder for what is temporary"},
		{"a", s.Path() + "/x/../../etc", "`" + s.Path() + "/x/../../etc` is not in the folder for what is temporary"},
		{"a", s.Path() + "/x/inner/a.txt", "`" + s.Path() + "/x/inner/a.txt` is no folder"},
	} {
		if err := files.Link(bad[0], s, bad[1]); err == nil || err.Error() != bad[2] {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	c := newCaller(t, files)
	_, e := c.open("bundle/data.zip/inner/a.txt", 0, rightsRead)
	wanted(t, "a file for a folder", e, errnoNotdir)
	if err := files.Link("data.zip", s, s.Path()+"/x"); err != nil {
		t.Fatal(err)
	}
	fd, e := c.open("bundle/data.zip/inner/a.txt", 0, rightsRead)
	wanted(t, "open", e, errnoSuccess)
	wanted(t, "write to what is open", c.write(fd, "x"), errnoBadf)
	_, e = c.open("bundle/data.zip/inner/../../job.py", 0, rightsRead)
	wanted(t, "beside it", e, errnoSuccess)
	for what, got := range map[string]func() errno{
		"open to write": func() errno { _, e := c.open("bundle/data.zip/inner/a.txt", 0, rightsWrite); return e },
		"truncate":      func() errno { _, e := c.open("bundle/data.zip/inner/a.txt", openTruncate, rightsRead); return e },
		"create":        func() errno { _, e := c.open("bundle/data.zip/b.txt", openCreate, rightsWrite); return e },
		"make a folder": func() errno { return c.on("path_create_directory", "bundle/data.zip/b") },
		"remove":        func() errno { return c.on("path_unlink_file", "bundle/data.zip/inner/a.txt") },
		"rename":        func() errno { return c.rename("bundle/data.zip/inner/a.txt", "bundle/data.zip/b") },
	} {
		wanted(t, what, got(), errnoRofs)
	}
	var names []string
	root := &openFile{node: func() *node { n, _ := files.root.walk("bundle"); return n }()}
	for _, n := range root.list() {
		names = append(names, fmt.Sprint(n.name, n.folder))
	}
	if want := "[data.ziptrue job.pyfalse]"; fmt.Sprint(names) != want {
		t.Errorf("got %v, want %s", names, want)
	}
}

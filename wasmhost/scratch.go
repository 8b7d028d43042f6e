package wasmhost

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
)

// Scratch is a temporary folder of the host's that guests read and write, under the path that it has on the host, so that both
// call its files by the same names. Guests see files and folders in it and nothing else: no links, and nothing above it.
type Scratch struct {
	path  string
	root  *os.Root
	limit int64        // bytes
	used  atomic.Int64 // bytes that guests have written and not removed
	items atomic.Int64 // files and folders that guests have made and not removed
}

// maxItems is the most files and folders that guests may make in a scratch folder.
const maxItems = 10_000

// NewScratch makes an empty folder whose guests may write so many bytes into it. Errors are faults of code Usage.
func NewScratch(limit int64) (*Scratch, error) {
	path, err := os.MkdirTemp("", "wasmill-tmp-")
	if err == nil {
		var root *os.Root
		if root, err = os.OpenRoot(path); err == nil {
			return &Scratch{path: path, root: root, limit: limit}, nil
		}
		os.Remove(path)
	}
	return nil, fault.New(fault.Usage, "there is no temporary folder: %v", err).WithHint("set TMPDIR to a folder that can be written")
}

// Path returns the folder's path, the host's and the guests'.
func (s *Scratch) Path() string { return s.path }

// Close removes the folder and what is in it.
func (s *Scratch) Close() error {
	return errors.Join(s.root.Close(), os.RemoveAll(s.path))
}

// Mount puts a scratch folder into the tree, under its path. The error is that of [NewFiles].
func (f *Files) Mount(s *Scratch) error {
	n, err := f.folder(strings.Trim(filepath.ToSlash(s.path), "/"))
	if err != nil {
		return err
	}
	n.scratch, n.rel = s, "."
	return nil
}

// below returns what has that name in a folder of the scratch.
func (n *node) below(name string) (*node, errno) {
	child := n.inner(name)
	info, err := n.scratch.root.Lstat(child.rel)
	switch {
	case err != nil:
		return nil, errnoOf(err)
	case !info.Mode().IsRegular() && !info.IsDir():
		return nil, errnoNoent // not a guest's
	}
	child.folder = info.IsDir()
	return child, errnoSuccess
}

// inner returns a node for a name in a folder of the scratch, be there such a file or not.
func (n *node) inner(name string) *node {
	child := newNode(strings.TrimSuffix(n.path, "/")+"/"+name, name, false, n)
	child.scratch, child.rel, child.fixed = n.scratch, filepath.Join(n.rel, name), n.fixed
	return child
}

func errnoOf(err error) errno {
	for _, e := range []struct {
		is error
		no errno
	}{
		{syscall.ENOTEMPTY, errnoNotempty}, {fs.ErrNotExist, errnoNoent}, {fs.ErrExist, errnoExist}, {syscall.EISDIR, errnoIsdir},
		{syscall.ENOTDIR, errnoNotdir}, {syscall.ENOSPC, errnoNospc}, {syscall.ENAMETOOLONG, errnoNametoolong}, {syscall.EINVAL, errnoInval}, {syscall.EBADF, errnoBadf},
	} {
		if errors.Is(err, e.is) {
			return e.no
		}
	}
	return errnoIo
}

// stat returns how long a file is, and when it was written in nanoseconds; 0 for what has gone.
func (n *node) stat() (size, changed uint64) {
	if n.scratch == nil {
		return uint64(len(n.content)), modified
	}
	info, err := n.scratch.root.Lstat(n.rel)
	if err != nil {
		return 0, modified
	}
	if !n.folder {
		size = uint64(info.Size())
	}
	return size, uint64(info.ModTime().UnixNano())
}

// stat returns what [node.stat] does, also of a file that has been removed or renamed since it was opened.
func (f *openFile) stat() (size, changed uint64) {
	if f.disk != nil {
		if info, err := f.disk.Stat(); err == nil {
			return uint64(info.Size()), uint64(info.ModTime().UnixNano())
		}
	}
	return f.node.stat()
}

// place returns a node for what a guest is about to make or remove: its folder is there and in the scratch.
func (g *guest) place(fd, ptr, length uint64) (*node, errno) {
	f := g.file(fd)
	switch {
	case f == nil:
		return nil, errnoBadf
	case uint32(length) > maxPath:
		return nil, errnoNametoolong
	}
	b, ok := g.view(uint32(ptr), uint32(length))
	if !ok {
		return nil, errnoFault
	}
	g.charge(fuelPrint*int64(len(b)) + fuelDisk)
	path := strings.TrimRight(string(b), "/")
	cut := strings.LastIndexByte(path, '/')
	at, e := f.walk(path[:cut+1] + ".")
	name := path[cut+1:]
	switch {
	case e != errnoSuccess:
		return nil, e
	case !at.folder:
		return nil, errnoNotdir
	case at.readOnly():
		return nil, errnoRofs
	case name == "" || name == "." || name == "..":
		return nil, errnoInval
	}
	return at.inner(name), errnoSuccess
}

// fuelDisk is what an operation on a file of the host costs.
const fuelDisk = 2000

// grow reserves room for bytes and items before they are written.
func (s *Scratch) grow(bytes, items int64) errno {
	used, made := s.used.Add(bytes), s.items.Add(items)
	if bytes > 0 && used > s.limit || items > 0 && made > maxItems {
		s.used.Add(-bytes)
		s.items.Add(-items)
		return errnoNospc
	}
	return errnoSuccess
}

// openDisk opens a file of the scratch, which is made if need be.
func (n *node) openDisk(flags uint32, rights uint64) (*os.File, errno) {
	mode := os.O_RDONLY
	if rights&rightsChange != 0 || flags&openTruncate != 0 {
		mode = os.O_RDWR
	}
	made := false
	if flags&openCreate != 0 {
		_, err := n.scratch.root.Lstat(n.rel)
		if made = errors.Is(err, fs.ErrNotExist); made {
			if e := n.scratch.grow(0, 1); e != errnoSuccess {
				return nil, e
			}
		}
		mode |= os.O_CREATE
	}
	if flags&openExclusive != 0 {
		mode |= os.O_EXCL
	}
	if flags&openTruncate != 0 {
		size, _ := n.stat()
		n.scratch.used.Add(-int64(size))
		mode |= os.O_TRUNC
	}
	f, err := n.scratch.root.OpenFile(n.rel, mode, 0o600)
	if err != nil {
		if made {
			n.scratch.grow(0, -1)
		}
		return nil, errnoOf(err)
	}
	return f, errnoSuccess
}

// writeAt writes a guest's vectors to a file of the scratch.
func (g *guest) writeAt(f *openFile, ptr, n, at uint64) (uint32, errno) {
	if f.disk == nil {
		return 0, errnoBadf
	}
	count := uint32(n)
	if count > maxVectors {
		return 0, errnoInval
	}
	vectors, ok := g.view(uint32(ptr), 8*count)
	if !ok {
		return 0, errnoFault
	}
	size, _ := f.stat()
	total := uint32(0)
	for ; len(vectors) > 0; vectors = vectors[8:] {
		from, ok := g.view(binary.LittleEndian.Uint32(vectors), binary.LittleEndian.Uint32(vectors[4:]))
		if !ok {
			return 0, errnoFault
		}
		g.charge(int64(len(from))/fuelBytes + fuelDisk)
		if end := at + uint64(len(from)); end > size {
			if e := f.scratch.grow(int64(end-size), 0); e != errnoSuccess {
				return total, e
			}
			size = end
		}
		written, err := f.disk.WriteAt(from, int64(at))
		at, total = at+uint64(written), total+uint32(written)
		if err != nil {
			return total, errnoOf(err)
		}
	}
	return total, errnoSuccess
}

func (g *guest) fdWrite(f *openFile, p []uint64) errno {
	at := f.at
	if f.appends {
		at, _ = f.stat()
	}
	n, e := g.writeAt(f, p[1], p[2], at)
	if e == errnoSuccess {
		if e = g.put(p[3], n); e == errnoSuccess {
			f.at = at + uint64(n)
		}
	}
	return e
}

func (g *guest) fdPwrite(f *openFile, p []uint64) errno {
	n, e := g.writeAt(f, p[1], p[2], p[3])
	if e == errnoSuccess {
		e = g.put(p[4], n)
	}
	return e
}

func (g *guest) fdSetSize(f *openFile, p []uint64) errno {
	if f.disk == nil {
		return errnoRofs
	}
	size, _ := f.stat()
	if int64(p[1]) < 0 {
		return errnoInval
	}
	g.charge(fuelDisk)
	if e := f.scratch.grow(int64(p[1])-int64(size), 0); e != errnoSuccess {
		return e
	}
	if err := f.disk.Truncate(int64(p[1])); err != nil {
		return errnoOf(err)
	}
	return errnoSuccess
}

func (g *guest) pathCreate(p []uint64) errno {
	if _, e := g.lookup(p[0], p[1], p[2]); e != errnoNoent {
		if e == errnoSuccess {
			return errnoExist
		}
		return e
	}
	n, e := g.place(p[0], p[1], p[2])
	if e != errnoSuccess {
		return e
	}
	if e := n.scratch.grow(0, 1); e != errnoSuccess {
		return e
	}
	if err := n.scratch.root.Mkdir(n.rel, 0o700); err != nil {
		n.scratch.grow(0, -1)
		return errnoOf(err)
	}
	return errnoSuccess
}

// pathRemove removes a file, or a folder that is empty.
func pathRemove(folder bool) func(*guest, []uint64) errno {
	return func(g *guest, p []uint64) errno {
		n, e := g.place(p[0], p[1], p[2])
		if e != errnoSuccess {
			return e
		}
		there, e := n.parent.below(n.name)
		switch {
		case e != errnoSuccess:
			return e
		case folder && !there.folder:
			return errnoNotdir
		case !folder && there.folder:
			return errnoIsdir
		}
		size, _ := there.stat()
		if err := n.scratch.root.Remove(n.rel); err != nil {
			return errnoOf(err)
		}
		n.scratch.grow(-int64(size), -1)
		return errnoSuccess
	}
}

func (g *guest) pathRename(p []uint64) errno {
	from, e := g.place(p[0], p[1], p[2])
	if e != errnoSuccess {
		return e
	}
	to, e := g.place(p[3], p[4], p[5])
	if e != errnoSuccess {
		return e
	}
	if _, e := from.parent.below(from.name); e != errnoSuccess {
		return e
	}
	over, replaced := to.parent.below(to.name)
	size := uint64(0)
	if replaced == errnoSuccess {
		size, _ = over.stat()
	}
	if err := from.scratch.root.Rename(from.rel, to.rel); err != nil {
		return errnoOf(err)
	}
	if replaced == errnoSuccess {
		to.scratch.grow(-int64(size), -1)
	}
	return errnoSuccess
}

// Which times path_filestat_set_times sets: the one given, or now.
const (
	setRead     = 1 << 0
	setReadNow  = 1 << 1
	setWrite    = 1 << 2
	setWriteNow = 1 << 3
)

func (g *guest) pathSetTimes(p []uint64) errno {
	n, e := g.lookup(p[0], p[2], p[3])
	switch {
	case e != errnoSuccess:
		return e
	case n.readOnly():
		return errnoRofs
	}
	at := func(given, now uint64, when uint64) time.Time {
		switch {
		case p[6]&now != 0:
			return g.bundle.host.options.Now()
		case p[6]&given != 0:
			return time.Unix(0, int64(when))
		}
		return time.Time{} // as it is
	}
	if err := n.scratch.root.Chtimes(n.rel, at(setRead, setReadNow, p[4]), at(setWrite, setWriteNow, p[5])); err != nil {
		return errnoOf(err)
	}
	return errnoSuccess
}

// list returns what is in a folder, by name.
func (f *openFile) list() []*node {
	if f.scratch == nil {
		return f.entries()
	}
	dir, err := f.scratch.root.Open(f.rel)
	if err != nil {
		return nil
	}
	defer dir.Close()
	entries, _ := dir.ReadDir(2 * maxItems)
	var nodes []*node
	for _, entry := range entries {
		if n, e := f.below(entry.Name()); e == errnoSuccess {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// closeFiles closes the files of the host that the guest has left open.
func (g *guest) closeFiles() {
	for _, f := range g.files {
		if f != nil && f.disk != nil {
			f.disk.Close()
		}
	}
}

package wasmhost

import (
	"encoding/binary"
	"io"
	"os"
)

// The guest's descriptors of files begin behind the standard streams. The first one is the root, which is always open.
const (
	rootDescriptor = 3
	maxOpen        = 256
)

// openFile is a descriptor of a file or folder.
type openFile struct {
	*node
	at      uint64   // where the next read begins; may lie behind the end
	disk    *os.File // of a file in the scratch
	appends bool     // every write goes to the end
	listed  []*node  // of a folder that is being read
}

// file returns an open descriptor, nil when it is not open.
func (g *guest) file(fd uint64) *openFile {
	i := uint64(uint32(fd)) - rootDescriptor // wraps around for the standard streams
	if i >= uint64(len(g.files)) {
		return nil
	}
	return g.files[i]
}

// onFile answers for the three standard streams with what stream says, for open files with what file says, and for other
// descriptors that they are not open.
func onFile(stream func(*guest, []uint64) errno, file func(*guest, *openFile, []uint64) errno) func(*guest, []uint64) errno {
	return func(g *guest, p []uint64) errno {
		if uint32(p[0]) < rootDescriptor {
			return stream(g, p)
		}
		f := g.file(p[0])
		if f == nil {
			return errnoBadf
		}
		return file(g, f, p)
	}
}

// always answers the same for every open file.
func always(e errno) func(*guest, *openFile, []uint64) errno {
	return func(*guest, *openFile, []uint64) errno { return e }
}

// unwritable is the answer of functions that would change the tree. At is which parameter is a folder's descriptor.
func unwritable(at int) func(*guest, []uint64) errno {
	return func(g *guest, p []uint64) errno {
		if g.file(p[at]) == nil {
			return errnoBadf
		}
		return errnoRofs
	}
}

func (g *guest) fdClose(f *openFile, p []uint64) errno {
	if uint32(p[0]) == rootDescriptor {
		return errnoNotsup // guests of one image have the same descriptors
	}
	if f.disk != nil {
		f.disk.Close()
	}
	g.files[uint32(p[0])-rootDescriptor] = nil
	return errnoSuccess
}

// Types of files, and the rights that a guest sees: reading, seeking and looking.
const (
	typeFolder  = 3
	typeFile    = 4
	rightSeek   = 1 << 2
	rightTell   = 1 << 5
	rightsRead  = rightRead | rightSeek | rightTell | 1<<7 | 1<<14 | 1<<18 | 1<<21 // advise, readdir, path_filestat_get, fd_filestat_get
	rightOpen   = 1 << 13
	rightsEvery = 1<<29 - 1
	modified    = 1_704_067_200_000_000_000 // when everything was written: 2024-01-01, in nanoseconds
)

func (n *node) kind() uint32 {
	if n.folder {
		return typeFolder
	}
	return typeFile
}

func (g *guest) fdStat(f *openFile, p []uint64) errno {
	if f.folder {
		// What is opened below may be asked for with every right, so that it is told that files cannot be written, and not
		// that they lack something.
		return g.put(p[1], f.kind(), 0, rightsRead|rightOpen, 0, rightsEvery, 0)
	}
	rights, flags := uint32(rightsRead), uint32(0)
	if f.disk != nil {
		rights |= rightsChange
	}
	if f.appends {
		flags = fdAppend << 16 // behind the kind and a byte of padding
	}
	return g.put(p[1], f.kind()|flags, 0, rights, 0, 0, 0)
}

func (g *guest) putStat(ptr uint64, n *node, size, changed uint64) errno {
	low, high := uint32(changed), uint32(changed>>32)
	return g.put(ptr, 1, 0, uint32(n.id), uint32(n.id>>32), n.kind(), 0, 1, 0, uint32(size), uint32(size>>32), low, high, low, high, low, high)
}

func (g *guest) fdFilestat(f *openFile, p []uint64) errno {
	size, changed := f.stat()
	return g.putStat(p[1], f.node, size, changed)
}

// fdSeek moves where the next read begins.
func (g *guest) fdSeek(f *openFile, p []uint64) errno {
	if f.folder {
		return errnoIsdir
	}
	var from uint64
	switch uint32(p[2]) {
	case 0:
	case 1:
		from = f.at
	case 2:
		from, _ = f.stat()
	default:
		return errnoInval
	}
	to := int64(from) + int64(p[1])
	if to < 0 { // or too large
		return errnoInval
	}
	if e := g.putLong(p[3], uint64(to)); e != errnoSuccess {
		return e
	}
	f.at = uint64(to)
	return errnoSuccess
}

func (g *guest) fdTell(f *openFile, p []uint64) errno {
	if f.folder {
		return errnoIsdir
	}
	return g.putLong(p[1], f.at)
}

func (g *guest) fdRead(f *openFile, p []uint64) errno {
	n, e := g.readAt(f, p[1], p[2], f.at)
	if e == errnoSuccess {
		if e = g.put(p[3], n); e == errnoSuccess {
			f.at += uint64(n)
		}
	}
	return e
}

func (g *guest) fdPread(f *openFile, p []uint64) errno {
	n, e := g.readAt(f, p[1], p[2], p[3])
	if e == errnoSuccess {
		e = g.put(p[4], n)
	}
	return e
}

// readAt fills a guest's vectors. Together they get no more than the file has.
func (g *guest) readAt(f *openFile, ptr, n, at uint64) (uint32, errno) {
	if f.folder {
		return 0, errnoIsdir
	}
	count := uint32(n)
	if count > maxVectors {
		return 0, errnoInval
	}
	var rest []byte
	if f.disk == nil {
		rest = f.content[min(at, uint64(len(f.content))):]
	}
	total := uint32(0)
	for i := range count {
		vector, ok := g.view(uint32(ptr)+8*i, 8) // again, since the one before may have been written over it
		if !ok || uint64(uint32(ptr))+8*uint64(i) > 1<<32-8 {
			return 0, errnoFault
		}
		to, ok := g.view(binary.LittleEndian.Uint32(vector), binary.LittleEndian.Uint32(vector[4:]))
		if !ok {
			return 0, errnoFault
		}
		if f.disk != nil {
			g.charge(fuelDisk)
			moved, err := f.disk.ReadAt(to, int64(at)+int64(total))
			g.charge(int64(moved) / fuelBytes)
			total += uint32(moved)
			if err != nil && err != io.EOF {
				return 0, errnoOf(err)
			}
			if moved < len(to) {
				break
			}
			continue
		}
		moved := copy(to, rest)
		g.charge(int64(moved)/fuelBytes + 1)
		rest, total = rest[moved:], total+uint32(moved)
	}
	return total, errnoSuccess
}

// A folder's entry as fd_readdir writes it, in bytes and fuel.
const (
	entrySize = 24
	fuelEntry = 20
)

// fdReaddir writes the entries of a folder from the one that the cookie numbers: itself, its parent, and what is in it. The last one is
// cut where the buffer ends.
func (g *guest) fdReaddir(f *openFile, p []uint64) errno {
	if !f.folder {
		return errnoNotdir
	}
	out, ok := g.view(uint32(p[1]), uint32(p[2]))
	if !ok {
		return errnoFault
	}
	if p[3] == 0 {
		f.listed = f.list()
	}
	used := 0
	for next := p[3]; next < uint64(len(f.listed))+2 && used < len(out); next++ {
		name, n := "..", f.parent
		switch {
		case next == 0:
			name, n = ".", f.node
		case next > 1:
			n = f.listed[next-2]
			name = n.name
		}
		var entry [entrySize]byte
		binary.LittleEndian.PutUint64(entry[:], next+1)
		binary.LittleEndian.PutUint64(entry[8:], n.id)
		binary.LittleEndian.PutUint32(entry[16:], uint32(len(name)))
		entry[20] = byte(n.kind())
		used += copy(out[used:], entry[:])
		used += copy(out[used:], name)
		g.charge(fuelEntry)
	}
	return g.put(p[4], uint32(used))
}

// fdPrestat tells that the root is a folder that was open from the start, and how long its name is.
func (g *guest) fdPrestat(_ *openFile, p []uint64) errno {
	if uint32(p[0]) != rootDescriptor {
		return errnoBadf
	}
	return g.put(p[1], 0, uint32(len(g.files[0].path)))
}

func (g *guest) fdPrestatName(_ *openFile, p []uint64) errno {
	if uint32(p[0]) != rootDescriptor {
		return errnoBadf
	}
	name := g.files[0].path
	if uint32(p[2]) < uint32(len(name)) {
		return errnoNametoolong
	}
	to, ok := g.view(uint32(p[1]), uint32(len(name)))
	if !ok {
		return errnoFault
	}
	copy(to, name)
	return errnoSuccess
}

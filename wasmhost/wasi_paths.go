package wasmhost

import "slices"

// lookup follows the path that a guest names from one of its folders.
func (g *guest) lookup(fd, ptr, length uint64) (*node, errno) {
	f := g.file(fd)
	switch {
	case f == nil:
		return nil, errnoBadf
	case !f.folder:
		return nil, errnoNotdir
	case uint32(length) > maxPath:
		return nil, errnoNametoolong
	}
	path, ok := g.view(uint32(ptr), uint32(length))
	if !ok {
		return nil, errnoFault
	}
	g.charge(fuelPrint * int64(len(path)))
	return f.walk(string(path))
}

func (g *guest) pathFilestat(p []uint64) errno {
	n, e := g.lookup(p[0], p[2], p[3])
	if e != errnoSuccess {
		return e
	}
	size, changed := n.stat()
	return g.putStat(p[4], n, size, changed)
}

// pathReadlink finds that what is there is no link.
func (g *guest) pathReadlink(p []uint64) errno {
	if _, e := g.lookup(p[0], p[1], p[2]); e != errnoSuccess {
		return e
	}
	return errnoInval
}

// What path_open is asked to do besides opening.
const (
	openCreate    = 1 << 0
	openFolder    = 1 << 1
	openExclusive = 1 << 2
	openTruncate  = 1 << 3
	rightsChange  = rightWrite | 1<<8 | 1<<22 // write, allocate, set the size
	fdAppend      = 1 << 0
)

func (g *guest) pathOpen(p []uint64) errno {
	flags, rights := uint32(p[4]), p[5]
	n, e := g.lookup(p[0], p[2], p[3])
	if e == errnoNoent && flags&openCreate != 0 {
		n, e = g.place(p[0], p[2], p[3])
	} else if e == errnoSuccess && flags&openCreate != 0 && flags&openExclusive == 0 {
		flags &^= openCreate
	}
	switch {
	case e != errnoSuccess:
		return e
	case flags&openCreate != 0 && n.scratch == nil:
		return errnoExist
	case flags&openFolder != 0 && !n.folder:
		return errnoNotdir
	case n.folder && rights&rightsChange != 0 && flags&openFolder == 0:
		return errnoIsdir
	case n.readOnly() && (flags&openTruncate != 0 || rights&rightsChange != 0 && !n.folder):
		return errnoRofs
	}
	i := slices.Index(g.files, nil)
	if i < 0 {
		if i = len(g.files); i == maxOpen {
			return errnoMfile
		}
	}
	if e := g.put(p[8], uint32(i)+rootDescriptor); e != errnoSuccess {
		return e
	}
	opened := &openFile{node: n, appends: uint32(p[7])&fdAppend != 0}
	if n.scratch != nil && !n.folder {
		g.charge(fuelDisk)
		if opened.disk, e = n.openDisk(flags, rights); e != errnoSuccess {
			return e
		}
	}
	if i == len(g.files) {
		g.files = append(g.files, nil)
	}
	g.files[i] = opened
	return errnoSuccess
}

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
	return g.putStat(p[4], n)
}

// pathReadlink finds that what is there is no link.
func (g *guest) pathReadlink(p []uint64) errno {
	if _, e := g.lookup(p[0], p[1], p[2]); e != errnoSuccess {
		return e
	}
	return errnoInval
}

func (g *guest) pathCreate(p []uint64) errno {
	switch _, e := g.lookup(p[0], p[1], p[2]); e {
	case errnoSuccess:
		return errnoExist
	case errnoNoent:
		return errnoRofs
	default:
		return e
	}
}

// What path_open is asked to do besides opening.
const (
	openCreate    = 1 << 0
	openFolder    = 1 << 1
	openExclusive = 1 << 2
	openTruncate  = 1 << 3
	rightsChange  = rightWrite | 1<<8 | 1<<22 // write, allocate, set the size
)

func (g *guest) pathOpen(p []uint64) errno {
	flags, rights := uint32(p[4]), p[5]
	n, e := g.lookup(p[0], p[2], p[3])
	switch {
	case e == errnoNoent && flags&openCreate != 0:
		return errnoRofs
	case e != errnoSuccess:
		return e
	case flags&openCreate != 0 && flags&openExclusive != 0:
		return errnoExist
	case flags&openFolder != 0 && !n.folder:
		return errnoNotdir
	case n.folder && rights&rightsChange != 0 && flags&openFolder == 0:
		return errnoIsdir
	case flags&openTruncate != 0, rights&rightsChange != 0 && !n.folder:
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
	if i == len(g.files) {
		g.files = append(g.files, nil)
	}
	g.files[i] = &openFile{node: n}
	return errnoSuccess
}

package wasmhost

import (
	"encoding/binary"

	"github.com/wasmill/wasmill/engine/fault"
)

// segment is an active data segment: bytes that the memory holds at its start.
type segment struct {
	offset uint32
	bytes  []byte
}

// Numbers of sections, and of what is in them.
const (
	sectionGlobal    = 6
	sectionExport    = 7
	sectionData      = 11
	sectionDataCount = 12
	constI32         = 0x41
	endOfConstant    = 0x0b
	exportGlobal     = 3
)

// split takes the data out of a module that admission has passed: a guest that starts from an image must not have it written over the
// image, so that the module is compiled without, and the host writes it into the first guest. It refuses, with a fault of code
// Admission, what an image cannot hold: passive segments, and offsets that are not constant.
func split(wasm []byte) (without []byte, segments []segment, err error) {
	without = append(make([]byte, 0, len(wasm)), wasm[:8]...)
	r := sectionReader{b: wasm, at: 8}
	for r.more() {
		from := r.at
		id, content := r.section()
		switch id {
		case sectionDataCount:
			continue
		case sectionData:
			if segments, err = readSegments(content); err != nil {
				return nil, nil, err
			}
			continue
		}
		without = append(without, wasm[from:r.at]...)
	}
	if r.bad {
		return nil, nil, fault.New(fault.Admission, "the module's sections are cut short")
	}
	return without, segments, nil
}

func readSegments(b []byte) ([]segment, error) {
	r := sectionReader{b: b}
	var list []segment
	for n := r.number(); n > 0 && !r.bad; n-- {
		switch flags := r.number(); {
		case flags == 1:
			return nil, fault.New(fault.Admission, "data segment %d is passive, which an image cannot hold", len(list)).
				WithHint("link without `--import-memory` and shared memory, and use no memory.init")
		case flags == 2:
			r.number() // the memory, of which there is one
		}
		if r.byte() != constI32 {
			return nil, fault.New(fault.Admission, "data segment %d has an offset that is not constant, which an image cannot hold", len(list)).
				WithHint("link as a plain module, not as a shared library")
		}
		offset := r.signed()
		if r.byte() != endOfConstant {
			r.bad = true
		}
		list = append(list, segment{uint32(offset), r.take(r.number())})
	}
	if r.bad {
		return nil, fault.New(fault.Admission, "the module's data section is cut short")
	}
	return list, nil
}

// place writes the data into a memory.
func place(segments []segment, memory []byte) error {
	for i, s := range segments {
		if uint64(s.offset)+uint64(len(s.bytes)) > uint64(len(memory)) {
			return fault.New(fault.Guest, "data segment %d of %d bytes at %#x lies outside of the memory of %d bytes", i, len(s.bytes), s.offset, len(memory))
		}
		copy(memory[s.offset:], s.bytes)
	}
	return nil
}

// mutableGlobals returns the names of a module's mutable globals, which are part of an image. One that is not exported is a fault of
// code Admission, since nobody can set it in a guest that starts from an image.
func mutableGlobals(wasm []byte) ([]string, error) {
	var mutable []bool
	names := map[uint64]string{}
	r := sectionReader{b: wasm, at: 8}
	for r.more() {
		id, content := r.section()
		in := sectionReader{b: content}
		switch id {
		case sectionGlobal:
			for n := in.number(); n > 0 && !in.bad; n-- {
				in.byte() // the type
				mutable = append(mutable, in.byte() == 1)
				in.constant()
			}
		case sectionExport:
			for n := in.number(); n > 0 && !in.bad; n-- {
				name := in.take(in.number())
				if kind, index := in.byte(), in.number(); kind == exportGlobal {
					names[index] = string(name)
				}
			}
		}
		r.bad = r.bad || in.bad
	}
	if r.bad {
		return nil, fault.New(fault.Admission, "the module's sections are cut short")
	}
	var list []string
	for i, m := range mutable {
		if !m {
			continue
		}
		name, ok := names[uint64(i)]
		if !ok {
			return nil, fault.New(fault.Admission, "the mutable global %d is not exported, so that an image cannot hold it", i).
				WithHint("link with `-Wl,--export=__stack_pointer`, and let there be no other")
		}
		list = append(list, name)
	}
	return list, nil
}

// sectionReader reads the parts of a module. Reading past the end sets bad and gives zeros.
type sectionReader struct {
	b   []byte
	at  int
	bad bool
}

func (r *sectionReader) more() bool { return !r.bad && r.at < len(r.b) }

func (r *sectionReader) byte() byte {
	if r.bad || r.at >= len(r.b) {
		r.bad = true
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

func (r *sectionReader) number() uint64 {
	if r.bad {
		return 0
	}
	v, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.at += n
	return v
}

// signed reads a signed LEB128 number of at most 10 bytes.
func (r *sectionReader) signed() int64 {
	v := int64(0)
	for shift := 0; shift < 70; shift += 7 {
		b := r.byte()
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if shift < 57 && b&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.bad = true
	return 0
}

func (r *sectionReader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)-r.at) {
		r.bad = true
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at : r.at]
}

func (r *sectionReader) section() (id byte, content []byte) {
	id = r.byte()
	return id, r.take(r.number())
}

// constant skips a constant expression of one instruction.
func (r *sectionReader) constant() {
	switch op := r.byte(); op {
	case constI32, 0x42: // i64.const
		r.signed()
	case 0x43: // f32.const
		r.take(4)
	case 0x44: // f64.const
		r.take(8)
	case 0x23, 0xd2: // global.get, ref.func
		r.number()
	case 0xd0: // ref.null
		r.byte()
	case 0xfd: // v128.const
		r.number()
		r.take(16)
	default:
		r.bad = true
	}
	if r.byte() != endOfConstant {
		r.bad = true
	}
}

package wasmhost

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost/linmem"
)

// Image is a copy of a guest at rest, from which others of its module start. It never changes and may be used by several goroutines.
type Image struct {
	memory    *linmem.Image
	state     imageState
	describes []byte // the description; nil when the guest was not asked
}

// imageState is what a guest is besides its memory.
type imageState struct {
	globals   []uint64 // the mutable ones, in the module's order
	noop      uint32
	interrupt uint32
}

// Close gives the image back once no guest uses it.
func (i *Image) Close() { i.memory.Close() }

// Size returns the length of the guest's memory in bytes.
func (i *Image) Size() uint64 { return i.memory.Size() }

// picture copies the guest, which may wait in an import. Errors are faults: of code Guest for a file that is open, Limit when the system has no memory.
func (g *guest) picture() (*Image, error) {
	for _, f := range g.files[min(1, len(g.files)):] {
		if f != nil {
			return nil, fault.New(fault.Guest, "the %s `%s` is open while an image is made, and guests of the image would share it", f.what(), f.path).
				WithHint("close it, or open it in open()")
		}
	}
	if s := g.arena.Stats(); s.Slabs > 0 {
		return nil, fault.New(fault.Internal, "an image was asked for while the host has %d bytes of the guest's memory", s.SlabBytes)
	}
	image := &Image{state: imageState{noop: g.noop, interrupt: g.interrupt}}
	for _, name := range g.bundle.globals {
		image.state.globals = append(image.state.globals, g.mod.ExportedGlobal(name).Get())
	}
	memory := g.memory.Bytes()
	var err error
	image.memory, err = linmem.NewImage(uint64(len(memory)), linmem.Runs(memory))
	if err != nil {
		return nil, err
	}
	return image, nil
}

func (n *node) what() string {
	if n.folder {
		return "folder"
	}
	return "file"
}

// clone starts a guest from an image.
func (b *loaded) clone(ctx context.Context, opts udf.Options, image *Image) (*guest, error) {
	g := b.guest(opts)
	var err error
	if g.memory, err = image.memory.Reserve(g.options.MaxMemory); err != nil {
		return nil, err
	}
	if err = g.instantiate(ctx); err == nil {
		err = g.resume(ctx, image)
	}
	if err != nil {
		g.discard(ctx)
		return nil, err
	}
	return g, nil
}

// resume makes a guest over the memory of an image what the image's was. Live frames of a driver script may lie on the guest's stack, so that the stack's
// pointer is the image's and not the module's.
func (g *guest) resume(ctx context.Context, image *Image) error {
	for i, name := range g.bundle.globals {
		g.mod.ExportedGlobal(name).(api.MutableGlobal).Set(image.state.globals[i])
	}
	g.noop, g.interrupt = image.state.noop, image.state.interrupt
	g.own()
	if !g.bundle.has[exportClone] {
		return nil
	}
	var seed [8]byte
	g.bundle.host.options.Random(seed[:])
	_, err := g.enter(ctx, exportClone, g.mod.ExportedFunction(exportClone), binary.LittleEndian.Uint64(seed[:]))
	return err
}

// imageMagic begins what [Image.Encode] writes and names the layout; numbers are little-endian:
//
//	u64 length of the memory
//	u32 number of globals, u64 each
//	u32 noop, u32 interrupt
//	u32 length of the description, and the description
//	u32 number of runs, u32 first page and u32 number of pages each
//	the runs' pages
const imageMagic = "wasmill image 1\n"

// encode returns the image in parts, which are only good until the memory that runs are of changes.
func (i *Image) encode(memory []byte) [][]byte {
	runs := linmem.Runs(memory)
	le := binary.LittleEndian
	head := le.AppendUint64(nil, i.memory.Size())
	head = le.AppendUint32(head, uint32(len(i.state.globals)))
	for _, g := range i.state.globals {
		head = le.AppendUint64(head, g)
	}
	head = le.AppendUint32(le.AppendUint32(head, i.state.noop), i.state.interrupt)
	head = append(le.AppendUint32(head, uint32(len(i.describes))), i.describes...)
	head = le.AppendUint32(head, uint32(len(runs)))
	parts := [][]byte{nil}
	for _, r := range runs {
		head = le.AppendUint32(le.AppendUint32(head, uint32(r.Offset/linmem.ImagePage)), uint32(len(r.Bytes)/linmem.ImagePage))
		parts = append(parts, r.Bytes)
	}
	parts[0] = head
	return parts
}

// decodeImage reads what encode wrote, of a module with so many globals. The content is not kept.
func decodeImage(content []byte, globals int) (*Image, error) {
	d := decoder{b: content}
	image := &Image{}
	size := d.long()
	if n := d.word(); n != uint32(globals) {
		return nil, fmt.Errorf("%d globals, expected %d", n, globals)
	}
	for range globals {
		image.state.globals = append(image.state.globals, d.long())
	}
	image.state.noop, image.state.interrupt = d.word(), d.word()
	if n := d.word(); n > 0 {
		image.describes = append([]byte{}, d.take(uint64(n))...)
	}
	count := d.word()
	table := d.take(8 * uint64(count))
	runs := make([]linmem.Run, 0, len(table)/8)
	for ; len(table) > 0; table = table[8:] {
		first, pages := binary.LittleEndian.Uint32(table), binary.LittleEndian.Uint32(table[4:])
		runs = append(runs, linmem.Run{Offset: uint64(first) * linmem.ImagePage, Bytes: d.take(uint64(pages) * linmem.ImagePage)})
	}
	if d.short || len(d.b) > 0 {
		return nil, fmt.Errorf("its parts do not fit its length")
	}
	var err error
	image.memory, err = linmem.NewImage(size, runs)
	return image, err
}

// decoder reads numbers. Reading past the end sets short and gives zeros.
type decoder struct {
	b     []byte
	short bool
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.b, d.short = nil, true
		return nil
	}
	part := d.b[:n:n]
	d.b = d.b[n:]
	return part
}

func (d *decoder) word() uint32 {
	if b := d.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) long() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Package avro reads and writes the frame of Avro's object container files (the Avro specification, "Object Container Files"): a header with the
// schema, the codec and a marker of 16 bytes, and blocks of records behind each other, each with its count, its size and the marker. What is in
// a block is bytes here: the records are read and written where the schema is known, in the Python package.
//
// All that a file says of sizes is compared with the file, and what comes out of decompression is bounded.
package avro

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/wasmill/wasmill/engine/fault"
)

const (
	markerBytes = 16
	// MaxBlock is the most bytes of a block, as it lies in the file and uncompressed.
	MaxBlock = 64 << 20
	// maxHeader is the most bytes of a header, which the schema is in.
	maxHeader = 4 << 20
)

var magic = []byte("Obj\x01")

// File is a container file. It is not safe for concurrent use.
type File struct {
	in     io.ReaderAt
	schema []byte
	codec  string
	marker [markerBytes]byte
	blocks []place
	zstd   *zstd.Decoder // nil before it is needed; it has nothing to close
}

// place is where a block lies.
type place struct {
	at    int64
	size  int
	count int64
}

// Open reads the header of a file of size bytes and where its blocks are.
func Open(in io.ReaderAt, size int64) (*File, error) {
	f := &File{in: in}
	head := make([]byte, min(size, maxHeader))
	if err := readFull(in, head, 0); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(head, magic) {
		return nil, fault.New(fault.Decode, "it is no Avro file: it does not begin with Obj and 1")
	}
	at, err := f.header(head)
	if err != nil {
		return nil, err
	}
	switch f.codec {
	case "null", "deflate", "snappy", "zstandard":
	default:
		return nil, fault.New(fault.Unsupported, "its blocks are compressed with %.40q, expected null, deflate, snappy or zstandard", f.codec)
	}
	for next := int64(at); next < size; {
		if next, err = f.index(next, size); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// header takes the header apart and returns its size.
func (f *File) header(b []byte) (int, error) {
	cut := fault.New(fault.Decode, "the header of the Avro file is damaged, or above %d MiB", maxHeader>>20)
	rest := b[len(magic):]
	number := func() (int64, bool) {
		n, size := binary.Varint(rest)
		if size <= 0 {
			return 0, false
		}
		rest = rest[size:]
		return n, true
	}
	text := func() ([]byte, bool) {
		n, ok := number()
		if !ok || n < 0 || n > int64(len(rest)) {
			return nil, false
		}
		v := rest[:n]
		rest = rest[n:]
		return v, true
	}
	f.codec = "null"
	for {
		n, ok := number()
		if ok && n < 0 { // the size of the entries follows
			n = -n
			_, ok = number()
		}
		if !ok || n < 0 || n > int64(len(rest)) {
			return 0, cut
		}
		if n == 0 {
			break
		}
		for range n {
			name, ok := text()
			if !ok {
				return 0, cut
			}
			value, ok := text()
			if !ok {
				return 0, cut
			}
			switch string(name) {
			case "avro.schema":
				f.schema = bytes.Clone(value)
			case "avro.codec":
				f.codec = string(value)
			}
		}
	}
	if f.schema == nil {
		return 0, fault.New(fault.Decode, "the header of the Avro file has no schema")
	}
	if copy(f.marker[:], rest) < markerBytes {
		return 0, cut
	}
	return len(b) - len(rest) + markerBytes, nil
}

// index notes the block at an offset, and returns where the next one begins.
func (f *File) index(at, size int64) (int64, error) {
	head := make([]byte, min(size-at, 2*binary.MaxVarintLen64))
	if err := readFull(f.in, head, at); err != nil {
		return 0, err
	}
	count, a := binary.Varint(head)
	if a <= 0 {
		return 0, damaged(at)
	}
	length, b := binary.Varint(head[a:])
	start := at + int64(a) + int64(b)
	if b <= 0 || count < 0 || length < 0 || length > size-start-markerBytes {
		return 0, damaged(at)
	}
	if length > MaxBlock {
		return 0, fault.New(fault.Limit, "the block at byte %d has %d bytes, expected at most %d", at, length, MaxBlock)
	}
	var marker [markerBytes]byte
	if err := readFull(f.in, marker[:], start+length); err != nil {
		return 0, err
	}
	if marker != f.marker {
		return 0, damaged(at)
	}
	f.blocks = append(f.blocks, place{at: start, size: int(length), count: count})
	return start + length + markerBytes, nil
}

func damaged(at int64) error {
	return fault.New(fault.Decode, "the block at byte %d is damaged, or the file is cut short", at).
		WithHint("what is behind a damaged block cannot be read; write the file again")
}

func readFull(in io.ReaderAt, b []byte, at int64) error {
	n, err := in.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fault.New(fault.Decode, "the file is cut short")
	}
	return err
}

// Schema returns the schema of the records, as JSON.
func (f *File) Schema() []byte { return f.schema }

// Blocks returns how many blocks there are.
func (f *File) Blocks() int64 { return int64(len(f.blocks)) }

// Block returns the records of block i, uncompressed, and how many they are.
func (f *File) Block(i int64) (data []byte, count int64, err error) {
	if i < 0 || i >= f.Blocks() {
		return nil, 0, fault.New(fault.Internal, "there is no block %d of %d", i, f.Blocks())
	}
	p := f.blocks[i]
	data = make([]byte, p.size)
	if err := readFull(f.in, data, p.at); err != nil {
		return nil, 0, err
	}
	if data, err = f.uncompress(data); err != nil {
		var known *fault.Fault
		if !errors.As(err, &known) {
			known = fault.New(fault.Decode, "the block at byte %d is damaged: %v", p.at, err)
		}
		return nil, 0, known
	}
	return data, p.count, nil
}

func (f *File) uncompress(b []byte) ([]byte, error) {
	switch f.codec {
	case "deflate":
		return bounded(flate.NewReader(bytes.NewReader(b)))
	case "zstandard":
		if f.zstd == nil {
			var err error
			if f.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(MaxBlock)); err != nil {
				return nil, err
			}
		}
		out, err := f.zstd.DecodeAll(b, nil)
		if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
			err = tooLarge()
		}
		return out, err
	case "snappy":
		if len(b) < crc32.Size {
			return nil, io.ErrUnexpectedEOF
		}
		sum, b := binary.BigEndian.Uint32(b[len(b)-crc32.Size:]), b[:len(b)-crc32.Size]
		n, err := s2.DecodedLen(b)
		if err != nil {
			return nil, err
		}
		if n > MaxBlock {
			return nil, tooLarge()
		}
		out, err := s2.Decode(nil, b)
		if err == nil && crc32.ChecksumIEEE(out) != sum {
			err = errors.New("its checksum is another")
		}
		return out, err
	}
	return b, nil
}

func bounded(r io.Reader) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(r, MaxBlock+1))
	if err == nil && len(out) > MaxBlock {
		err = tooLarge()
	}
	return out, err
}

func tooLarge() error {
	return fault.New(fault.Limit, "a block has more than %d MiB uncompressed", MaxBlock>>20)
}

// Writer appends to a container file in memory, without compression.
type Writer struct{ marker [markerBytes]byte }

// NewWriter returns a writer and the header of a file with records of a schema, which is JSON.
func NewWriter(schema []byte) (*Writer, []byte) {
	w := &Writer{}
	rand.Read(w.marker[:]) // never fails
	b := binary.AppendVarint(bytes.Clone(magic), 2)
	for _, text := range []string{"avro.codec", "null", "avro.schema", string(schema)} {
		b = append(binary.AppendVarint(b, int64(len(text))), text...)
	}
	b = append(b, 0)
	return w, append(b, w.marker[:]...)
}

// Append appends a block of so many records to dst.
func (w *Writer) Append(dst, records []byte, count int64) []byte {
	dst = binary.AppendVarint(dst, count)
	dst = binary.AppendVarint(dst, int64(len(records)))
	return append(append(dst, records...), w.marker[:]...)
}

package parquet

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/util"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/metadata"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
	pqschema "github.com/apache/arrow/go/v15/parquet/schema"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
)

// A row group ends with the first batch that makes it this large. It is in memory until then.
const (
	groupRows  = 1 << 17
	groupBytes = 32 << 20 // of Arrow's columns
)

// encoder writes files. See FORMAT.md for one that is not ended yet: sections, each a Parquet file of its own and a trailer behind it, which
// Mark writes. The file's own footer, at its end, is that of all sections together; those of the sections are dead bytes then.
type encoder struct {
	schema     *arrow.Schema
	plain      *arrow.Schema // as the library gets it, see plain
	columns    *pqschema.Schema
	properties *parquet.WriterProperties
	out        bytes.Buffer

	section *pqarrow.FileWriter    // nil where none was begun
	size    int                    // of the row group, in bytes of Arrow's columns
	length  int64                  // of the file, so far
	start   int64                  // of the section
	all     *metadata.FileMetaData // of the sections that have ended; nil for none
}

var _ codec.IndexedEncoder = (*encoder)(nil)

// unfinished ends a trailer, which begins with the place of its section's start.
var unfinished = []byte("wmP1more")

const trailerBytes = 16

func newEncoder(s *arrow.Schema, c Config) (*encoder, error) {
	codecs := map[string]compress.Compression{
		"": compress.Codecs.Snappy, "snappy": compress.Codecs.Snappy, "zstd": compress.Codecs.Zstd, "gzip": compress.Codecs.Gzip,
		"brotli": compress.Codecs.Brotli, "none": compress.Codecs.Uncompressed,
	}
	compression, ok := codecs[c.Compression]
	if !ok {
		return nil, fault.New(fault.Usage, "expected snappy, zstd, gzip, brotli or none, got %q", c.Compression).At("compression")
	}
	var faults fault.List
	for _, f := range s.Fields() {
		if why := unwritable(f.Type); why != "" {
			faults.Add(fault.Unsupported, "column "+f.Name, "%s", why).Hint = "leave it out, or cast it in a function"
		}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	e := &encoder{schema: s, plain: arrow.NewSchema(plainFields(s.Fields()), nil), properties: parquet.NewWriterProperties(
		parquet.WithCompression(compression), parquet.WithVersion(parquet.V2_LATEST), parquet.WithCreatedBy("wasmill"))}
	err := guarded(func() (err error) {
		e.columns, err = pqarrow.ToParquet(e.plain, e.properties, pqarrow.DefaultWriterProps())
		return err
	})
	if err != nil {
		return nil, fault.New(fault.Unsupported, "the schema cannot be written as Parquet: %v", err)
	}
	return e, nil
}

// Name implements codec.Encoder.
func (e *encoder) Name() string { return "parquet" }

// Reset implements codec.BatchEncoder.
func (e *encoder) Reset() {
	e.section, e.all = nil, nil
	e.size, e.length, e.start = 0, 0, 0
	e.out.Reset()
}

// AppendMessage implements codec.BatchEncoder: a whole file.
func (e *encoder) AppendMessage(dst []byte, rec arrow.Record, from, to int) ([]byte, error) {
	part := rec.NewSlice(int64(from), int64(to))
	defer part.Release()
	one := &encoder{schema: e.schema, plain: e.plain, columns: e.columns, properties: e.properties}
	dst, err := one.AppendFile(dst, part)
	if err != nil {
		return dst, err
	}
	return one.AppendFile(dst, nil)
}

// AppendFile implements codec.BatchEncoder.
func (e *encoder) AppendFile(dst []byte, rec arrow.Record) ([]byte, error) {
	err := e.guarded(func() error {
		if rec == nil {
			return e.end()
		}
		return e.write(rec)
	})
	return e.drain(dst), err
}

// Mark implements codec.IndexedEncoder.
func (e *encoder) Mark(dst []byte) ([]byte, error) {
	if e.section == nil {
		return dst, nil
	}
	err := e.guarded(func() error {
		if err := e.endSection(); err != nil {
			return err
		}
		e.out.Write(binary.LittleEndian.AppendUint64(nil, uint64(e.start)))
		e.out.Write(unfinished)
		return nil
	})
	return e.drain(dst), err
}

// guarded calls what writes to e.out, which stays as it was where that fails.
func (e *encoder) guarded(f func() error) error {
	if err := guarded(f); err != nil {
		e.out.Reset()
		return fault.New(fault.Encode, "the rows cannot be written as Parquet: %v", err)
	}
	return nil
}

func (e *encoder) drain(dst []byte) []byte {
	e.length += int64(e.out.Len())
	dst = append(dst, e.out.Bytes()...)
	e.out.Reset()
	return dst
}

func (e *encoder) begin() (err error) {
	if e.section == nil {
		e.start, e.size = e.length, 0
		e.section, err = pqarrow.NewFileWriter(e.plain, &e.out, e.properties, pqarrow.DefaultWriterProps())
	}
	return err
}

func (e *encoder) write(rec arrow.Record) error {
	if !rec.Schema().Equal(e.schema) {
		return fault.New(fault.Encode, "expected the columns %v, got %v", e.schema, rec.Schema())
	}
	if err := e.begin(); err != nil || rec.NumRows() == 0 {
		return err
	}
	rows, err := e.section.RowGroupNumRows()
	if err != nil {
		return err
	}
	if rows >= groupRows || e.size >= groupBytes {
		e.section.NewBufferedRowGroup()
		e.size = 0
	}
	part := plain(rec, e.plain)
	e.size += int(util.TotalRecordSize(part))
	return e.section.WriteBuffered(part)
}

// endSection ends the section, and adds what is in it to what is in the file.
func (e *encoder) endSection() error {
	if err := e.section.Close(); err != nil {
		return err
	}
	e.section = nil
	b := e.out.Bytes()
	if len(b) < 12 {
		return fault.New(fault.Internal, "a section has no footer")
	}
	length := int(binary.LittleEndian.Uint32(b[len(b)-8:]))
	m, err := metadata.NewFileMetaData(b[len(b)-8-length:len(b)-8], nil)
	if err != nil {
		return err
	}
	return e.add(m, e.start)
}

// add adds the row groups of a section that starts at an offset.
func (e *encoder) add(m *metadata.FileMetaData, start int64) error {
	for _, g := range m.RowGroups {
		g.Ordinal = nil // it is the place among all
		if g.FileOffset != nil {
			*g.FileOffset += start
		}
		for _, c := range g.Columns {
			c.FileOffset += start
			c.MetaData.DataPageOffset += start
			for _, at := range []*int64{c.MetaData.DictionaryPageOffset, c.MetaData.IndexPageOffset} {
				if at != nil {
					*at += start
				}
			}
		}
	}
	if e.all == nil {
		e.all = m
		return nil
	}
	return e.all.AppendRowGroups(m)
}

// end writes the file's end. A file of one section is one already.
func (e *encoder) end() error {
	if e.all == nil {
		if err := e.begin(); err != nil {
			return err
		}
		err := e.section.Close()
		e.section = nil
		return err
	}
	if e.section != nil {
		if err := e.endSection(); err != nil {
			return err
		}
	}
	n, err := e.all.WriteTo(&e.out, nil)
	if err != nil {
		return err
	}
	e.out.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
	e.out.Write(magic)
	return nil
}

// Resume implements codec.IndexedEncoder.
func (e *encoder) Resume(in io.ReaderAt, size int64) error {
	e.Reset()
	type section struct {
		m     *footer
		start int64
	}
	var sections []section
	for at := size; at > 0; {
		var trailer [trailerBytes]byte
		if at < trailerBytes {
			return notOurs()
		}
		if _, err := readAt(in, trailer[:], at-trailerBytes); err != nil {
			return err
		}
		start := int64(binary.LittleEndian.Uint64(trailer[:]))
		if !bytes.Equal(trailer[8:], unfinished) || start < 0 || start >= at-trailerBytes {
			return notOurs()
		}
		m, err := readFooter(io.NewSectionReader(in, start, at-trailerBytes-start), at-trailerBytes-start)
		if err != nil {
			return err
		}
		sections = append(sections, section{m, start})
		at = start
	}
	return guarded(func() error {
		for _, s := range slices.Backward(sections) {
			if !s.m.Schema.Equals(e.columns) {
				return fault.New(fault.State, "the file has other columns than are to be written").WithHint("--fresh writes it anew")
			}
			if err := e.add(s.m.FileMetaData, s.start); err != nil {
				return err
			}
		}
		e.length = size
		return nil
	})
}

func notOurs() error {
	return fault.New(fault.State, "the Parquet file is not as the last commit left it").WithHint("--fresh writes it anew")
}

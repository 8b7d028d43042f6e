package parquet

import (
	"bytes"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
)

// encoder writes files, a row group for each record.
type encoder struct {
	schema     *arrow.Schema
	properties *parquet.WriterProperties
	out        bytes.Buffer
	file       *pqarrow.FileWriter // nil before the first rows since Reset
}

var _ codec.BatchEncoder = (*encoder)(nil)

func newEncoder(s *arrow.Schema, c Config) (*encoder, error) {
	codecs := map[string]compress.Compression{
		"": compress.Codecs.Snappy, "snappy": compress.Codecs.Snappy, "zstd": compress.Codecs.Zstd,
		"gzip": compress.Codecs.Gzip, "none": compress.Codecs.Uncompressed,
	}
	compression, ok := codecs[c.Compression]
	if !ok {
		return nil, fault.New(fault.Usage, "expected snappy, zstd, gzip or none, got %q", c.Compression).At("compression")
	}
	e := &encoder{schema: s, properties: parquet.NewWriterProperties(
		parquet.WithCompression(compression), parquet.WithVersion(parquet.V2_LATEST), parquet.WithCreatedBy("wasmill"))}
	if _, err := pqarrow.ToParquet(s, e.properties, pqarrow.DefaultWriterProps()); err != nil {
		return nil, fault.New(fault.Unsupported, "the schema cannot be written as Parquet: %v", err)
	}
	return e, nil
}

// Name implements codec.Encoder.
func (e *encoder) Name() string { return "parquet" }

// Reset implements codec.BatchEncoder.
func (e *encoder) Reset() {
	e.file = nil
	e.out.Reset()
}

// AppendMessage implements codec.BatchEncoder: a whole file.
func (e *encoder) AppendMessage(dst []byte, rec arrow.Record, from, to int) ([]byte, error) {
	part := rec.NewSlice(int64(from), int64(to))
	defer part.Release()
	one := &encoder{schema: e.schema, properties: e.properties}
	dst, err := one.AppendFile(dst, part)
	if err != nil {
		return dst, err
	}
	return one.AppendFile(dst, nil)
}

// AppendFile implements codec.BatchEncoder. A file's end lists where all of its rows are, so that one that was cut cannot be continued by an
// encoder that did not write its beginning: an empty record, by which a writer goes on, is a fault.
func (e *encoder) AppendFile(dst []byte, rec arrow.Record) (_ []byte, err error) {
	length := len(dst)
	defer func() {
		if p := recover(); p != nil {
			dst, err = dst[:length], fault.New(fault.Encode, "the rows cannot be written as Parquet: %v", p)
		}
	}()
	switch {
	case rec != nil && rec.NumRows() == 0:
		return dst, fault.New(fault.Unsupported, "a Parquet file that was left unfinished cannot be continued").
			WithHint("--fresh writes it anew; the format arrow can be continued")
	case rec != nil && !rec.Schema().Equal(e.schema):
		return dst, fault.New(fault.Encode, "expected the columns %v, got %v", e.schema, rec.Schema())
	}
	if e.file == nil {
		if e.file, err = pqarrow.NewFileWriter(e.schema, &e.out, e.properties, pqarrow.DefaultWriterProps()); err != nil {
			return dst, fault.New(fault.Unsupported, "the schema cannot be written as Parquet: %v", err)
		}
	}
	if rec != nil {
		err = e.file.Write(rec)
	} else {
		err = e.file.Close()
		e.file = nil
	}
	if err != nil {
		return dst, fault.New(fault.Encode, "the rows cannot be written as Parquet: %v", err)
	}
	dst = append(dst, e.out.Bytes()...)
	e.out.Reset()
	return dst, nil
}

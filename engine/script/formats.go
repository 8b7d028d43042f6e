package script

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/avro"
	"github.com/wasmill/wasmill/connectors/codec/parquet"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// opener makes rows for a subtask of what a reader gives, for files of one format.
type opener interface {
	// open hands on the rows of a message.
	open(m connectors.Message, emit func(row) error) error
	close()
}

// blockFiles are files of Avro, which are read block by block: a block's records as they are, with the file's schema.
type blockFiles struct{ file *avro.File }

// avroBlocks counts the blocks of a file, which are the rows that its reader knows.
func avroBlocks(in io.ReaderAt, size int64) (int64, error) {
	f, err := avro.Open(in, size)
	if err != nil {
		return 0, err
	}
	return f.Blocks(), nil
}

func (b *blockFiles) open(m connectors.Message, emit func(row) error) (err error) {
	if m.Start || b.file == nil {
		if b.file, err = avro.Open(m.File, m.Size); err != nil {
			return err
		}
	}
	first, n := rowNumbers(m.Data)
	for i := range n {
		data, count, err := b.file.Block(first + i)
		if err != nil {
			return err
		}
		if count > 1<<31-1 {
			return fault.New(fault.Decode, "a block of %d records", count)
		}
		if err := emit(row{target: int32(count), key: b.file.Schema(), payload: data}); err != nil {
			return err
		}
	}
	return nil
}

func (b *blockFiles) close() {}

// columnFiles are files of Parquet: the columns that are asked for and are there, of the types that they have.
type columnFiles struct {
	format     codec.Format
	want       []string
	ignoreCase bool
	decoder    codec.FileDecoder // of the file that is read
	types      []byte            // of its columns: JSON, [[name, type], …]
}

func (c *columnFiles) open(m connectors.Message, emit func(row) error) error {
	if m.Start || c.decoder == nil {
		if err := c.start(m); err != nil {
			return err
		}
	}
	left := m.Data
	for len(left) > 0 {
		n, err := c.decoder.Append(left, func(b *codec.BadRecord) error { return b.Fault })
		if err != nil {
			return err
		}
		left = left[n:]
		rec := c.decoder.Record()
		if rec == nil {
			continue
		}
		payload, err := packColumns(nil, rec)
		rows := rec.NumRows()
		rec.Release()
		if err != nil {
			return fault.New(fault.Unsupported, "the file has %v, which scripts do not read", err)
		}
		if err := emit(row{target: int32(rows), key: c.types, payload: payload}); err != nil {
			return err
		}
	}
	return nil
}

// start finds the columns of a file and begins to read them.
func (c *columnFiles) start(m connectors.Message) error {
	c.close()
	sample := make([]byte, min(m.Size, codec.IndexBytes))
	if _, err := m.File.ReadAt(sample, m.Size-int64(len(sample))); err != nil && !errors.Is(err, io.EOF) {
		return fault.New(fault.Decode, "the end of the file cannot be read: %v", err)
	}
	there, others, err := parquet.Columns(sample)
	if err != nil {
		return err
	}
	wanted := func(there string) bool {
		return slices.ContainsFunc(c.want, func(name string) bool { return name == there || c.ignoreCase && strings.EqualFold(name, there) })
	}
	for _, f := range others { // those that nobody asks for are passed over
		if wanted(f.Name) {
			return fault.New(fault.Unsupported, "%s cannot be read from Parquet", f.What).At("column %s", f.Name).WithHint("leave it out of the schema")
		}
	}
	var fields []arrow.Field
	types := [][2]string{}
	for _, f := range there.Fields() {
		if wanted(f.Name) {
			fields = append(fields, f)
			types = append(types, [2]string{f.Name, schema.Format(f.Type)})
		}
	}
	if len(fields) == 0 {
		return fault.New(fault.Schema, "the file has none of the columns %s", strings.Join(c.want, ", ")).
			WithHint("it has %s", schema.FormatSchema(there))
	}
	if c.types, err = json.Marshal(types); err != nil {
		return err
	}
	d, err := c.format.NewDecoder(arrow.NewSchema(fields, nil), nil, memory.DefaultAllocator, codec.Limits{})
	if err != nil {
		return err
	}
	var ok bool
	if c.decoder, ok = d.(codec.FileDecoder); !ok {
		d.Close()
		return fault.New(fault.Internal, "the format %s is not read by its index", c.format.Name)
	}
	return c.decoder.StartFile(m.File, m.Size)
}

func (c *columnFiles) close() {
	if c.decoder != nil {
		c.decoder.Close()
		c.decoder = nil
	}
}

// rowNumbers returns the first of the numbers in a message's data, and how many there are.
func rowNumbers(data []byte) (first, n int64) {
	if len(data) < codec.RowNumber {
		return 0, 0
	}
	for i := codec.RowNumber - 1; i >= 0; i-- {
		first = first<<8 | int64(data[i])
	}
	return first, int64(len(data) / codec.RowNumber)
}

// opens returns what reads a source's files, nil for lines and messages, and sets in job how readers go through them.
func (a *attempt) opens(spec *Source, job *connectors.Job) (func() opener, error) {
	if spec.Kind != "file" {
		return nil, nil
	}
	switch spec.Format {
	case "lines":
		return nil, nil
	case "avro":
		job.Cut, job.Rows, job.Piece = nil, avroBlocks, 1
		return func() opener { return &blockFiles{} }, nil
	case "parquet":
		f, ok := a.options.Formats[spec.Format]
		if !ok || f.Rows == nil {
			return nil, fault.New(fault.Internal, "the format parquet is missing")
		}
		var want []string
		if err := json.Unmarshal(spec.Columns, &want); err != nil || len(want) == 0 {
			return nil, fault.New(fault.Guest, "the columns of the source are not names").At("%s", spec.Name)
		}
		job.Cut, job.Rows = nil, f.Rows
		return func() opener { return &columnFiles{format: f, want: want, ignoreCase: spec.IgnoreCase} }, nil
	}
	return nil, fault.New(fault.Guest, "the source reads files as %q, expected lines, avro or parquet", spec.Format).At("%s", spec.Name)
}

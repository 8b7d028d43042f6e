// Package parquet is the format parquet: Apache Parquet, whole files, read and written with Arrow's library.
//
// Columns are found by name and must be of the type declared; such that are not declared are passed over, such that are missing are null. Columns
// of one value per row are read; lists, maps and structs can be passed over. A file is read row group by row group, from any row on: what is in
// memory are its footer and, of each column that is read, two pages and a dictionary.
//
// The library believes much of what a file says. So it gets the pages from us (see pages), which compares offsets and sizes with the file, bounds
// what comes out of decompression, and counts the values that a page announces; its footer is walked before the library parses it; and a panic in it is a
// fault of the file.
package parquet

import (
	"encoding/json"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/config"
)

// Config has the encoder's option; the decoder has none.
type Config struct {
	// Compression is what pages are compressed with: snappy (the default), zstd, gzip, brotli or none.
	Compression string `json:"compression"`
}

func parse(raw json.RawMessage) (Config, error) {
	var c Config
	err := config.Decode(raw, &c)
	return c, err
}

// Format returns the format.
func Format() codec.Format {
	return codec.Format{
		Name:       "parquet",
		Schemaless: true,
		NewDecoder: func(schema *arrow.Schema, raw json.RawMessage, alloc memory.Allocator, limits codec.Limits) (codec.Decoder, error) {
			if _, err := parse(raw); err != nil {
				return nil, err
			}
			return newDecoder(schema, alloc, limits)
		},
		NewEncoder: func(schema *arrow.Schema, raw json.RawMessage) (codec.Encoder, error) {
			c, err := parse(raw)
			if err != nil {
				return nil, err
			}
			return newEncoder(schema, c)
		},
		Infer: func(sample []byte, raw json.RawMessage) (*arrow.Schema, error) {
			if _, err := parse(raw); err != nil {
				return nil, err
			}
			return infer(sample)
		},
		Rows: func(in io.ReaderAt, size int64) (int64, error) {
			f, err := readFooter(in, size)
			if err != nil {
				return 0, err
			}
			return f.rows(), nil
		},
	}
}

// Package parquet is the format parquet: Apache Parquet, whole files, read and written with Arrow's library.
//
// A message is a file. Columns are found by name and must be of the type declared; such that are not declared are passed over, such that are
// missing are null. Columns of one value per row are read; lists, maps and structs can be passed over. Dictionary encoding, all compressions
// of the library and both versions of data pages are read; encrypted files are refused.
//
// The library believes much of what a file says. So the footer is walked before it parses it, offsets and sizes are compared with the file
// before it reads by them, its buffers come from an allocator with a limit, and a panic in it is a fault of the record. Text of a batch is counted
// before it is copied, since a small file can repeat a large value many times.
package parquet

import (
	"encoding/json"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/config"
)

// Config has the encoder's option; the decoder has none.
type Config struct {
	// Compression is what pages are compressed with: snappy (the default), zstd, gzip or none.
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
	}
}

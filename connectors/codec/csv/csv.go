// Package csv is the format csv: RFC 4180, with a line of names or without.
//
// A record is a line; a field in quotes may hold line ends, the delimiter, and quotes written twice. Lines end with LF or
// CR LF; a line without anything is passed over. Quotes elsewhere, and text behind a closing quote, are bad. Where a
// record is bad the next one begins at the next line.
//
// Columns are found by the names in the first line of each input (a file, or a message by itself), or by position
// where there is no such line; then the option columns says what stands where, if not the schema's columns in order.
// Names without a column are passed over; a column that is not among the names is a fault.
//
// Types are written as in the format json, without quotes around times and base64. A field without quotes that equals
// one of the option null is null; `""` in quotes is an empty text. true and false may be spelled True, TRUE, False, FALSE;
// floats may be NaN, Inf, -Inf. list, struct and map cannot be had.
package csv

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
)

// Config are the options of the format.
type Config struct {
	// Header says whether an input begins with a line of names. Not set: files do, messages do not, and where some columns
	// of messages are not read it must be set, or Columns, for the others to be found.
	Header *bool `json:"header"`
	// Columns are the names of the fields by position, for inputs without such a line.
	Columns []string `json:"columns"`
	// Delimiter is one ASCII character, a comma if not set.
	Delimiter string `json:"delimiter"`
	// Null are the texts that stand for null. The first is written. Not set: the empty text.
	Null []string `json:"null"`
}

func parse(raw json.RawMessage) (Config, error) {
	c := Config{Delimiter: ",", Null: []string{""}}
	if err := config.Decode(raw, &c); err != nil {
		return c, err
	}
	var faults fault.List
	if d := c.Delimiter; len(d) != 1 || d[0] >= utf8.RuneSelf || d == "\"" || d == "\n" || d == "\r" {
		faults.Add(fault.Usage, "delimiter", "expected one ASCII character that is neither a quote nor a line end, got %q", c.Delimiter)
	}
	if len(c.Null) == 0 {
		faults.Add(fault.Usage, "null", "expected one text at least")
	}
	if c.Header != nil && *c.Header && c.Columns != nil {
		faults.Add(fault.Usage, "columns", "there is a line of names already").Hint = "set `header: false`"
	}
	return c, faults.Err()
}

// Format returns the format.
func Format() codec.Format {
	return codec.Format{
		Name:  "csv",
		Lines: true,
		NewDecoder: func(schema *arrow.Schema, raw json.RawMessage, alloc memory.Allocator, limits codec.Limits) (codec.Decoder, error) {
			c, err := parse(raw)
			if err != nil {
				return nil, err
			}
			return newDecoder(schema, c, alloc, limits)
		},
		NewEncoder: func(schema *arrow.Schema, raw json.RawMessage) (codec.Encoder, error) {
			c, err := parse(raw)
			if err != nil {
				return nil, err
			}
			return newEncoder(schema, c)
		},
		Positional: func(raw json.RawMessage) bool {
			c, err := parse(raw)
			// Where nothing is said, messages have no line of names.
			return err == nil && c.Columns == nil && (c.Header == nil || !*c.Header)
		},
		Infer: func(sample []byte, raw json.RawMessage) (*arrow.Schema, error) {
			c, err := parse(raw)
			if err != nil {
				return nil, err
			}
			return inferSchema(sample, c)
		},
		Cut: func(data []byte, raw json.RawMessage) int {
			c, err := parse(raw)
			if err != nil {
				return 0
			}
			return cut(data, c.Delimiter[0])
		},
	}
}

var byteOrderMark = []byte("\xef\xbb\xbf")

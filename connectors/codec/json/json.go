// Package json is the format json: a record is a JSON object, in files and messages one a line (NDJSON).
//
// # What a column takes
//
//	bool                        true, false
//	int8 … uint64               an integer literal in range: neither 1.0 nor 1e3
//	float32, float64            a number, rounded once to the nearest; beyond the range is bad
//	utf8, large_utf8            a string
//	binary, fixed_size_binary   a string of base64 (RFC 4648 section 4, padded)
//	date32                      "2013-01-31", or days since 1970
//	time32, time64              "15:04:05.123", or an integer in the unit
//	timestamp                   a string of RFC 3339, or an integer in the unit. A column whose zone is none or UTC
//	                            takes a string without offset too, as UTC
//	duration                    an integer in the unit
//	decimal128                  a number or a string of one, exactly
//	list, struct, map           an array, an object, an object
//	dictionary                  what its values take
//	null                        null
//
// Any column takes null, and a field that is missing is null; where the column holds no nulls ("!") the record is bad.
// Fields that are no columns are passed over, though what is in them must be JSON. A field that occurs twice is bad
// (RFC 8259 leaves it open); in what is passed over it is not looked for. Digits that a time or decimal cannot hold are
// bad, never cut off.
//
// Everything else is as RFC 8259 has it, strictly: valid UTF-8, no control characters in strings, no lone surrogates.
// A byte order mark may stand at the beginning of a message, and lines may end with CR LF or be blank.
//
// # Documents
//
// Where the schema is one document column and nothing else, a record is any JSON value, and the column takes its text as it
// stands, without white space around it. Nothing is looked for in it but that it is JSON, strictly, which nests at most 512
// deep: names may occur twice in it. What comes out of such a column has been in a guest, so it is checked again, and
// line ends in it, which are white space, are written as spaces. A document column beside others is written as the value that
// it is; it cannot be read.
//
// # What a column writes
//
// The same. NaN and the infinities, for which JSON has nothing, are null. Times have the unit's digits, decimals are
// numbers with all their digits, and a date or timestamp out of the years 0 to 9999 is the integer.
package json

import (
	"encoding/json"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/config"
)

// Config are the options of the format.
type Config struct {
	// Multiline says that a record may span lines. Then a bad record ends only where its message does, since there is no
	// telling where the next one begins.
	Multiline bool `json:"multiline"`
}

// Format returns the format.
func Format() codec.Format {
	return codec.Format{
		Name:      "json",
		Lines:     true,
		Documents: true,
		NewDecoder: func(schema *arrow.Schema, raw json.RawMessage, alloc memory.Allocator, limits codec.Limits) (codec.Decoder, error) {
			var c Config
			if err := config.Decode(raw, &c); err != nil {
				return nil, err
			}
			return newDecoder(schema, c, alloc, limits)
		},
		NewEncoder: func(schema *arrow.Schema, raw json.RawMessage) (codec.Encoder, error) {
			if err := config.Decode(raw, &Config{}); err != nil {
				return nil, err
			}
			return newEncoder(schema)
		},
		Infer: func(sample []byte, raw json.RawMessage) (*arrow.Schema, error) {
			if err := config.Decode(raw, &Config{}); err != nil {
				return nil, err
			}
			return inferSchema(sample)
		},
	}
}

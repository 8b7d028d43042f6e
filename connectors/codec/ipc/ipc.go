// Package ipc is the format arrow: Arrow IPC, many rows in a message.
//
// A message is a stream (schema, dictionaries, record batches) or a file of the Arrow columnar format, whose spec,
// "Serialization and Interprocess Communication", the code follows. A file is read from front to back like a stream, its
// footer only to know that it is the end. Streams are what is written, to files too. Columns are found by name and must be of exactly the type declared; such that are not declared
// are passed over, such that are missing are null. The format has what schemas here can say; columns of other types can be
// passed over, except for unions, views and run ends, and fixed-size and large lists, which are refused.
//
// Bytes from outside are read by this package's own code, which checks every number before it is used and before anything
// is allocated by it: Arrow's reader believes what messages say. Compressed bodies, big-endian data, delta dictionaries
// and the framing before Arrow 0.15 are refused by name.
package ipc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
)

// Config has no options: the format describes itself.
type Config struct{}

func parse(raw json.RawMessage) error { return config.Decode(raw, &Config{}) }

// Format returns the format.
func Format() codec.Format {
	return codec.Format{
		Name:       "arrow",
		Schemaless: true,
		NewDecoder: func(schema *arrow.Schema, raw json.RawMessage, alloc memory.Allocator, limits codec.Limits) (codec.Decoder, error) {
			if err := parse(raw); err != nil {
				return nil, err
			}
			return newDecoder(schema, alloc, limits)
		},
		NewEncoder: func(schema *arrow.Schema, raw json.RawMessage) (codec.Encoder, error) {
			if err := parse(raw); err != nil {
				return nil, err
			}
			return newEncoder(schema)
		},
		Infer: func(sample []byte, raw json.RawMessage) (*arrow.Schema, error) {
			if err := parse(raw); err != nil {
				return nil, err
			}
			return inferSchema(sample)
		},
		Cut: func(data []byte, _ json.RawMessage) int { return cut(data) },
	}
}

// inferSchema returns the schema that the sample begins with.
func inferSchema(sample []byte) (*arrow.Schema, error) {
	m, f := read(bytes.TrimPrefix(sample, magic))
	if f != nil {
		return nil, f
	}
	if m.kind != headerSchema {
		return nil, fault.New(fault.Decode, "expected a schema, got a message of kind %d", m.kind)
	}
	fields, f := readSchema(m)
	if f != nil {
		return nil, f
	}
	var faults fault.List
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		if f.typ == nil {
			faults.Add(fault.Unsupported, "column "+f.name, "type %s cannot be decoded", f.typeName).Hint = "declare a schema without it"
		}
		out[i] = arrow.Field{Name: f.name, Type: f.typ, Nullable: f.nullable}
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return arrow.NewSchema(out, nil), nil
}

// cut returns how many bytes at the beginning of data are whole messages, see codec.Format. Behind what is no message,
// such as the footer of a file, nothing is cut.
func cut(data []byte) int {
	at := 0
	switch {
	case bytes.HasPrefix(data, magic):
		at = len(magic)
	case bytes.HasPrefix(magic, data):
		return 0
	}
	start := at
	for at < len(data) {
		m, f := read(data[at:])
		if f != nil {
			break
		}
		at += m.size
	}
	if at == start {
		return 0
	}
	return at
}

// isFooter reports whether data is the footer of a file, from its first byte to the file's last.
func isFooter(data []byte) bool {
	end := magic[:6]
	if !bytes.HasSuffix(data, end) || len(data) < 10 {
		return false
	}
	size := int(binary.LittleEndian.Uint32(data[len(data)-10:]))
	padding := len(data) - 10 - size
	return padding >= 0 && padding < 64 && len(bytes.Trim(data[:padding], "\x00")) == 0
}

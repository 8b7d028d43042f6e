package ipc

import (
	"encoding/binary"

	"github.com/wasmill/wasmill/engine/fault"
)

// The headers of messages, as Message.fbs of the Arrow format numbers them.
const (
	headerSchema     = 1
	headerDictionary = 2
	headerBatch      = 3
	headerEnd        = 255 // ours: the end of a stream
)

const (
	continuation = 0xffffffff
	versionV4    = 3 // the first whose layout is the one of today
	maxMetadata  = 16 << 20
)

var magic = []byte("ARROW1\x00\x00")

// message is one encapsulated message: metadata and a body, both within the data it was read from.
type message struct {
	kind   int
	header table
	meta   *flat
	body   []byte
	size   int // with everything
}

// read reads the message at the beginning of data, copying and allocating nothing that grows with it.
func read(data []byte) (m message, f *fault.Fault) {
	if len(data) >= 4 && binary.LittleEndian.Uint32(data) != continuation {
		return m, notMessage(data)
	}
	if len(data) < 8 {
		return m, short(8, len(data))
	}
	size := int(binary.LittleEndian.Uint32(data[4:]))
	if size == 0 {
		return message{kind: headerEnd, size: 8}, nil
	}
	if size > maxMetadata {
		return m, fault.New(fault.Decode, "expected metadata of at most %d bytes, got %d", maxMetadata, size)
	}
	if size > len(data)-8 {
		return m, short(8+size, len(data))
	}
	m.meta = &flat{b: data[8 : 8+size]}
	t := m.meta.root()
	version, kind, body := t.short(0, 0), t.byte(1), t.long(3)
	m.header = t.table(2)
	rest := len(data) - 8 - size
	switch {
	case m.meta.err != nil || m.header.f == nil:
		return m, damaged()
	case version < versionV4:
		return m, fault.New(fault.Unsupported, "expected version V4 or V5 of the Arrow format, got V%d", version+1).
			WithHint("write with Arrow 0.8 or later")
	case body < 0:
		return m, fault.New(fault.Decode, "expected a body of 0 bytes at least, got %d", body)
	case body > int64(rest):
		return m, fault.New(fault.Decode, "expected a body of %d bytes, got %d", body, rest).WithHint(cutOff)
	}
	m.kind = int(kind)
	m.body = data[8+size : 8+size+int(body)]
	m.size = 8 + size + int(body)
	return m, nil
}

func short(want, got int) *fault.Fault {
	return fault.New(fault.Decode, "expected an Arrow message of %d bytes at least, got %d", want, got).WithHint(cutOff)
}

const cutOff = "the data ends within a message: was it cut off when it was written or copied?"

func notMessage(data []byte) *fault.Fault {
	return fault.New(fault.Decode, "expected an Arrow message, got bytes that begin with % x", data[:4]).
		WithHint("a message is an Arrow IPC stream or file, written by version 0.15 or later")
}

func damaged() *fault.Fault {
	return fault.New(fault.Decode, "the message cannot be read: %v", errFlat)
}

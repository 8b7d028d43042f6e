package state

import (
	"bytes"
	"encoding/binary"

	"github.com/wasmill/wasmill/engine/fault"
)

// KeyVersion is the version of the layout that AppendKey writes; FORMAT.md describes it.
const KeyVersion = 1

// Within a key every part but the last is escaped and ended, so that keys sort as their parts do, part by part: a zero
// byte is written as {0, 0xff}, the end as {0, 1}.
const (
	escape     = 0x00
	escapeZero = 0xff
	escapeEnd  = 0x01
)

// Key is the parts of a key.
type Key struct {
	// Partition is the partition of the key space that Key falls into.
	Partition uint16
	// Operator and State name the state: the operator's id in the plan, and the state's name in the function.
	Operator, State string
	// Key is the user's key in the canonical encoding of the stream.
	Key []byte
	// Namespace tells the values of one key apart, such as windows; empty where there is one.
	Namespace []byte
}

// AppendKey appends the key of a value to dst: partition, operator, state, key, namespace. Keys sort in this order,
// and no two different lists of parts give the same key.
func AppendKey(dst []byte, partition uint16, operator, state string, key, namespace []byte) []byte {
	dst = AppendKeyPrefix(dst, partition, operator, state, key)
	return append(dst, namespace...)
}

// AppendPartitionPrefix appends the prefix of all keys of a partition.
func AppendPartitionPrefix(dst []byte, partition uint16) []byte {
	return binary.BigEndian.AppendUint16(dst, partition)
}

// AppendOperatorPrefix appends the prefix of all keys of an operator in a partition.
func AppendOperatorPrefix(dst []byte, partition uint16, operator string) []byte {
	return appendPart(AppendPartitionPrefix(dst, partition), operator)
}

// AppendStatePrefix appends the prefix of all keys of one state of an operator in a partition.
func AppendStatePrefix(dst []byte, partition uint16, operator, state string) []byte {
	return appendPart(AppendOperatorPrefix(dst, partition, operator), state)
}

// AppendKeyPrefix appends the prefix of all namespaces of one key. It is the key itself of the empty namespace.
func AppendKeyPrefix(dst []byte, partition uint16, operator, state string, key []byte) []byte {
	return appendPart(AppendStatePrefix(dst, partition, operator, state), key)
}

func appendPart[T string | []byte](dst []byte, part T) []byte {
	return append(appendEscaped(dst, part), escape, escapeEnd)
}

func appendEscaped[T string | []byte](dst []byte, part T) []byte {
	for i := 0; i < len(part); i++ {
		dst = append(dst, part[i])
		if part[i] == escape {
			dst = append(dst, escapeZero)
		}
	}
	return dst
}

// ParseKey takes a key of AppendKey apart. Namespace aliases key; the other parts are copies. A key that AppendKey
// cannot have written gives a fault of code State.
func ParseKey(key []byte) (Key, error) {
	if len(key) < 2 {
		return Key{}, badKey(key)
	}
	k := Key{Partition: binary.BigEndian.Uint16(key)}
	rest := key[2:]
	var parts [3][]byte
	for i := range parts {
		var ok bool
		if parts[i], rest, ok = cutPart(rest); !ok {
			return Key{}, badKey(key)
		}
	}
	k.Operator, k.State, k.Key, k.Namespace = string(parts[0]), string(parts[1]), parts[2], rest
	return k, nil
}

// cutPart returns the part that b begins with, and what follows its end.
func cutPart(b []byte) (part, rest []byte, ok bool) {
	for {
		i := bytes.IndexByte(b, escape)
		if i < 0 || i+1 == len(b) {
			return nil, nil, false
		}
		part = append(part, b[:i]...)
		switch b[i+1] {
		case escapeEnd:
			return part, b[i+2:], true
		case escapeZero:
			part = append(part, escape)
		default:
			return nil, nil, false
		}
		b = b[i+2:]
	}
}

func badKey(key []byte) *fault.Fault {
	const most = 64
	if len(key) > most {
		key = key[:most]
	}
	return fault.New(fault.State, "stored state has a key that is not of layout %d: %x", KeyVersion, key)
}

package badgerdb

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/wasmill/wasmill/engine/fault"
)

// The first byte of a Badger key.
const (
	tagData    = 'd'
	tagMeta    = 'm'
	tagJournal = 'j'
)

// longKey is the length from which keys are hashed. Badger takes 65,000 bytes; tag and hash have to fit.
const longKey = 64_900

var (
	keyFormat   = []byte{tagMeta, 'f', 'o', 'r', 'm', 'a', 't'}
	keyMarker   = []byte{tagMeta, 'm', 'a', 'r', 'k', 'e', 'r'}
	keyDecision = []byte{tagMeta, 'j', 'o', 'u', 'r', 'n', 'a', 'l'}
)

func keyTypes(operator string) []byte {
	return append([]byte{tagMeta, 't', 'y', 'p', 'e', 's', '/'}, operator...)
}

func keyGroup(epoch uint64, group uint32) []byte {
	k := binary.BigEndian.AppendUint64([]byte{tagJournal}, epoch)
	return binary.BigEndian.AppendUint32(k, group)
}

// dataKey appends the Badger key of a state key: the beginning of a long one stays, so that keys keep their order but for
// those that share it.
func dataKey(dst, key []byte) []byte {
	dst = append(dst, tagData)
	if len(key) < longKey {
		return append(dst, key...)
	}
	hash := sha256.Sum256(key)
	return append(append(dst, key[:longKey]...), hash[:]...)
}

// dataValue returns the Badger value of a state value: a long key stands before it.
func dataValue(key, value []byte) []byte {
	if len(key) < longKey {
		return value
	}
	v := binary.AppendUvarint(make([]byte, 0, len(key)+len(value)+4), uint64(len(key)))
	return append(append(v, key...), value...)
}

// isLong says whether a Badger key stands for a hashed one.
func isLong(badgerKey []byte) bool { return len(badgerKey) > longKey }

// splitLong returns the key and the value in a Badger value that belongs to a long key.
func splitLong(v []byte) (key, value []byte, err error) {
	n, size := binary.Uvarint(v)
	if size <= 0 || n > uint64(len(v)-size) || n < longKey {
		return nil, nil, fault.New(fault.State, "the value of a long key does not begin with the key")
	}
	return v[size : size+int(n)], v[size+int(n):], nil
}

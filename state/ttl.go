package state

import (
	"encoding/binary"
	"math"

	"github.com/wasmill/wasmill/engine/fault"
)

// Clock returns processing time in milliseconds since 1970 UTC.
type Clock func() int64

// stamp is the time of last use that stands before a value with a TTL: 8 bytes, big endian, milliseconds since 1970 UTC.
const stamp = 8

// keeper wraps and unwraps values of a state. Without a TTL they are as they are.
type keeper struct {
	ttl *TTL
	now Clock
	buf []byte
}

// wrap returns what is stored of a value, until the next call.
func (k *keeper) wrap(value []byte) []byte {
	if k.ttl == nil {
		return value
	}
	k.buf = binary.BigEndian.AppendUint64(k.buf[:0], uint64(k.now()))
	k.buf = append(k.buf, value...)
	return k.buf
}

// unwrap returns the value in what is stored, whether it has expired, and whether this read prolongs its life.
func (k *keeper) unwrap(stored []byte) (value []byte, expired, renew bool, err error) {
	if k.ttl == nil {
		return stored, false, false, nil
	}
	if len(stored) < stamp {
		return nil, false, false, fault.New(fault.State, "a value with a time to live has %d bytes, and no time", len(stored))
	}
	used := int64(binary.BigEndian.Uint64(stored))
	expired = k.expired(used)
	return stored[stamp:], expired, !expired && k.ttl.Update == OnReadAndWrite && used != k.now(), nil
}

func (k *keeper) expired(used int64) bool {
	after := k.ttl.After.Milliseconds()
	if used > 0 && used > math.MaxInt64-after {
		return false
	}
	return used+after <= k.now()
}

// returns reports whether an expired value may be seen.
func (k *keeper) returns() bool { return k.ttl.Visible == ReturnExpiredIfNotCleanedUp }

// Sweep removes expired values of some keys that Scan finds: it looks at up to n of those with the prefix from `from` on, and
// returns where to go on, nil at the end. Values that are not put with PutOrdered are found once the store has them.
func (k *keeper) sweep(o *Overlay, prefix, from []byte, n int) (next []byte, err error) {
	var gone [][]byte
	err = o.Scan(prefix, from, func(key, stored []byte) bool {
		if n--; n < 0 {
			next = append([]byte(nil), key...)
			return false
		}
		if len(stored) >= stamp && k.expired(int64(binary.BigEndian.Uint64(stored))) {
			gone = append(gone, append([]byte(nil), key...))
		}
		return true
	})
	for _, key := range gone {
		if err != nil {
			return nil, err
		}
		// The scan may have shown the store's value, and a newer one be at hand.
		var stored []byte
		var ok bool
		if stored, ok, err = o.Get(key); err == nil && ok && k.expired(int64(binary.BigEndian.Uint64(stored))) {
			err = o.DeleteOrdered(key)
		}
	}
	return next, err
}

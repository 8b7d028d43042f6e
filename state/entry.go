package state

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/wasmill/wasmill/engine/fault"
)

// MaxEntry is the most bytes of a key and its value together. It lies below 1 MiB, above which Badger would keep a
// value apart from its key, in a log that has to be collected.
const MaxEntry = 1_000_000

// Check returns a fault of code State when the change is larger than [MaxEntry]. Every store checks all changes of a
// commit before it writes any.
func (c Change) Check() error {
	n := len(c.Key) + len(c.Value)
	if n <= MaxEntry {
		return nil
	}
	f := fault.New(fault.State, "a key and its value take %d bytes, at most %d can be stored", n, MaxEntry).
		WithHint("spread what is kept over several keys or states")
	if k, err := ParseKey(c.Key); err == nil {
		f = f.At("operator %s, state %s, key of %d bytes", k.Operator, k.State, len(k.Key))
	}
	return f
}

// CheckEpoch returns a fault of code Internal unless m comes behind the last marker of a store, if there is one.
func (m Marker) CheckEpoch(last Marker, some bool) error {
	if some && m.Epoch <= last.Epoch {
		return fault.New(fault.Internal, "epoch %d was to be committed behind epoch %d", m.Epoch, last.Epoch)
	}
	return nil
}

type marker struct {
	Epoch     uint64                     `json:"epoch"`
	Positions map[string]json.RawMessage `json:"positions,omitempty"`
}

// Encode returns m as the JSON that FORMAT.md describes, or a fault of code Internal when a position is not JSON.
func (m Marker) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(marker(m)); err != nil {
		return nil, fault.New(fault.Internal, "a position is not JSON: %v", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// ParseMarker reads what Encode wrote. Anything else gives a fault of code State.
func ParseMarker(b []byte) (Marker, error) {
	var m marker
	if err := json.Unmarshal(b, &m); err != nil {
		return Marker{}, fault.New(fault.State, "the marker of the last epoch is not readable: %v", err)
	}
	return Marker(m), nil
}

// CheckTypes compares the types that an operator declares with those that are stored, and returns the two joined. A
// state stored under another type gives a fault of code State.
func CheckTypes(operator string, stored, declared map[string]string) (map[string]string, error) {
	joined := make(map[string]string, len(stored)+len(declared))
	maps.Copy(joined, stored)
	var faults fault.List
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if t, ok := stored[name]; ok && t != declared[name] {
			f := faults.Add(fault.State, "operator "+operator, "state %s is stored as %s, but the function declares %s", name, t, declared[name])
			f.Hint = "give the state another name, or the job another name to begin with empty state"
		}
		joined[name] = declared[name]
	}
	return joined, faults.Err()
}

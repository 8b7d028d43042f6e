package state_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/state"
)

// TestKeyLayout pins layout 1: stored state of earlier builds must stay readable.
func TestKeyLayout(t *testing.T) {
	got := state.AppendKey([]byte("x"), 0x0102, "op", "s", []byte{5, 0, 6}, []byte{0, 9})
	want := []byte{'x', 1, 2, 'o', 'p', 0, 1, 's', 0, 1, 5, 0, 0xff, 6, 0, 1, 0, 9}
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	for _, prefix := range [][]byte{
		state.AppendPartitionPrefix(nil, 0x0102), state.AppendOperatorPrefix(nil, 0x0102, "op"),
		state.AppendStatePrefix(nil, 0x0102, "op", "s"), state.AppendKeyPrefix(nil, 0x0102, "op", "s", []byte{5, 0, 6}),
	} {
		if !bytes.HasPrefix(got[1:], prefix) {
			t.Errorf("%x is not a prefix of %x", prefix, got[1:])
		}
	}
}

func keyGen() *rapid.Generator[state.Key] {
	// Few bytes, many of them special: collisions and shared prefixes are what could go wrong.
	part := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 'a', 0xfe, 0xff}), 0, 4)
	return rapid.Custom(func(t *rapid.T) state.Key {
		return state.Key{
			Partition: rapid.Uint16Range(0, 300).Draw(t, "partition"),
			Operator:  string(part.Draw(t, "operator")), State: string(part.Draw(t, "state")),
			Key: part.Draw(t, "key"), Namespace: part.Draw(t, "namespace"),
		}
	})
}

func encode(k state.Key) []byte {
	return state.AppendKey(nil, k.Partition, k.Operator, k.State, k.Key, k.Namespace)
}

func compare(a, b state.Key) int {
	if a.Partition != b.Partition {
		return int(a.Partition) - int(b.Partition)
	}
	if c := strings.Compare(a.Operator, b.Operator); c != 0 {
		return c
	}
	if c := strings.Compare(a.State, b.State); c != 0 {
		return c
	}
	if c := bytes.Compare(a.Key, b.Key); c != 0 {
		return c
	}
	return bytes.Compare(a.Namespace, b.Namespace)
}

func TestKeysSortAsTheirPartsDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := keyGen().Draw(t, "a"), keyGen().Draw(t, "b")
		if got, want := sign(bytes.Compare(encode(a), encode(b))), sign(compare(a, b)); got != want {
			t.Fatalf("keys compare as %d, their parts as %d", got, want)
		}
		parsed, err := state.ParseKey(encode(a))
		if err != nil {
			t.Fatal(err)
		}
		if compare(parsed, a) != 0 {
			t.Fatalf("got %+v, want %+v", parsed, a)
		}
	})
}

func sign(n int) int { return min(1, max(-1, n)) }

func FuzzParseKey(f *testing.F) {
	f.Add(state.AppendKey(nil, 7, "op", "count", []byte{0, 1, 2}, []byte("w")))
	f.Add([]byte{0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := state.ParseKey(b)
		if err != nil {
			if fault.CodeOf(err) != fault.State {
				t.Fatal(err)
			}
			return
		}
		if got := encode(k); !bytes.Equal(got, b) {
			t.Fatalf("%x parses as %+v, which is %x", b, k, got)
		}
	})
}

func TestParseKeyRefuses(t *testing.T) {
	for _, b := range []string{"", "a", "ab", "ab\x00", "ab\x00\x02", "abop\x00\x01s\x00\x01key\x00"} {
		if _, err := state.ParseKey([]byte(b)); fault.CodeOf(err) != fault.State {
			t.Errorf("%q: got %v", b, err)
		}
	}
	_, err := state.ParseKey(bytes.Repeat([]byte{1}, 100))
	if want := "stored state has a key that is not of layout 1: " + strings.Repeat("01", 64); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestMarker(t *testing.T) {
	m := state.Marker{Epoch: 7, Positions: map[string]json.RawMessage{"in/a<b": json.RawMessage(`{"offset":12}`)}}
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(b), `{"epoch":7,"positions":{"in/a<b":{"offset":12}}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got, err := state.ParseMarker(b)
	if diff := cmp.Diff(m, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	m.Positions["bad"] = json.RawMessage(`{`)
	if _, err := m.Encode(); fault.CodeOf(err) != fault.Internal {
		t.Errorf("got %v", err)
	}
	if _, err := state.ParseMarker([]byte("[")); fault.CodeOf(err) != fault.State {
		t.Errorf("got %v", err)
	}
}

func TestChangeCheck(t *testing.T) {
	key := state.AppendKey(nil, 1, "agg", "list", []byte("k"), nil)
	if err := (state.Change{Key: key, Value: make([]byte, state.MaxEntry-len(key))}).Check(); err != nil {
		t.Error(err)
	}
	err := state.Change{Key: key, Value: make([]byte, state.MaxEntry)}.Check()
	want := "operator agg, state list, key of 1 bytes: a key and its value take 1000016 bytes, at most 1000000 can be stored " +
		"(spread what is kept over several keys or states)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func BenchmarkAppendKey(b *testing.B) {
	key := []byte("\x04carrier-WN")
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = state.AppendKey(dst[:0], 77, "aggregate", "total", key, nil)
	}
}

package sdk_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// store is the state of an engine with the keys of the batch at work.
type store struct {
	keys   []string
	values map[string]string // by state and key
	log    []string
}

func (s *store) at(state, slot int32) string { return fmt.Sprintf("%d/%s", state, s.keys[slot]) }

func (s *store) Get(state, slot int32) ([]byte, bool, error) {
	v, ok := s.values[s.at(state, slot)]
	return []byte(v), ok, nil
}

func (s *store) Put(state, slot int32, value []byte) error {
	s.values[s.at(state, slot)] = string(value)
	s.log = append(s.log, "put "+s.at(state, slot))
	return nil
}

func (s *store) Delete(state, slot int32) error {
	delete(s.values, s.at(state, slot))
	s.log = append(s.log, "delete "+s.at(state, slot))
	return nil
}

func TestKeyedState(t *testing.T) {
	eachSDK(t, func(t *testing.T, g *guest) {
		s := &store{values: map[string]string{}}
		f := g.bind("keyed", nil, s)
		call := func(keys, slots, in, want, log string) {
			t.Helper()
			s.keys, s.log = strings.Fields(keys), nil
			var numbers []int32
			for _, n := range strings.Fields(slots) {
				numbers = append(numbers, int32(n[0]-'0'))
			}
			got, err := text(t, f, rows(t, g.signatures["keyed"].In, in), numbers)
			if err != nil || strings.ReplaceAll(got, "\n", "") != "["+want+"]" {
				t.Errorf("expected %s, got %s, %v", want, got, err)
			}
			slices.Sort(s.log)
			if got := strings.Join(s.log, ", "); got != log {
				t.Errorf("expected the host to see %q, got %q", log, got)
			}
		}
		call("a b", "0 1 0", `{"word": "x", "n": 1}, {"word": "y", "n": 2}, {"word": "z", "n": 3}`,
			`{"is_new":true,"last":"","sum":1},{"is_new":true,"last":"","sum":2},{"is_new":false,"last":"\u003cx\u003e","sum":4}`,
			"put 0/a, put 0/b, put 1/a, put 1/b, put 2/a, put 2/b")
		call("b a", "0 1", `{"word": "y", "n": 4}, {"word": "long long text", "n": 0}`,
			`{"is_new":false,"last":"\u003cy\u003e","sum":6},{"is_new":false,"last":"\u003cz\u003e","sum":4}`,
			"delete 0/a, delete 1/a, delete 2/a, put 0/b")
		call("a", "0 0 0", `{"word": "1", "n": 1}, {"word": "2", "n": 0}, {"word": "3", "n": 7}`,
			`{"is_new":true,"last":"","sum":1},{"is_new":false,"last":"\u003c1\u003e","sum":1},{"is_new":true,"last":"","sum":7}`,
			"put 0/a, put 1/a, put 2/a")
		call("", "", ``, ``, "")
		want := map[string]string{
			"0/a": "\x07\x00\x00\x00\x00\x00\x00\x00", "1/a": "<3>", "2/a": "\x00",
			"0/b": "\x06\x00\x00\x00\x00\x00\x00\x00", "1/b": "<y>", "2/b": "\x01",
		}
		if !maps.Equal(s.values, want) {
			t.Errorf("expected %q, got %q", want, s.values)
		}
		// A failed call stores nothing, and says which row it was.
		s.keys, s.log = []string{"a"}, nil
		_, err := text(t, f, rows(t, g.signatures["keyed"].In, `{"word": "x", "n": 1}, {"word": "x", "n": -1}`), []int32{0, 0})
		wantFault(t, err, 1, "negative", "")
		if len(s.log) > 0 {
			t.Errorf("a failed call stored %v", s.log)
		}
		// State that another function left.
		s.values["0/a"] = "short"
		_, err = text(t, f, rows(t, g.signatures["keyed"].In, `{"word": "x", "n": 1}`), []int32{0})
		name := map[bool]string{true: "0", false: "sum"}[g.signatures["copy_null"].Name == ""]
		wantFault(t, err, 0, "state "+name+" holds 5 bytes, expected 8", "")
	})
}

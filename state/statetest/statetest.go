// Package statetest is the suite that every state.Store passes.
package statetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/state"
)

// Open opens the store kept in dir, a folder of the test's own: empty the first time, and then what was committed there
// before the store was closed.
type Open func(dir string) (state.Store, error)

// Run checks the contract of state.Store: [Cases] and [Random].
func Run(t *testing.T, open Open) {
	Cases(t, open)
	t.Run("random", func(t *testing.T) { Random(t, open) })
}

// Cases checks the contract case by case.
func Cases(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *bench)
	}{
		{"new", testNew}, {"values", testValues}, {"scan", testScan}, {"epochs", testEpochs}, {"large commit", testLargeCommit},
		{"long keys", testLongKeys}, {"limits", testLimits}, {"declare", testDeclare}, {"closed", testClosed}, {"concurrent", testConcurrent},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &bench{t: t, open: open, dir: t.TempDir()}
			b.reopen()
			defer b.close()
			c.test(t, b)
		})
	}
}

// bench is a store under test.
type bench struct {
	t    *testing.T
	open Open
	dir  string
	state.Store
	epoch uint64
}

func (b *bench) close() {
	if b.Store != nil {
		if err := b.Store.Close(); err != nil {
			b.t.Fatal(err)
		}
		b.Store = nil
	}
}

func (b *bench) reopen() {
	b.t.Helper()
	b.close()
	s, err := b.open(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Store = s
}

// commit commits changes as the next epoch, with a position that tells it.
func (b *bench) commit(changes ...state.Change) {
	b.t.Helper()
	b.epoch++
	if err := b.Commit(context.Background(), state.Commit{Marker: MarkerOf(b.epoch), Changes: changes}); err != nil {
		b.t.Fatal(err)
	}
}

// MarkerOf returns a marker for an epoch whose position tells it, for tests of stores.
func MarkerOf(epoch uint64) state.Marker {
	return state.Marker{Epoch: epoch, Positions: map[string]json.RawMessage{"in/0": json.RawMessage(fmt.Sprintf(`{"offset":%d}`, epoch))}}
}

func put(key, value string) state.Change {
	return state.Change{Key: []byte(key), Value: []byte(value)}
}

func del(key string) state.Change { return state.Change{Key: []byte(key)} }

// want checks Get, GetMany and Scan against the values given.
func (b *bench) want(want map[string]string) {
	b.t.Helper()
	got, err := Contents(b.Store)
	if err != nil {
		b.t.Fatal(err)
	}
	if diff := difference(want, got); diff != "" {
		b.t.Fatalf("-want +got\n%s", diff)
	}
	var keys [][]byte
	for key, value := range want {
		keys = append(keys, []byte(key), []byte(key+"?"))
		got, ok, err := b.Get([]byte("dst"), []byte(key))
		if err != nil || !ok || string(got) != "dst"+value {
			b.t.Fatalf("get %q: got %q %v %v, want %q", key, got, ok, err, "dst"+value)
		}
	}
	found := map[string]string{}
	if err := b.GetMany(keys, func(i int, value []byte) error {
		found[string(keys[i])] = string(value)
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
	if diff := difference(want, found); diff != "" {
		b.t.Fatalf("GetMany: -want +got\n%s", diff)
	}
}

// Contents returns all keys and values of a store, and an error if Scan does not show them in order.
func Contents(s state.Store) (map[string]string, error) {
	all := map[string]string{}
	var last []byte
	var bad error
	err := s.Scan(nil, func(key, value []byte) bool {
		if last != nil && bytes.Compare(last, key) >= 0 {
			bad = fmt.Errorf("scan shows %.40q behind %.40q", key, last)
		}
		last = append(last[:0], key...)
		all[string(key)] = string(value)
		return true
	})
	return all, errors.Join(err, bad)
}

func wantFault(t *testing.T, err error, code fault.Code, text string) {
	t.Helper()
	if err == nil || err.Error() != text || fault.CodeOf(err) != code {
		t.Fatalf("got [%s] %v\nwant [%s] %s", fault.CodeOf(err), err, code, text)
	}
}

// difference is cmp.Diff with a quick look before: the long keys and large values of these tests take it a while.
func difference(want, got map[string]string) string {
	if maps.Equal(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}

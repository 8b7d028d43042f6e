package statetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/state"
)

func testNew(t *testing.T, b *bench) {
	if m, ok, err := b.Last(); ok || err != nil {
		t.Fatalf("got %v %v %v", m, ok, err)
	}
	got, ok, err := b.Get([]byte("dst"), []byte("k"))
	if string(got) != "dst" || ok || err != nil {
		t.Fatalf("got %q %v %v", got, ok, err)
	}
	b.want(map[string]string{})
}

func testValues(t *testing.T, b *bench) {
	b.commit(put("a", "1"), put("b", "2"), put("\x00", "zero"), put("", "no key"), put("empty", ""))
	b.commit(put("a", "3"), del("b"), del("never there"))
	want := map[string]string{"a": "3", "\x00": "zero", "": "no key", "empty": ""}
	b.want(want)
	b.reopen()
	b.want(want)
	stop := errors.New("stop")
	if err := b.GetMany([][]byte{[]byte("a"), []byte("empty")}, func(int, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("got %v, want the error of found", err)
	}
	if b.Size() <= 0 {
		t.Fatalf("size %d", b.Size())
	}
}

func testScan(t *testing.T, b *bench) {
	b.commit(put("a", "1"), put("ab", "2"), put("ab\xff", "3"), put("ac", "4"), put("\xff", "5"), put("\xff\xff", "6"))
	for prefix, want := range map[string]string{"": "a=1 ab=2 ab\xff=3 ac=4 \xff=5 \xff\xff=6 ", "ab": "ab=2 ab\xff=3 ", "\xff": "\xff=5 \xff\xff=6 ", "z": ""} {
		var got strings.Builder
		if err := b.Scan([]byte(prefix), func(key, value []byte) bool {
			fmt.Fprintf(&got, "%s=%s ", key, value)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if got.String() != want {
			t.Errorf("prefix %q: got %q, want %q", prefix, got.String(), want)
		}
	}
	calls := 0
	if err := b.Scan([]byte("a"), func([]byte, []byte) bool { calls++; return calls < 2 }); err != nil || calls != 2 {
		t.Errorf("%d calls, %v; want Scan to end at false", calls, err)
	}
}

func testEpochs(t *testing.T, b *bench) {
	positions := map[string]json.RawMessage{"in/a": json.RawMessage(`{"offset":9007199254740993}`), "out/0": json.RawMessage(`"x<y"`)}
	want := state.Marker{Epoch: 5, Positions: positions}
	if err := b.Commit(context.Background(), state.Commit{Marker: want}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, ok, err := b.Last()
		if diff := cmp.Diff(want, got); !ok || err != nil || diff != "" {
			t.Fatalf("%v %v\n%s", ok, err, diff)
		}
		b.reopen()
	}
	for _, epoch := range []uint64{5, 4} {
		err := b.Commit(context.Background(), state.Commit{Marker: state.Marker{Epoch: epoch}, Changes: []state.Change{put("a", "1")}})
		wantFault(t, err, fault.Internal, fmt.Sprintf("epoch %d was to be committed behind epoch 5", epoch))
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Commit(ctx, state.Commit{Marker: MarkerOf(6), Changes: []state.Change{put("a", "1")}}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	bad := state.Commit{Marker: state.Marker{Epoch: 6, Positions: map[string]json.RawMessage{"in/a": json.RawMessage("{")}}}
	if err := b.Commit(context.Background(), bad); fault.CodeOf(err) != fault.Internal {
		t.Fatalf("got %v", err)
	}
	b.want(map[string]string{})
	b.epoch = 6
	b.commit(put("a", "1"))
	b.want(map[string]string{"a": "1"})
}

// testLargeCommit goes beyond what a transaction of a store may hold, by bytes and by count.
func testLargeCommit(_ *testing.T, b *bench) {
	want := map[string]string{}
	var changes []state.Change
	for i := range 40 {
		want[fmt.Sprintf("big-%d", i)] = strings.Repeat(string(rune('a'+i%26)), 900_000)
	}
	for i := range 120_000 {
		want[fmt.Sprintf("small-%d", i)] = "v"
	}
	for key, value := range want {
		changes = append(changes, put(key, value))
	}
	b.commit(changes...)
	check := func() {
		b.t.Helper()
		got, err := Contents(b.Store)
		if err != nil {
			b.t.Fatal(err)
		}
		if !maps.Equal(want, got) { // no diff: it would be 40 MB of text
			b.t.Fatalf("%d values, want %d, or they differ", len(got), len(want))
		}
	}
	check()
	changes = changes[:0]
	for key := range want {
		if strings.HasPrefix(key, "small") {
			changes = append(changes, del(key))
			delete(want, key)
		}
	}
	b.commit(changes...)
	check()
	b.reopen()
	check()
}

func testLongKeys(t *testing.T, b *bench) {
	want := map[string]string{}
	var changes []state.Change
	long := strings.Repeat("k", 64_890)
	for i, suffix := range []string{"", "012345678", "0123456789", "0123456789b", "0123456789a", "0123456789" + strings.Repeat("z", 200), strings.Repeat("x", 300_000)} {
		want[long+suffix] = fmt.Sprint("value ", i)
		changes = append(changes, put(long+suffix, fmt.Sprint("value ", i)))
	}
	b.commit(changes...)
	b.commit(put("short", ""), del(long+"0123456789c"))
	want["short"] = ""
	b.want(want)
	for _, prefix := range []string{long, long + "0123456789", long + "0123456789a", strings.Repeat("k", 70_000)} {
		got := map[string]string{}
		if err := b.Scan([]byte(prefix), func(key, value []byte) bool {
			got[string(key)] = string(value)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		for key, value := range want {
			if v, ok := got[key]; ok != strings.HasPrefix(key, prefix) || ok && v != value {
				t.Errorf("prefix of %d bytes, key of %d: there %v, value %q, want %q", len(prefix), len(key), ok, v, value)
			}
		}
	}
	b.commit(del(long + "0123456789a"))
	delete(want, long+"0123456789a")
	b.reopen()
	b.want(want)
}

func testLimits(t *testing.T, b *bench) {
	key := state.AppendKey(nil, 1, "agg", "list", []byte("k"), nil)
	most := state.Change{Key: key, Value: bytes.Repeat([]byte("v"), state.MaxEntry-len(key))}
	b.commit(most)
	over := state.Change{Key: key, Value: make([]byte, state.MaxEntry)}
	err := b.Commit(context.Background(), state.Commit{Marker: MarkerOf(2), Changes: []state.Change{put("a", "1"), over}})
	wantFault(t, err, fault.State, "operator agg, state list, key of 1 bytes: a key and its value take 1000016 bytes, at most 1000000 can be "+
		"stored (spread what is kept over several keys or states)")
	b.want(map[string]string{string(key): string(most.Value)})
	b.commit(put("a", "1")) // the refusal did no harm
}

func testDeclare(t *testing.T, b *bench) {
	declare := func(operator string, types map[string]string) {
		t.Helper()
		if err := b.Declare(operator, types); err != nil {
			t.Fatal(err)
		}
	}
	declare("agg", map[string]string{"count": "int64", "last": "utf8"})
	declare("agg", map[string]string{"count": "int64"})
	declare("agg", nil)
	declare("other", map[string]string{"count": "utf8"})
	b.reopen()
	err := b.Declare("agg", map[string]string{"count": "int64", "last": "binary", "new": "int8"})
	const hint = " (give the state another name, or the job another name to begin with empty state)"
	wantFault(t, err, fault.State, "operator agg: state last is stored as utf8, but the function declares binary"+hint)
	declare("agg", map[string]string{"new": "int16"}) // what was refused was not noted
	declare("agg", map[string]string{"last": "utf8"})
	b.want(map[string]string{})
}

func testClosed(t *testing.T, b *bench) {
	b.commit(put("a", "1"))
	s := b.Store
	b.close()
	_, _, getErr := s.Get(nil, []byte("a"))
	_, _, lastErr := s.Last()
	for what, err := range map[string]error{
		"Get": getErr, "Last": lastErr, "Declare": s.Declare("a", nil),
		"GetMany": s.GetMany([][]byte{[]byte("a")}, func(int, []byte) error { return nil }),
		"Scan":    s.Scan(nil, func([]byte, []byte) bool { return true }),
		"Commit":  s.Commit(context.Background(), state.Commit{Marker: MarkerOf(2)}),
	} {
		if err == nil || err.Error() != "the store is closed" {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

// testConcurrent reads while commits rewrite two keys: each read sees a value that was committed.
func testConcurrent(t *testing.T, b *bench) {
	b.commit(put("a", "0"), put("b", "0"))
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, key := range []string{"a", "b"} {
					if v, ok, err := b.Get(nil, []byte(key)); err != nil || !ok || len(v) == 0 {
						t.Errorf("got %q %v %v", v, ok, err)
						return
					}
				}
				if all, err := Contents(b.Store); err != nil || len(all) != 2 {
					t.Errorf("got %v %v", all, err)
					return
				}
			}
		})
	}
	for i := range 50 {
		b.commit(put("a", fmt.Sprint(i)), put("b", fmt.Sprint(i)))
	}
	close(stop)
	readers.Wait()
	b.want(map[string]string{"a": "49", "b": "49"})
}

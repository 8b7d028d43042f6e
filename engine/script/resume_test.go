package script

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

// interrupted runs a word count of n words until it fails on purpose, and returns the store that it leaves behind.
func interrupted(t *testing.T, p *Plan, from, to int) *memstate.Store {
	t.Helper()
	before := rangePiece
	rangePiece = 16 // so that there is a commit long before the end
	defer func() { rangePiece = before }()
	store := memstate.New()
	fail := func(c config, seen int) error {
		if _, some, _ := store.Last(); some && seen > 100 {
			return errors.New("on purpose")
		}
		return nil
	}
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, to), count(fail)}}
	o := options(t, b, &bytes.Buffer{})
	o.Store = store
	o.Durable, o.Script = true, "a"
	if _, err := run(t, p, o); err == nil {
		t.Fatal("it did not fail")
	}
	store = store.Reopen()
	if last, some, err := store.Last(); err != nil || !some {
		t.Fatalf("the last commit is %v, %v, %v", last, some, err)
	}
	return store
}

// A durable job goes on in another run, whatever the parallelism: positions, state, and the counts come out exact.
func TestGoOn(t *testing.T) {
	for _, c := range [][4]int{{1, 1, 1, 1}, {1, 1, 3, 2}, {3, 2, 1, 3}, {2, 3, 2, 1}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			store := interrupted(t, wordCount(8000, c[0], c[1], "print"), c[0], c[1])
			var out bytes.Buffer
			b := &interpreter{tasks: []func(config) behaviour{words(someWords, c[3]), count(nil)}}
			o := options(t, b, &out)
			o.Store, o.Durable, o.Script = store, true, "a"
			if r, err := run(t, wordCount(8000, c[2], c[3], "print"), o); err != nil {
				t.Fatal(err, r)
			}
			if got := sorted(out.String()); !slices.Equal(got, expected(8000)) {
				t.Errorf("got %q, want %q", got, expected(8000))
			}
			if by, ended, err := Ended(o.Store); by != "a" || !ended || err != nil {
				t.Errorf("ended %v by %q, %v", ended, by, err)
			}
		})
	}
}

func TestStateThatDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		change func(*Plan, *Options)
		want   string
	}{
		{func(p *Plan, _ *Options) { p.Partitions = 64 },
			"the job's state is kept in 128 key groups, not in 64 (call env.set_max_parallelism(128), or start with --fresh)"},
		{func(_ *Plan, o *Options) { remark(t, o, "/script", "7") },
			"the state was written by a newer wasmill: it has format 7, this one reads up to 1 (run the newer wasmill, or start with --fresh)"},
		{func(_ *Plan, o *Options) { remark(t, o, "/script", "0") },
			"the state is not that of a script's job (give another folder, or start with --fresh)"},
		{func(_ *Plan, o *Options) { remark(t, o, "/operators", "[1]") },
			"what the job noted as /operators cannot be read: [1] (start with --fresh)"},
		{func(p *Plan, _ *Options) { p.Tasks[1].Operators[0].UID = "other" },
			`there is state of an operator "count" (), which the job does not have (give operators a uid(), by which they are found again; ` +
				`--allow-non-restored-state goes on without that state, --fresh without any)`},
		{func(_ *Plan, o *Options) {
			o.Bundle = &interpreter{tasks: []func(config) behaviour{words(someWords, 1), declaring("n", "value<String>")}}
		}, "Count (1/1), operator count: state n is stored as value<Long>, but the function declares value<String> " +
			"(declare it as it was, give the state another name, or start with --fresh)"},
	} {
		store := interrupted(t, wordCount(8000, 1, 1, "print"), 1, 1)
		if err := store.Declare("count", map[string]string{"n": "value<Long>"}); err != nil {
			t.Fatal(err)
		}
		p := wordCount(8000, 1, 1, "print")
		o := options(t, &interpreter{tasks: []func(config) behaviour{words(someWords, 1), count(nil)}}, &bytes.Buffer{})
		o.Store, o.Durable = store, true
		c.change(p, &o)
		if _, err := run(t, p, o); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// remark changes what the job noted.
func remark(t *testing.T, o *Options, key, text string) {
	t.Helper()
	last, _, err := o.Store.Last()
	if err != nil {
		t.Fatal(err)
	}
	last.Epoch++
	last.Positions[key] = json.RawMessage(text)
	if err := o.Store.Commit(t.Context(), state.Commit{Marker: last}); err != nil {
		t.Fatal(err)
	}
}

// full is a store on a disk that takes some commits and then no more.
type full struct {
	state.Store
	left int
}

func (f *full) Commit(ctx context.Context, c state.Commit) error {
	if f.left--; f.left < 0 {
		return fault.New(fault.State, "the disk that holds the state has 1 MB free").WithHint("free some space and start the job again")
	}
	return f.Store.Commit(ctx, c)
}

// A disk that is full ends the job; when there is room it goes on.
func TestFullDisk(t *testing.T) {
	before := rangePiece
	rangePiece = 16
	defer func() { rangePiece = before }()
	store := memstate.New()
	var out bytes.Buffer
	o := options(t, &interpreter{tasks: []func(config) behaviour{words(someWords, 2), count(nil)}}, &out)
	o.Store, o.Durable = &full{store, 1}, true
	r, err := run(t, wordCount(8000, 2, 2, "print"), o)
	if err == nil || r.Error != "the disk that holds the state has 1 MB free (free some space and start the job again)" {
		t.Fatal(err, r)
	}
	out.Reset()
	o.Store = store.Reopen()
	if r, err := run(t, wordCount(8000, 2, 2, "print"), o); err != nil {
		t.Fatal(err, r)
	}
	if got := sorted(out.String()); !slices.Equal(got, expected(8000)) {
		t.Errorf("got %q, want %q", got, expected(8000))
	}
}

func declaring(name, layout string) func(config) behaviour {
	return func(config) behaviour {
		return func(r row, put func(row)) error {
			if r.kind == kindReady {
				put(row{kind: kindDeclare, name: "count/" + name, payload: []byte(layout)})
			}
			return nil
		}
	}
}

// State of an operator that is gone is removed if the user wants it so, and does not come back.
func TestDropState(t *testing.T) {
	store := interrupted(t, wordCount(8000, 1, 1, "print"), 1, 1)
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), func(c config) behaviour { return func(row, func(row)) error { return nil } }}}
	o := options(t, b, &bytes.Buffer{})
	o.Store, o.Durable, o.AllowDropped = store, true, true
	p := wordCount(8000, 1, 1, "print")
	p.Tasks[1].Operators[0].UID = "other"
	if r, err := run(t, p, o); err != nil {
		t.Fatal(err, r)
	}
	n := 0
	if err := store.Scan(nil, func(key, value []byte) bool { n++; return true }); err != nil || n != 0 {
		t.Errorf("%d entries are left, %v", n, err)
	}
	o.AllowDropped = false
	if r, err := run(t, p, o); err != nil {
		t.Error(err, r)
	}
}

// keeping is a subtask whose guest asks for state as the test says.
func keeping(t *testing.T, act func(c config) error) error {
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), func(c config) behaviour {
		return func(r row, put func(row)) error {
			if r.kind == kindData {
				return act(c)
			}
			return nil
		}
	}}}
	_, err := run(t, wordCount(1, 1, 1, "print"), options(t, b, &bytes.Buffer{}))
	return err
}

// Values of any size come back, within the epoch and behind it, and nothing stays of those that were removed.
func TestLargeValues(t *testing.T) {
	for _, own := range []bool{false, true} {
		values := map[string]string{}
		key := func(k string) []byte {
			if own {
				return nil
			}
			return []byte(k)
		}
		step := 0
		err := keeping(t, func(c config) error {
			for _, size := range []int{10, 3 << 20, 0, 5 << 20, 600_000, 1_000_001, 2 << 20, 3} {
				for _, k := range []string{"a", "b"} {
					values[string(key(k))] = strings.Repeat(k, size)
					if err := c.put("count/n", key(k), []byte(values[string(key(k))])); err != nil {
						return err
					}
					got, err := c.get("count/n", key(k))
					if err != nil || string(got) != values[string(key(k))] {
						return fmt.Errorf("%d bytes came back as %d, %v", size, len(got), err)
					}
					step++
				}
			}
			return c.put("count/n", key("a"), nil)
		})
		if err != nil || step != 16 {
			t.Error(step, err)
		}
	}
}

func TestLargeValuesGoOn(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789"), 300_000)
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), func(c config) behaviour {
		return func(r row, put func(row)) error {
			switch r.kind {
			case kindState:
				if r.name != "count/own" || r.key != nil || !bytes.Equal(r.payload, large) {
					return fmt.Errorf("state %s of %d bytes", r.name, len(r.payload))
				}
				put(row{kind: kindData, target: int32(c.Index), number: 1, payload: []byte("own\n")})
			case kindReady:
				if !c.Resumes {
					if err := errors.Join(c.put("count/n", []byte("k"), large), c.put("count/own", nil, large)); err != nil {
						return err
					}
				}
				got, err := c.get("count/n", []byte("k"))
				if err != nil || !bytes.Equal(got, large) {
					return fmt.Errorf("%d bytes, %v", len(got), err)
				}
				return c.put("count/n", []byte("k"), large[:20])
			case kindFlush:
				if !c.Resumes {
					return c.put("count/n", []byte("k"), large)
				}
			}
			return nil
		}
	}}}
	var out bytes.Buffer
	o := options(t, b, &out)
	o.Durable = true
	p := wordCount(1, 1, 1, "print")
	for range 2 {
		if r, err := run(t, p, o); err != nil {
			t.Fatal(err, r)
		}
	}
	if out.String() != "own\n" {
		t.Errorf("got %q", out.String())
	}
}

func TestRequestsOfStrangers(t *testing.T) {
	for want, act := range map[string]func(c config) error{
		`Count (1/1): the subtask answered with a request for state "words/n", which is of none of its operators`: func(c config) error {
			return c.put("words/n", []byte("k"), nil)
		},
		`Count (1/1): the subtask answered with a request for state "n", which is of none of its operators`: func(c config) error {
			return c.put("n", []byte("k"), nil)
		},
		`Count (1/1): the subtask answered with a request for state "count/\x00own/n", which is of none of its operators`: func(c config) error {
			return c.put("count/\x00own/n", []byte("k"), nil)
		},
	} {
		if err := keeping(t, act); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add(asking(opGet, "count/n", []byte("k"), nil))
	f.Add(asking(opPut, "count/n", nil, []byte("v")))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRequest(b)
		if err != nil {
			return
		}
		n := 0
		for _, e := range r.entries {
			n += len(e.key) + len(e.space) + len(e.value)
		}
		if n > len(b) {
			t.Fatal("more came out than went in")
		}
	})
}

// A range that is dealt out again and again, to any number of sources, gives each number once.
func TestDeal(t *testing.T) {
	spec := &Source{UID: "r", Name: "r", Count: 10_007}
	seen := make([]int, spec.Count)
	positions := map[string]json.RawMessage{}
	for round, n := range []int{3, 1, 5, 2, 8, 1} {
		a := &attempt{}
		a.last.Positions = positions
		sources := make([]*source, n)
		for i := range sources {
			sources[i] = &source{job: a, spec: spec, index: i}
		}
		if err := a.deal(spec, sources); err != nil {
			t.Fatal(err)
		}
		positions = map[string]json.RawMessage{}
		for i, s := range sources {
			for j := range s.spans {
				at := &s.spans[j]
				for k := 0; at.next < at.past && (k < 300*(i+1) || round == 5); k++ {
					seen[at.next]++
					at.next++
				}
			}
			for key, p := range spanPositions(s.spans) {
				positions[a.positionKey(spec.UID, key)] = p
			}
		}
	}
	for i, n := range seen {
		if n != 1 {
			t.Fatalf("%d was dealt out %d times", i, n)
		}
	}
	a := &attempt{}
	a.last.Positions = map[string]json.RawMessage{"r/0-x": []byte("1")}
	if err := a.deal(spec, []*source{{}}); err == nil || err.Error() != "the position r/0-x of r cannot be read: 1 (start with --fresh)" {
		t.Error(err)
	}
}

func TestStopGoesOn(t *testing.T) {
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), count(nil)}}
	o := options(t, b, &bytes.Buffer{})
	o.Durable = true
	stop := make(chan struct{})
	close(stop)
	text, err := json.Marshal(wordCount(1<<40, 1, 1, "print"))
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := Run(context.Background(), text, o, stop); err != nil {
		t.Fatal(string(answer), err)
	}
	if _, ended, err := Ended(o.Store); ended || err != nil {
		t.Error(ended, err)
	}
}

// A job that goes on does not go back in time: each subtask knows how far its input had come before the first element.
func TestGoOnInTime(t *testing.T) {
	store := interrupted(t, wordCount(8000, 1, 2, "print"), 1, 2)
	last, _, err := store.Last()
	var reached int64
	if err = errors.Join(err, json.Unmarshal(last.Positions["/time/count/0"], &reached)); err != nil || reached < 1 {
		t.Fatalf("the watermark %s, %v", last.Positions["/time/count/0"], err)
	}
	counting := count(nil)
	heard := func(c config) behaviour {
		act, watermark := counting(c), int64(-1)
		return func(r row, put func(row)) error {
			switch {
			case r.kind == kindWatermark && (r.number < watermark || watermark < 0 && r.number != reached):
				return fmt.Errorf("the watermark %d came behind %d, the last run had come to %d", r.number, watermark, reached)
			case r.kind == kindWatermark:
				watermark = r.number
			case r.kind == kindData && watermark < 0:
				return errors.New("an element came before the watermark")
			}
			return act(r, put)
		}
	}
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 4), heard}}
	var out bytes.Buffer
	o := options(t, b, &out)
	o.Store, o.Durable, o.Script = store, true, "a"
	if r, err := run(t, wordCount(8000, 2, 4, "print"), o); err != nil {
		t.Fatal(err, r)
	}
	if got := sorted(out.String()); !slices.Equal(got, expected(8000)) {
		t.Errorf("got %q, want %q", got, expected(8000))
	}
}

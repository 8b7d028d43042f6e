package generate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/connectortest"
	"github.com/wasmill/wasmill/connectors/generate"
	"github.com/wasmill/wasmill/engine/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSource(config string) func() (connectors.Source, error) {
	return func() (connectors.Source, error) { return generate.Connector().NewSource(json.RawMessage(config)) }
}

const fields = `"fields":{
	"id":{"kind":"sequence","start":100,"step":-2},
	"user":{"kind":"int","min":-3,"max":3},
	"any":{"kind":"int","min":-9223372036854775808,"max":9223372036854775807},
	"price":{"kind":"float","min":10,"max":20,"decimals":1},
	"carrier":{"kind":"choice","values":["WN","AA \"x\"",{"a":[1]},null]},
	"at":{"kind":"time","start":"2024-02-29T23:59:59.5+01:00","step":"1m0.5s"},
	"ok":{"kind":"bool"},
	"note":{"kind":"words","count":2,"nulls":0.5}}`

func TestConformance(t *testing.T) {
	for _, more := range []string{`"rows":10000`, `"rows":10001,"splits":3,"seed":7`, `"rows":2,"splits":3`, `"rows":300,"rate":100000`} {
		t.Run(more, func(t *testing.T) {
			connectortest.Source{New: newSource("{" + more + "," + fields + "}")}.Run(t)
		})
	}
}

func open(t testing.TB, config string) connectors.Reader {
	t.Helper()
	source, err := newSource(config)()
	if err != nil {
		t.Fatal(err)
	}
	ids, err := source.Splits(context.Background(), connectors.Job{})
	if err != nil {
		t.Fatal(err)
	}
	splits := make([]connectors.Split, len(ids))
	for i, id := range ids {
		splits[i].ID = id
	}
	r, err := source.Open(context.Background(), connectors.Job{}, splits)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rows returns all rows, by split.
func rows(t testing.TB, config string) [][]string {
	t.Helper()
	r := open(t, config)
	var all [][]string
	for {
		messages, err := r.Next(context.Background(), nil, 100)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			for len(all) <= m.Split {
				all = append(all, nil)
			}
			if m.Sequence != uint64(len(all[m.Split]))+1 {
				t.Fatalf("sequence %d behind %d rows", m.Sequence, len(all[m.Split]))
			}
			all[m.Split] = append(all[m.Split], strings.SplitAfter(strings.TrimSuffix(string(m.Data), "\n"), "\n")...)
		}
	}
}

// TestFirstRows pins what a seed gives: it must not change from one version to the next.
func TestFirstRows(t *testing.T) {
	got := strings.Join(rows(t, `{"rows":3,"seed":1,`+fields+"}")[0], "") + "\n"
	const want = `{"any":5980800140894756012,"at":"2024-02-29T22:59:59.5Z","carrier":{"a":[1]},"id":100,"note":null,"ok":true,"price":10.8,"user":1}
{"any":7070836379803831727,"at":"2024-02-29T23:01:00Z","carrier":"WN","id":98,"note":"bridge velvet","ok":true,"price":10.4,"user":0}
{"any":-4196417781834494765,"at":"2024-02-29T23:02:00.5Z","carrier":"WN","id":96,"note":null,"ok":true,"price":11.3,"user":3}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestValues(t *testing.T) {
	type row struct {
		ID      int64     `json:"id"`
		User    int64     `json:"user"`
		Any     int64     `json:"any"`
		Price   float64   `json:"price"`
		Carrier any       `json:"carrier"`
		At      time.Time `json:"at"`
		OK      bool      `json:"ok"`
		Note    *string   `json:"note"`
	}
	start := time.Date(2024, 2, 29, 22, 59, 59, 5e8, time.UTC)
	users, carriers, negative, yes, none := map[int64]int{}, map[string]int{}, 0, 0, 0
	const n = 20_000
	for i, text := range rows(t, `{"rows":20000,`+fields+"}")[0] {
		var r row
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if r.ID != 100-2*int64(i) || r.User < -3 || r.User > 3 || r.Price < 10 || r.Price > 20 {
			t.Fatalf("row %d is %s", i, text)
		}
		if want := start.Add(time.Duration(i) * (time.Minute + 5e8)); !r.At.Equal(want) {
			t.Fatalf("row %d: got %v, want %v", i, r.At, want)
		}
		users[r.User]++
		carriers[fmt.Sprint(r.Carrier)]++
		if r.Any < 0 {
			negative++
		}
		if r.OK {
			yes++
		}
		if r.Note == nil {
			none++
		} else if len(strings.Fields(*r.Note)) != 2 {
			t.Fatalf("note %q", *r.Note)
		}
	}
	if len(users) != 7 || len(carriers) != 4 {
		t.Errorf("users %v, carriers %v", users, carriers)
	}
	for user, count := range users {
		if count < n/7*9/10 || count > n/7*11/10 {
			t.Errorf("user %d comes %d times", user, count)
		}
	}
	for what, count := range map[string]int{"negative": negative, "true": yes, "null": none} {
		if count < n/2*95/100 || count > n/2*105/100 {
			t.Errorf("%s: %d times of %d", what, count, n)
		}
	}
}

// TestSplitsShareTheRows: the rows of several splits, taken in turn, are those of one.
func TestSplitsShareTheRows(t *testing.T) {
	one := rows(t, `{"rows":5000,`+fields+"}")[0]
	three := rows(t, `{"rows":5000,"splits":3,`+fields+"}")
	for i, want := range one {
		if got := three[i%3][i/3]; strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Fatalf("row %d: got %s, want %s", i, got, want)
		}
	}
	if other := rows(t, `{"rows":5000,"seed":1,`+fields+"}")[0]; other[0] == one[0] {
		t.Error("another seed gives the same row")
	}
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		rate string
		rows int64
	}{{"0.5", 1 + 10/2}, {"4", 1 + 40}, {"1000", 1 + 10_000}, {"123456.5", 1 + 1_234_565}} {
		synctest.Test(t, func(t *testing.T) {
			r := open(t, `{"rate":`+c.rate+`,"fields":{"id":{"kind":"sequence"}}}`)
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second+time.Microsecond)
			defer cancel()
			var got, most int64
			for {
				messages, err := r.Next(ctx, nil, 1)
				if err != nil {
					break
				}
				n := int64(strings.Count(string(messages[0].Data), "\n"))
				got += n
				most = max(most, n)
			}
			if got < c.rows*998/1000 || got > c.rows {
				t.Errorf("rate %s: got %d rows in 10 s, want %d", c.rate, got, c.rows)
			}
			if most > c.rows/1000+1 {
				t.Errorf("rate %s: %d rows at once", c.rate, most)
			}
		})
	}
}

// TestReaderThatStoodStill must not hand out all that was due meanwhile.
func TestReaderThatStoodStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, `{"rate":1000,"fields":{"id":{"kind":"sequence"}}}`)
		take := func() (n int) {
			start := time.Now()
			for time.Since(start) < time.Second {
				messages, err := r.Next(context.Background(), nil, 1)
				if err != nil {
					t.Fatal(err)
				}
				n += strings.Count(string(messages[0].Data), "\n")
			}
			return n
		}
		take()
		time.Sleep(time.Minute)
		if n := take(); n > 1100 {
			t.Errorf("%d rows in the second behind a pause", n)
		}
	})
}

func TestWakeWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, `{"rate":0.01,"fields":{"id":{"kind":"sequence"}}}`)
		if messages, err := r.Next(context.Background(), nil, 1); err != nil || len(messages) != 1 {
			t.Fatal(messages, err)
		}
		wake := make(chan struct{}, 1)
		start := time.Now()
		time.AfterFunc(time.Second, func() { wake <- struct{}{} })
		if messages, err := r.Next(context.Background(), wake, 1); err != nil || len(messages) != 0 || time.Since(start) != time.Second {
			t.Fatalf("%v %v after %v", messages, err, time.Since(start))
		}
		if read, all := r.(connectors.Sized).Progress(); read == 0 || all != 0 {
			t.Errorf("progress %d of %d", read, all)
		}
	})
}

func TestFaults(t *testing.T) {
	for config, want := range map[string]string{
		`{}`: "`fields` is missing",
		`{"rows":-1,"rate":1e10,"splits":2000,"fields":{}}`: "rows: expected a number of rows up to 1e18, or 0 for no end, got -1\n" +
			"rate: expected 0.001 to 1e9 rows per second, or 0 for no limit, got 1e+10\nsplits: expected 1 to 1024, got 2000\nfields: there are no fields",
		`{"fields":{"a":{"kind":"itn"},"b":{"kind":"int","decimals":1,"nulls":2},"c":{}}}`: "fields.c: `kind` is missing",
		`{"fields":{"a":{"kind":"itn"},"b":{"kind":"int","decimals":1,"nulls":2}}}`: "fields.a.kind: unknown kind `itn` (did you mean `int`?)\n" +
			"fields.b.decimals: kind `int` has no setting `decimals` (there is max, min)\nfields.b.nulls: expected a share of 0 to 1, got 2",
		`{"fields":{"a":{"kind":"int","min":5,"max":4},"b":{"kind":"int","min":1.5}}}`: "fields.a: min 5 lies above max 4\nfields.b.min: expected an integer of 64 bits, got 1.5",
		`{"fields":{"a":{"kind":"float","min":"x"}}}`:                                  "fields.a.min: expected a number, got \"x\"",
		`{"fields":{"a":{"kind":"float","min":3,"max":2,"decimals":20},"b":{"kind":"words","count":-1},"c":{"kind":"choice"}}}`: "fields.a: min 3 and max 2 are not the ends of a range\n" +
			"fields.a.decimals: expected 0 to 17, got 20\nfields.b.count: expected 0 to 1000, got -1\nfields.c.values: there is nothing to choose from (list the values: `values: [a, b]`)",
		`{"fields":{"a":{"kind":"time","start":5,"step":"x"},"b":{"kind":"sequence","start":"x"}}}`: "fields.a.start: expected a time such as \"2026-01-01T00:00:00Z\", got 5\n" +
			"fields.a.step: expected a duration such as \"200ms\" or \"1m30s\", got \"x\"\nfields.b.start: expected an integer of 64 bits, got x",
	} {
		_, err := newSource(config)()
		if err == nil || err.Error() != want || fault.CodeOf(err) != fault.Usage {
			t.Errorf("%s: got [%s]\n%v\nwant\n%s", config, fault.CodeOf(err), err, want)
		}
	}
	source, err := newSource(`{"splits":2,` + fields + `}`)()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []connectors.Split{{ID: "2"}, {ID: "x"}, {ID: "0", Position: json.RawMessage(`[]`)}, {ID: "1", Position: json.RawMessage(`{"row":-1}`)}} {
		if _, err := source.Open(context.Background(), connectors.Job{}, []connectors.Split{s}); fault.CodeOf(err) != fault.State {
			t.Errorf("%v: got %v", s, err)
		}
	}
}

// BenchmarkRows is bound by the formatting of numbers and times.
func BenchmarkRows(b *testing.B) {
	r := open(b, "{"+fields+"}")
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		messages, err := r.Next(context.Background(), nil, 1)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(messages[0].Data)))
		n += 1024
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}

package file_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/csv"
	"github.com/wasmill/wasmill/connectors/codec/json"
	"github.com/wasmill/wasmill/connectors/codec/parquet"
	"github.com/wasmill/wasmill/connectors/file"
)

// tableBench is a lookup in a file of a folder of its own.
type tableBench struct {
	t      *testing.T
	dir    string
	format codec.Format
	schema *arrow.Schema
	log    logged
}

// logged keeps what is logged.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

var carriers = arrow.NewSchema([]arrow.Field{
	{Name: "code", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "since", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
}, nil)

func newTableBench(t *testing.T, format codec.Format) *tableBench {
	return &tableBench{t: t, dir: t.TempDir(), format: format, schema: carriers}
}

// write puts a file in the place of another at once.
func (b *tableBench) write(name, text string) {
	b.t.Helper()
	next := filepath.Join(b.dir, ".next")
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(b.dir, name)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tableBench) query(versionOf string) connectors.Query {
	q := connectors.Query{
		Key: arrow.NewSchema([]arrow.Field{{Name: "carrier", Type: arrow.BinaryTypes.String, Nullable: true}}, nil), Of: []string{"code"}, Schema: b.schema,
		NewDecoder: func() (codec.Decoder, error) {
			return b.format.NewDecoder(b.schema, nil, memory.DefaultAllocator, codec.Limits{})
		},
	}
	if versionOf != "" {
		q.Version, q.VersionOf = connectors.AsOf, versionOf
	}
	return q
}

func (b *tableBench) job() connectors.Job {
	return connectors.Job{Name: "job", Node: "names", Dir: b.dir, Rows: b.format.Rows, Cut: b.format.Cutter(nil), Log: slog.New(slog.NewTextHandler(&b.log, nil))}
}

func (b *tableBench) lookup(config string) connectors.Lookup {
	b.t.Helper()
	l, err := file.Connector().NewLookup([]byte(config))
	if err != nil {
		b.t.Fatal(err)
	}
	return l
}

func (b *tableBench) open(config, versionOf string) connectors.Table {
	b.t.Helper()
	l := b.lookup(config)
	if err := l.Check(b.query(versionOf)); err != nil {
		b.t.Fatal(err)
	}
	t, err := l.Open(context.Background(), b.job(), b.query(versionOf))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { t.Close() })
	return t
}

// ask returns the names of keys, "-" where there is none; "" asks for null.
func (b *tableBench) ask(t connectors.Table, keys []string, versions ...int64) []string {
	b.t.Helper()
	k := array.NewStringBuilder(memory.DefaultAllocator)
	for _, key := range keys {
		if key == "" {
			k.AppendNull()
		} else {
			k.Append(key)
		}
	}
	columns, fields := []arrow.Array{k.NewArray()}, []arrow.Field{{Name: "carrier", Type: arrow.BinaryTypes.String, Nullable: true}}
	if versions != nil {
		v := array.NewInt64Builder(memory.DefaultAllocator)
		v.AppendValues(versions, nil)
		columns, fields = append(columns, v.NewArray()), append(fields, arrow.Field{Name: "at", Type: arrow.PrimitiveTypes.Int64})
	}
	found, err := t.Find(context.Background(), array.NewRecord(arrow.NewSchema(fields, nil), columns, int64(len(keys))))
	if err != nil {
		b.t.Fatal(err)
	}
	got := make([]string, len(keys))
	for i, row := range found.Rows {
		got[i] = "-"
		if row >= 0 {
			got[i] = found.Record.Column(1).ValueStr(int(row))
		}
	}
	if last := int(found.Record.NumRows()) - 1; last < 0 || found.Record.Column(0).IsValid(last) {
		b.t.Error("the last row is not null")
	}
	return got
}

func (b *tableBench) expect(t connectors.Table, keys, want []string, versions ...int64) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.ask(t, keys, versions...)); diff != "" {
		b.t.Error(diff)
	}
}

func TestTableFormats(t *testing.T) {
	keys, want := []string{"AA", "", "ZZ", "DL", "AA"}, []string{"American", "-", "-", "Delta", "American"}
	ndjson := `{"code": "AA", "name": "Americna", "since": 1}` + "\n" + `{"code": "DL", "name": "Delta"}` + "\n" +
		`{"code": null, "name": "nobody"}` + "\n" + `{"code": "AA", "name": "American"}` + "\n" // the last row of a key counts
	t.Run("ndjson", func(t *testing.T) {
		b := newTableBench(t, json.Format())
		b.write("t.ndjson", ndjson)
		b.expect(b.open(`"t.ndjson"`, ""), keys, want)
	})
	t.Run("gzip", func(t *testing.T) {
		b := newTableBench(t, json.Format())
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		z.Write([]byte(ndjson))
		z.Close()
		b.write("t.ndjson.gz", packed.String())
		b.expect(b.open(`"t.ndjson.gz"`, ""), keys, want)
	})
	t.Run("csv", func(t *testing.T) {
		b := newTableBench(t, csv.Format())
		b.write("t.csv", "since,code,name\n1,AA,Americna\n,DL,Delta\n2,AA,American\n")
		b.expect(b.open(`"t.csv"`, ""), keys, want)
	})
	t.Run("parquet", func(t *testing.T) {
		b := newTableBench(t, parquet.Format())
		encoder, err := parquet.Format().NewEncoder(carriers, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows, _, err := array.RecordFromJSON(memory.DefaultAllocator, carriers, strings.NewReader(
			`[{"code": "AA", "name": "Americna"}, {"code": "DL", "name": "Delta"}, {"code": "AA", "name": "American"}]`))
		if err != nil {
			t.Fatal(err)
		}
		e := encoder.(codec.BatchEncoder)
		e.Reset()
		text, err := e.AppendFile(nil, rows)
		if err == nil {
			text, err = e.AppendFile(text, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		b.write("t.parquet", string(text))
		b.expect(b.open(`"t.parquet"`, ""), keys, want)
		sample, err := b.lookup(`"t.parquet"`).Sample(b.job(), true)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := parquet.Format().Infer(sample, nil); err != nil || !s.Equal(carriers) {
			t.Errorf("derived %v, %v", s, err)
		}
	})
	t.Run("empty", func(t *testing.T) {
		b := newTableBench(t, json.Format())
		b.write("t.ndjson", "")
		b.expect(b.open(`"t.ndjson"`, ""), []string{"AA"}, []string{"-"})
	})
	t.Run("large", func(t *testing.T) {
		b := newTableBench(t, json.Format())
		var text strings.Builder
		var keys, want []string
		for i := range 30_000 {
			fmt.Fprintf(&text, "{\"code\": \"c%d\", \"name\": \"n%d\"}\n", i, i)
			keys, want = append(keys, fmt.Sprint("c", i)), append(want, fmt.Sprint("n", i))
		}
		b.write("t.ndjson", text.String())
		b.expect(b.open(`"t.ndjson"`, ""), keys, want)
	})
}

func TestTableAsOf(t *testing.T) {
	b := newTableBench(t, csv.Format())
	b.write("t.csv", "code,name,since\nAA,third,30\nAA,first,10\nAA,second,20\nAA,again,20\nAA,never,\nDL,only,5\n")
	b.expect(b.open(`"t.csv"`, "since"), []string{"AA", "AA", "AA", "AA", "AA", "DL", "DL"}, []string{"-", "first", "first", "again", "third", "only", "-"},
		9, 10, 19, 29, 1000, 5, 4)
}

// eventually waits for a key's name.
func (b *tableBench) eventually(t connectors.Table, key, want string) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); b.ask(t, []string{key})[0] != want; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("%s is %v, want %s; log: %s", key, b.ask(t, []string{key}), want, &b.log)
		}
	}
}

func (b *tableBench) logged(text string) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(b.log.String(), text); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("not logged: %s\nlog: %s", text, &b.log)
		}
	}
}

// TestTableFollowsItsFile replaces, breaks and removes the file.
func TestTableFollowsItsFile(t *testing.T) {
	b := newTableBench(t, json.Format())
	b.write("t.ndjson", `{"code": "AA", "name": "one"}`)
	l := b.lookup(`{"path": "t.ndjson", "reload": "10ms"}`)
	var tables []connectors.Table
	for range 2 {
		table, err := l.Open(context.Background(), b.job(), b.query(""))
		if err != nil {
			t.Fatal(err)
		}
		tables = append(tables, table)
	}
	b.write("t.ndjson", `{"code": "AA", "name": "two"}`)
	b.eventually(tables[0], "AA", "two")
	b.expect(tables[1], []string{"AA"}, []string{"two"})
	b.write("t.ndjson", `{"code": "AA", "name": "bad"}`+"\n{\"code\": ]\n")
	b.logged("line 2 of the table")
	b.expect(tables[0], []string{"AA"}, []string{"two"})
	if err := tables[0].Close(); err != nil {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(b.dir, "t.ndjson")); err != nil {
		t.Fatal(err)
	}
	b.logged("there is no file")
	b.expect(tables[1], []string{"AA"}, []string{"two"})
	b.write("t.ndjson", `{"code": "AA", "name": "three"}`)
	b.eventually(tables[1], "AA", "three")
	if err := tables[1].Close(); err != nil {
		t.Error(err)
	}
	b.write("t.ndjson", `{"code": "AA", "name": "four"}`)
	again, err := l.Open(context.Background(), b.job(), b.query(""))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	b.expect(again, []string{"AA"}, []string{"four"})
}

func TestTableFaults(t *testing.T) {
	b := newTableBench(t, json.Format())
	b.write("carriers.ndjson", `{"code": "AA", "name": 1}`)
	path := filepath.Join(b.dir, "carriers.ndjson")
	for _, c := range []struct{ config, versionOf, want string }{
		{`"carrier.ndjson"`, "", "there is no file " + filepath.Join(b.dir, "carrier.ndjson") + " (did you mean `carriers.ndjson`?)"},
		{`"carriers.ndjson"`, "", path + ", line 1 of the table"},
		{`{"path": "carriers.ndjson", "memory": 1}`, "", path + ": the table takes more than 1 bytes (set `memory` to more)"},
	} {
		_, err := b.lookup(c.config).Open(context.Background(), b.job(), b.query(c.versionOf))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.config, err, c.want)
		}
	}
	q := b.query("sinc")
	q.Of = []string{"cod"}
	want := "key[0]: the table t has no column `cod` (did you mean `code`?)\nversion.of: the table t has no column `sinc` (did you mean `since`?)"
	if err := b.lookup(`"t"`).Check(q); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	q = b.query("name")
	q.Of = []string{"since"}
	want = "key[0]: the column `carrier` is utf8, and `since` of the table is int64 (declare both as the same type)\n" +
		"version.of: the column `name` of the table is utf8, expected a timestamp, a date32 or an int64"
	if err := b.lookup(`"t"`).Check(q); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

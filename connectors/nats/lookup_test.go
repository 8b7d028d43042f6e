package nats_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/go-cmp/cmp"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/json"
	"github.com/wasmill/wasmill/connectors/nats"
	"github.com/wasmill/wasmill/connectors/nats/natstest"
)

// features is what the bucket's entries hold.
var features = arrow.NewSchema([]arrow.Field{{Name: "score", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "model", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)

func (b *bench) bucket(cfg jetstream.KeyValueConfig) jetstream.KeyValue {
	b.t.Helper()
	kv, err := b.js.CreateKeyValue(b.ctx, cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	return kv
}

func (b *bench) put(kv jetstream.KeyValue, key, value string) uint64 {
	b.t.Helper()
	n, err := kv.Put(b.ctx, key, []byte(value))
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b *bench) table(config string, v connectors.Version) (connectors.Table, error) {
	b.t.Helper()
	l, err := nats.Buckets(func(context.Context) (*natsgo.Conn, error) { return b.nc, nil }).NewLookup([]byte(config))
	if err != nil {
		b.t.Fatal(err)
	}
	q := connectors.Query{
		Key: arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String, Nullable: true}}, nil), Of: []string{"id"}, Version: v, Schema: features,
		NewDecoder: func() (codec.Decoder, error) {
			return json.Format().NewDecoder(features, nil, memory.DefaultAllocator, codec.Limits{})
		},
	}
	if err := l.Check(q); err != nil {
		b.t.Fatal(err)
	}
	return l.Open(b.ctx, b.job, q)
}

func (b *bench) mustTable(config string, v connectors.Version) connectors.Table {
	b.t.Helper()
	t, err := b.table(config, v)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { t.Close() })
	return t
}

// ask looks keys up, "" for null, and returns the entries as text: "-" where there is none, and what is wrong with one.
func (b *bench) ask(t connectors.Table, keys []string, versions ...int64) []string {
	b.t.Helper()
	k := array.NewStringBuilder(memory.DefaultAllocator)
	defer k.Release()
	for _, key := range keys {
		if key == "" {
			k.AppendNull()
		} else {
			k.Append(key)
		}
	}
	columns := []arrow.Array{k.NewArray()}
	fields := []arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String, Nullable: true}}
	if len(versions) > 0 {
		v := array.NewInt64Builder(memory.DefaultAllocator)
		defer v.Release()
		v.AppendValues(versions, nil)
		columns, fields = append(columns, v.NewArray()), append(fields, arrow.Field{Name: "v", Type: arrow.PrimitiveTypes.Int64})
	}
	rec := array.NewRecord(arrow.NewSchema(fields, nil), columns, int64(len(keys)))
	defer rec.Release()
	found, err := t.Find(b.ctx, rec)
	if err != nil {
		b.t.Fatal(err)
	}
	var got []string
	for row, at := range found.Rows {
		switch bad := found.Bad[row]; {
		case bad != nil:
			got = append(got, bad.Error())
		case at < 0:
			got = append(got, "-")
		default:
			got = append(got, found.Record.Column(0).ValueStr(int(at))+" "+found.Record.Column(1).ValueStr(int(at)))
		}
	}
	if last := int(found.Record.NumRows()) - 1; last < 0 || found.Record.Column(0).IsValid(last) {
		b.t.Error("the last row is not null")
	}
	return got
}

func (b *bench) expect(t connectors.Table, keys, want []string, versions ...int64) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.ask(t, keys, versions...)); diff != "" {
		b.t.Error(diff)
	}
}

func TestLookupInABucket(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	kv := b.bucket(jetstream.KeyValueConfig{Bucket: "FEATURES"})
	b.put(kv, "user.a", `{"score": 1, "model": "m1"}`)
	b.put(kv, "user.b", `{"score": 2, "model": "m1"}`)
	b.put(kv, "user.gone", `{"score": 3, "model": "m1"}`)
	b.put(kv, "user.bad", `{"score": "x"}`)
	b.put(kv, "user.two", `{"score": 1} {"score": 2}`)
	if err := kv.Delete(b.ctx, "user.gone"); err != nil {
		t.Fatal(err)
	}
	keys := []string{"a", "b", "", "gone", "none", "a", "a b", "bad", "two", "c..d"}
	want := []string{"1 m1", "2 m1", "-", "-", "-", "1 m1", "-"}
	for _, config := range []string{`{"bucket": "FEATURES", "prefix": "user."}`, `{"bucket": "FEATURES", "prefix": "user.", "watch": true}`} {
		got := b.ask(b.mustTable(config, connectors.Newest), keys)
		if diff := cmp.Diff(want, got[:7]); diff != "" {
			t.Errorf("%s: %s", config, diff)
		}
		for i, part := range map[int]string{7: "key `user.bad`", 8: "key `user.two`"} {
			if !strings.Contains(got[i], "the bucket `FEATURES`, "+part) {
				t.Errorf("%s: got %s", config, got[i])
			}
		}
		if got[9] != "-" {
			t.Errorf("%s: got %s", config, got[9])
		}
	}
}

// TestLookupOfManyKeys asks for more at once than may be under way.
func TestLookupOfManyKeys(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	kv := b.bucket(jetstream.KeyValueConfig{Bucket: "B"})
	var keys, want []string
	for i := range 10_000 {
		keys, want = append(keys, fmt.Sprint(i)), append(want, "-")
		if i%10 == 0 {
			b.put(kv, fmt.Sprint(i), fmt.Sprintf(`{"score": %d, "model": "m"}`, i))
			want[i] = fmt.Sprint(i, " m")
		}
	}
	b.expect(b.mustTable(`"B"`, connectors.Newest), keys, want)
}

func TestLookupByVersion(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	kv := b.bucket(jetstream.KeyValueConfig{Bucket: "B", History: 10})
	pause := func() int64 {
		time.Sleep(5 * time.Millisecond)
		now := time.Now().UnixMilli()
		time.Sleep(5 * time.Millisecond)
		return now
	}
	t0 := pause()
	r1 := b.put(kv, "a", `{"score": 1}`)
	t1 := pause()
	other := b.put(kv, "b", `{"score": 9}`)
	r2 := b.put(kv, "a", `{"score": 2}`)
	t2 := pause()
	if err := kv.Delete(b.ctx, "a"); err != nil {
		t.Fatal(err)
	}
	t3 := pause()
	b.put(kv, "a", `{"score": 4}`)
	t4 := pause()
	asOf := b.mustTable(`"B"`, connectors.AsOf)
	b.expect(asOf, []string{"a", "a", "a", "a", "a", "b", "a"}, []string{"-", "1 (null)", "2 (null)", "-", "4 (null)", "9 (null)", "1 (null)"}, t0, t1, t2, t3, t4, t4, t1)
	exact := b.mustTable(`"B"`, connectors.Exact)
	b.expect(exact, []string{"a", "a", "b", "a", "a", "a"}, []string{"1 (null)", "2 (null)", "9 (null)", "-", "-", "-"},
		int64(r1), int64(r2), int64(other), int64(other), 0, 1000)
}

func TestLookupCache(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	kv := b.bucket(jetstream.KeyValueConfig{Bucket: "B"})
	b.put(kv, "a", `{"score": 1}`)
	long := b.mustTable(`{"bucket": "B", "cache": {"ttl": "1h", "entries": 2}}`, connectors.Newest)
	short := b.mustTable(`{"bucket": "B", "cache": {"ttl": "1ms"}}`, connectors.Newest)
	none := b.mustTable(`{"bucket": "B", "cache": {"ttl": "0s"}}`, connectors.Newest)
	for _, table := range []connectors.Table{long, short, none} {
		b.expect(table, []string{"a", "b"}, []string{"1 (null)", "-"})
	}
	b.put(kv, "a", `{"score": 2}`)
	b.put(kv, "b", `{"score": 3}`)
	time.Sleep(5 * time.Millisecond)
	b.expect(long, []string{"a", "b"}, []string{"1 (null)", "-"}) // that there was none is kept, too
	b.expect(short, []string{"a", "b"}, []string{"2 (null)", "3 (null)"})
	b.expect(none, []string{"a", "b"}, []string{"2 (null)", "3 (null)"})
	b.expect(long, []string{"x", "y"}, []string{"-", "-"}) // which takes the places of both
	b.expect(long, []string{"a", "b"}, []string{"2 (null)", "3 (null)"})
}

// TestLookupWatch sees what changes.
func TestLookupWatch(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	kv := b.bucket(jetstream.KeyValueConfig{Bucket: "B"})
	l, err := nats.Buckets(func(context.Context) (*natsgo.Conn, error) { return b.nc, nil }).NewLookup([]byte(`{"bucket": "B", "watch": true, "memory": 1000}`))
	if err != nil {
		t.Fatal(err)
	}
	q := connectors.Query{Key: arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}, nil), Of: []string{"id"}, Schema: features,
		NewDecoder: func() (codec.Decoder, error) {
			return json.Format().NewDecoder(features, nil, memory.DefaultAllocator, codec.Limits{})
		}}
	var tables []connectors.Table
	for range 2 {
		table, err := l.Open(b.ctx, b.job, q)
		if err != nil {
			t.Fatal(err)
		}
		defer table.Close()
		tables = append(tables, table)
	}
	b.expect(tables[0], []string{"a"}, []string{"-"})
	b.put(kv, "a", `{"score": 1}`)
	for b.ask(tables[1], []string{"a"})[0] == "-" {
		time.Sleep(time.Millisecond)
	}
	b.expect(tables[0], []string{"a"}, []string{"1 (null)"})
	if err := kv.Delete(b.ctx, "a"); err != nil {
		t.Fatal(err)
	}
	for b.ask(tables[1], []string{"a"})[0] != "-" {
		time.Sleep(time.Millisecond)
	}
	tables[0].Close()
	b.put(kv, "large", strings.Repeat(" ", 2000))
	rec := array.NewRecord(q.Key, []arrow.Array{array.MakeArrayOfNull(memory.DefaultAllocator, arrow.BinaryTypes.String, 1)}, 1)
	for err = nil; err == nil; time.Sleep(time.Millisecond) {
		_, err = tables[1].Find(b.ctx, rec)
	}
	if want := "the bucket `B` takes more than 1000 bytes (set `memory` to more, or leave `watch` out)"; err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// TestLookupSurvivesTheServer kills the server between lookups.
func TestLookupSurvivesTheServer(t *testing.T) {
	server := natstest.StartProcess(t)
	b := newBench(t, server.URL)
	kv := b.bucket(jetstream.KeyValueConfig{Bucket: "B"})
	b.put(kv, "a", `{"score": 1}`)
	read := b.mustTable(`{"bucket": "B", "cache": {"ttl": "0s"}}`, connectors.Newest)
	watched := b.mustTable(`{"bucket": "B", "watch": true}`, connectors.Newest)
	for range 2 {
		b.expect(read, []string{"a"}, []string{"1 (null)"})
		server.Kill()
		b.expect(watched, []string{"a"}, []string{"1 (null)"}) // what was there last
		back := make(chan struct{})
		go func() {
			time.Sleep(300 * time.Millisecond)
			server.Start(t)
			close(back)
		}()
		b.expect(read, []string{"a", "b"}, []string{"1 (null)", "-"})
		<-back
	}
	b.put(kv, "b", `{"score": 2}`)
	for b.ask(watched, []string{"b"})[0] == "-" {
		time.Sleep(10 * time.Millisecond)
	}
}

func TestLookupFaults(t *testing.T) {
	b := newBench(t, natstest.Start(t).URL())
	b.bucket(jetstream.KeyValueConfig{Bucket: "FEATURES"})
	if _, err := b.table(`"FEATURE"`, connectors.Newest); err == nil || err.Error() != "there is no bucket `FEATURE` (did you mean `FEATURES`?)" {
		t.Errorf("got %v", err)
	}
	table := b.mustTable(`{"bucket": "FEATURES", "wait": "100ms"}`, connectors.Newest)
	if err := b.js.DeleteKeyValue(b.ctx, "FEATURES"); err != nil {
		t.Fatal(err)
	}
	rec := array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.BinaryTypes.String}}, nil), []arrow.Array{texts("a")}, 1)
	if _, err := table.Find(b.ctx, rec); err == nil || err.Error() != "the bucket `FEATURES`, key `a`: nobody answers for the stream `KV_FEATURES`" {
		t.Errorf("got %v", err)
	}
	b.stream(jetstream.StreamConfig{Name: "KV_OLD", Subjects: []string{"$KV.OLD.>"}, MaxMsgsPerSubject: 1}) // as clients once made buckets
	want := "the bucket `OLD` does not allow direct reads (allow them, `nats stream edit KV_OLD --allow-direct`, or set `watch: true`)"
	if _, err := b.table(`"OLD"`, connectors.Newest); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	b.expect(b.mustTable(`{"bucket": "OLD", "watch": true}`, connectors.Newest), []string{"a"}, []string{"-"})
	for config, want := range map[string]string{
		`"a b"`:                           "bucket: `a b` cannot be a bucket (buckets are named with letters, digits, - and _)",
		`{"bucket": "a", "prefix": ".."}`: "prefix: no key begins with `..` (keys have letters, digits and - / _ = .)",
		`{}`:                              "`bucket` is missing",
	} {
		if _, err := nats.Buckets(nil).NewLookup([]byte(config)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v", config, err)
		}
	}
}

func texts(values ...string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(values, nil)
	return b.NewArray()
}

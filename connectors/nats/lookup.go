package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/stream"
)

// Buckets returns the connector `kv`, for lookups only.
func Buckets(dial Dial) connectors.Connector {
	return connectors.Connector{
		Name: "kv",
		Doc:  "Entries of a NATS key-value bucket.",
		NewLookup: func(raw json.RawMessage) (connectors.Lookup, error) {
			c, err := parseBucket(raw)
			if err != nil {
				return nil, err
			}
			return &Bucket{config: c, dial: dial}, nil
		},
	}
}

type bucketConfig struct {
	// Bucket is its name.
	Bucket string `json:"bucket" config:"required,main"`
	// Prefix stands before each key, as it is.
	Prefix string `json:"prefix"`
	// Watch keeps all entries at hand, and follows what changes.
	Watch bool `json:"watch"`
	// Memory is the most bytes of keys and values at hand when watched.
	Memory config.Bytes `json:"memory"`
	Cache  cacheConfig  `json:"cache"`
	// Wait is how long a server that is away is waited for.
	Wait config.Duration `json:"wait"`
}

// cacheConfig bounds what is kept of what was read: for how long, and how many entries.
type cacheConfig struct {
	TTL     config.Duration `json:"ttl"`
	Entries int             `json:"entries"`
}

var bucketName = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

func parseBucket(raw json.RawMessage) (bucketConfig, error) {
	c := bucketConfig{Memory: 256 << 20, Cache: cacheConfig{TTL: config.Duration(5 * time.Second), Entries: 100_000}, Wait: config.Duration(patience)}
	if err := config.Decode(raw, &c); err != nil {
		return c, err
	}
	var faults fault.List
	if !bucketName.MatchString(c.Bucket) {
		faults.Add(fault.Usage, "bucket", "`%s` cannot be a bucket", c.Bucket).Hint = "buckets are named with letters, digits, - and _"
	}
	if c.Prefix != "" && !validKey(c.Prefix+"x") {
		faults.Add(fault.Usage, "prefix", "no key begins with `%s`", c.Prefix).Hint = "keys have letters, digits and - / _ = ."
	}
	if c.Cache.Entries < 0 || c.Cache.Entries > 100_000_000 {
		faults.Add(fault.Usage, "cache.entries", "expected up to 100000000, got %d", c.Cache.Entries)
	}
	return c, faults.Err()
}

// Bucket is a key-value bucket as a table. All tasks of a step share what is watched.
type Bucket struct {
	config bucketConfig
	dial   Dial

	mu      sync.Mutex
	watched *watched // guarded by mu; nil when no task has the bucket open
}

var _ connectors.Lookup = (*Bucket)(nil)

// DefaultFormat implements [connectors.Lookup].
func (*Bucket) DefaultFormat() string { return "json" }

// Sample implements [connectors.Lookup]: a bucket's columns have to be declared.
func (*Bucket) Sample(connectors.Job, bool) ([]byte, error) { return nil, nil }

// Check implements [connectors.Lookup].
func (b *Bucket) Check(q connectors.Query) error {
	var faults fault.List
	for i, f := range q.Key.Fields() {
		where := fmt.Sprintf("key[%d]", i)
		switch f.Type.ID() {
		case arrow.STRING, arrow.LARGE_STRING, arrow.BOOL, arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		default:
			faults.Add(fault.Schema, where, "the column `%s` of type %s cannot be in a bucket's keys", f.Name, schema.Format(f.Type)).Hint = "use utf8, integers or bool"
		}
		if q.Of[i] != f.Name {
			faults.Add(fault.Schema, where, "a bucket has no column `%s` for `%s`", q.Of[i], f.Name).Hint = "list the columns whose values make the key: `key: [a, b]` is the key `A.B`"
		}
	}
	if q.VersionOf != "" {
		faults.Add(fault.Schema, "version.of", "a bucket keeps the times of its entries itself").Hint = "leave `of` out"
	}
	if q.Version != connectors.Newest && b.config.Watch {
		faults.Add(fault.Schema, "version", "a bucket that is watched has the newest entries alone").Hint = "leave `watch` out"
	}
	return faults.Err()
}

// Open implements [connectors.Lookup]. A bucket that is not there is a fault of code Usage that names those that are.
func (b *Bucket) Open(ctx context.Context, job connectors.Job, q connectors.Query) (connectors.Table, error) {
	nc, err := b.dial(ctx)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fault.New(fault.Internal, "JetStream: %v", err)
	}
	kv, err := patiently(ctx, nc, func() (jetstream.KeyValue, error) { return b.find(ctx, js) })
	if err != nil {
		return nil, err
	}
	log := job.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t := &bucketTable{of: b, query: q, log: log.With("node", job.Node, "bucket", b.config.Bucket), prefix: "$KV." + b.config.Bucket + ".", cache: make(map[string]cached)}
	if b.config.Watch {
		t.watched, err = b.watch(ctx, nc, kv)
		return t, err
	}
	if t.getter, err = newGetter(nc, "KV_"+b.config.Bucket); err != nil {
		return nil, err
	}
	return t, nil
}

func (b *Bucket) find(ctx context.Context, js jetstream.JetStream) (jetstream.KeyValue, error) {
	name := b.config.Bucket
	call, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	kv, err := js.KeyValue(call, name)
	if err == nil {
		var info *jetstream.StreamInfo
		if info, err = streamInfo(ctx, js, "KV_"+name); err == nil && !info.Config.AllowDirect && !b.config.Watch {
			return nil, fault.New(fault.Usage, "the bucket `%s` does not allow direct reads", name).
				WithHint("allow them, `nats stream edit KV_%s --allow-direct`, or set `watch: true`", name)
		}
		return kv, err
	}
	if !errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, apiFault(ctx, fmt.Sprintf("the bucket `%s` cannot be looked up", name), err)
	}
	f := fault.New(fault.Usage, "there is no bucket `%s`", name)
	f.Cause = err
	var names []string
	for n := range js.KeyValueStoreNames(call).Name() {
		names = append(names, n)
	}
	if f.Hint = fault.DidYouMean(name, names); f.Hint == "" {
		f.Hint = "make it with `nats kv add " + name + "`"
	}
	return nil, f
}

// bucketTable is a task's view of a bucket.
type bucketTable struct {
	of      *Bucket
	query   connectors.Query
	log     *slog.Logger
	prefix  string // of subjects
	getter  *getter
	watched *watched
	cache   map[string]cached
	oldest  []string // the keys of cache in the order in which they came
	record  arrow.Record
	closed  bool
}

// cached is what was read: a value, or that there is none.
type cached struct {
	value []byte
	some  bool
	until time.Time // zero: for ever
}

// Name implements [connectors.Table].
func (t *bucketTable) Name() string { return fmt.Sprintf("the bucket `%s`", t.of.config.Bucket) }

// Find implements [connectors.Table].
func (t *bucketTable) Find(ctx context.Context, keys arrow.Record) (connectors.Found, error) {
	found := connectors.Found{Rows: make([]int32, keys.NumRows()), Bad: make(map[int]*fault.Fault)}
	wanted, of := t.wanted(keys)
	values := make([]cached, len(wanted))
	if t.watched != nil {
		if err := t.watched.get(wanted, values); err != nil {
			return found, err
		}
	} else if err := t.read(ctx, wanted, values); err != nil {
		return found, err
	}
	rows, bad, err := t.decode(wanted, values)
	if err != nil {
		return found, err
	}
	for row, w := range of {
		found.Rows[row] = -1
		if w < 0 {
			continue
		}
		found.Rows[row] = rows[w]
		if f := bad[w]; f != nil {
			found.Bad[row] = f
		}
	}
	found.Record = t.record
	return found, nil
}

// want is an entry that is asked for: a key, and perhaps a time in ms or a revision.
type want struct {
	key     string
	version int64
}

// wanted returns the entries that rows ask for, each once, and which of them each row asks for: -1 where a row cannot have any.
func (t *bucketTable) wanted(keys arrow.Record) (wanted []want, of []int) {
	columns, versions := keys.Columns(), []int64(nil)
	if t.query.Version != connectors.Newest {
		last := len(columns) - 1
		versions = versionsOf(columns[last])
		columns = columns[:last]
	}
	seen := make(map[want]int)
	of = make([]int, keys.NumRows())
	var text []byte
	for row := range of {
		of[row] = -1
		var w want
		ok := true
		if versions != nil {
			w.version, ok = versions[row], versions[row] != noVersion
		}
		text = append(text[:0], t.of.config.Prefix...)
		for i, c := range columns {
			if i > 0 {
				text = append(text, '.')
			}
			ok = ok && c.IsValid(row)
			if ok {
				text = appendKey(text, c, row)
			}
		}
		if !ok || !validKey(string(text)) {
			continue
		}
		w.key = string(text)
		at, known := seen[w]
		if !known {
			at = len(wanted)
			seen[w], wanted = at, append(wanted, w)
		}
		of[row] = at
	}
	return wanted, of
}

// noVersion stands for null.
const noVersion = stream.NoTime

// versionsOf returns revisions, or times in ms.
func versionsOf(column arrow.Array) []int64 {
	if c, is := column.(*array.Uint64); is {
		all := make([]int64, c.Len())
		for i := range all {
			if all[i] = int64(c.Value(i)); c.IsNull(i) {
				all[i] = noVersion
			}
		}
		return all
	}
	times, err := stream.EventTimes(column)
	if err != nil {
		panic(err) // the plan has checked the type
	}
	return times
}

func appendKey(dst []byte, column arrow.Array, row int) []byte {
	switch c := column.(type) {
	case *array.String:
		return append(dst, c.Value(row)...)
	case *array.LargeString:
		return append(dst, c.Value(row)...)
	case *array.Int64:
		return strconv.AppendInt(dst, c.Value(row), 10)
	}
	return append(dst, column.ValueStr(row)...)
}

// validKey says whether a bucket can have a key.
func validKey(key string) bool {
	if key == "" || key[0] == '.' || key[len(key)-1] == '.' || strings.Contains(key, "..") {
		return false
	}
	for i := range len(key) {
		switch c := key[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '/', c == '_', c == '=', c == '.':
		default:
			return false
		}
	}
	return true
}

// read fills in the values of what is wanted, from the cache and else from the server, all at once.
func (t *bucketTable) read(ctx context.Context, wanted []want, values []cached) error {
	now := time.Now()
	var missing []want
	var places []int
	for i, w := range wanted {
		c, ok := t.cache[t.cacheKey(w)]
		if ok && (c.until.IsZero() || now.Before(c.until)) {
			values[i] = c
			continue
		}
		missing, places = append(missing, w), append(places, i)
	}
	if len(missing) == 0 {
		return nil
	}
	read, err := t.ask(ctx, missing)
	if err != nil {
		return err
	}
	ttl := time.Duration(t.of.config.Cache.TTL)
	for i, c := range read {
		values[places[i]] = c
		if ttl <= 0 {
			continue
		}
		c.until = now.Add(ttl)
		if t.query.Version == connectors.Exact && c.some {
			c.until = time.Time{} // a revision does not change
		}
		t.keep(t.cacheKey(missing[i]), c)
	}
	return nil
}

func (t *bucketTable) cacheKey(w want) string {
	if t.query.Version == connectors.Newest {
		return w.key
	}
	return w.key + "\x00" + strconv.FormatInt(w.version, 36)
}

// keep puts an entry into the cache; the one that came first goes where there are too many.
func (t *bucketTable) keep(key string, c cached) {
	most := t.of.config.Cache.Entries
	if most == 0 {
		return
	}
	if _, known := t.cache[key]; !known {
		if len(t.cache) >= most {
			delete(t.cache, t.oldest[0])
			t.oldest = t.oldest[1:]
		}
		t.oldest = append(t.oldest, key)
	}
	t.cache[key] = c
}

// ask reads entries from the server, which is waited for when it is away.
func (t *bucketTable) ask(ctx context.Context, wanted []want) ([]cached, error) {
	requests := make([]request, len(wanted))
	for i, w := range wanted {
		requests[i] = t.request(w)
	}
	deadline, pause, told := time.Now().Add(time.Duration(t.of.config.Wait)), 50*time.Millisecond, false
	for {
		values, err := t.getter.get(ctx, requests)
		if err == nil {
			if told {
				t.log.Info("the bucket answers again")
			}
			return values, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !transient(err) || time.Now().Add(pause).After(deadline) {
			return nil, fault.From(err).In("the bucket `%s`, key `%s`", t.of.config.Bucket, wanted[0].key)
		}
		if !told {
			t.log.Warn("the bucket does not answer, trying on", "error", err)
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
			pause = min(2*pause, time.Second)
		}
	}
}

func (t *bucketTable) request(w want) request {
	subject := t.prefix + w.key
	switch t.query.Version {
	case connectors.Exact:
		if w.version <= 0 {
			return request{subject: subject}
		}
		return request{subject: subject, body: fmt.Appendf(nil, `{"seq":%d}`, w.version)}
	case connectors.AsOf:
		// The server leaves out what came at the time or behind it; a row's time is its millisecond to the end.
		until := time.UnixMilli(w.version + 1).UTC().Format(time.RFC3339Nano)
		body, err := json.Marshal(map[string]any{"multi_last": []string{subject}, "up_to_time": until})
		if err != nil {
			panic(err) // strings are JSON
		}
		return request{subject: subject, body: body, ends: true}
	}
	return request{subject: subject, last: true}
}

// decode builds the record of the values, and returns the row of each, -1 for none, and why one cannot be used.
func (t *bucketTable) decode(wanted []want, values []cached) (rows []int32, bad map[int]*fault.Fault, err error) {
	d, err := t.query.NewDecoder()
	if err != nil {
		return nil, nil, err
	}
	defer d.Close()
	rows, bad = make([]int32, len(values)), make(map[int]*fault.Fault)
	var records []arrow.Record
	defer func() {
		for _, r := range records {
			r.Release()
		}
	}()
	done := 0
	end := func() {
		if r := d.Record(); r != nil {
			done += int(r.NumRows())
			records = append(records, r)
		}
	}
	for i, v := range values {
		rows[i] = -1
		if !v.some {
			continue
		}
		if d.Rows() >= 4096 {
			end()
		}
		before, first := done+d.Rows(), (*fault.Fault)(nil)
		for data := v.value; ; {
			n, err := d.Append(data, func(b *codec.BadRecord) error {
				if first == nil {
					first = b.Fault
				}
				return nil
			})
			if err != nil {
				return nil, nil, err
			}
			if data = data[n:]; len(data) == 0 {
				break
			}
			end()
		}
		got := done + d.Rows() - before
		if first == nil && got != 1 {
			first = fault.New(fault.Decode, "expected one record, got %d", got)
		}
		if first != nil {
			bad[i] = first.In("the bucket `%s`, key `%s`", t.of.config.Bucket, wanted[i].key)
			continue
		}
		rows[i] = int32(before)
	}
	end()
	if t.record != nil {
		t.record.Release()
	}
	t.record, err = connectors.WithNulls(t.query.Schema, records)
	return rows, bad, err
}

// Close implements [connectors.Table].
func (t *bucketTable) Close() error {
	if t.closed {
		return nil
	}
	t.closed = true
	if t.record != nil {
		t.record.Release()
	}
	if t.getter != nil {
		return t.getter.close()
	}
	if t.watched != nil {
		t.of.unwatch()
	}
	return nil
}

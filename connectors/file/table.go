package file

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/util"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/config"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/stream"
)

type tableConfig struct {
	// Path is the file.
	Path string `json:"path" config:"required,main"`
	// Reload is how often the file is looked at, and loaded anew when it has changed.
	Reload config.Duration `json:"reload"`
	// Memory is the most that the table takes.
	Memory config.Bytes `json:"memory"`
}

const (
	defaultReload = 5 * time.Second
	defaultMemory = 256 << 20
	// sampleBytes is how much of a file's beginning its columns are derived from.
	sampleBytes = 1 << 20
)

func newLookup(raw json.RawMessage) (connectors.Lookup, error) {
	l := &lookup{config: tableConfig{Reload: config.Duration(defaultReload), Memory: defaultMemory}}
	if err := config.Decode(raw, &l.config); err != nil {
		return nil, err
	}
	var faults fault.List
	if l.config.Path == "" {
		faults.Add(fault.Usage, "path", "there is no path")
	}
	if l.config.Reload < config.Duration(10*time.Millisecond) {
		faults.Add(fault.Usage, "reload", "expected 10ms or more, got %v", time.Duration(l.config.Reload))
	}
	return l, faults.Err()
}

// DefaultFormat implements [connectors.Lookup].
func (l *lookup) DefaultFormat() string { return formatOf(l.config.Path) }

// Sample implements [connectors.Lookup].
func (l *lookup) Sample(job connectors.Job, end bool) ([]byte, error) {
	path := in(job.Dir, l.config.Path)
	if err := readable(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	var from io.Reader = f
	switch info, err := f.Stat(); {
	case err != nil:
		return nil, unreadable(path, err)
	case end:
		n := min(info.Size(), codec.IndexBytes)
		sample := make([]byte, n)
		if _, err := f.ReadAt(sample, info.Size()-n); err != nil {
			return nil, unreadable(path, err)
		}
		return sample, nil
	case isCompressed(path):
		if from, err = gzip.NewReader(f); err != nil {
			return nil, fault.New(fault.Decode, "%s is not compressed with gzip: %v", path, err)
		}
	}
	sample, err := io.ReadAll(io.LimitReader(from, sampleBytes+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	if len(sample) > sampleBytes && job.Cut != nil {
		sample = sample[:job.Cut(sample[:sampleBytes])]
	}
	return sample, nil
}

func unreadable(path string, err error) error {
	return fault.New(fault.Connect, "%s cannot be read: %v", path, unwrapPath(err))
}

// Check implements [connectors.Lookup].
func (l *lookup) Check(q connectors.Query) error {
	var faults fault.List
	names := make([]string, len(q.Schema.Fields()))
	for i, f := range q.Schema.Fields() {
		names[i] = f.Name
	}
	column := func(where, name string) *arrow.Field {
		if at := q.Schema.FieldIndices(name); len(at) > 0 {
			return &q.Schema.Fields()[at[0]]
		}
		faults.Add(fault.Schema, where, "the table %s has no column `%s`", l.config.Path, name).Hint = fault.DidYouMean(name, names)
		return nil
	}
	for i, of := range q.Of {
		where, row := fmt.Sprintf("key[%d]", i), q.Key.Field(i)
		if f := column(where, of); f != nil && !arrow.TypeEqual(f.Type, row.Type) {
			faults.Add(fault.Schema, where, "the column `%s` is %s, and `%s` of the table is %s", row.Name, schema.Format(row.Type), of, schema.Format(f.Type)).
				Hint = "declare both as the same type"
		}
	}
	switch {
	case q.Version == connectors.Exact:
		faults.Add(fault.Schema, "version.revision", "the rows of a file have no revisions").Hint =
			"put the column that tells versions apart into `key`, or write `version: {at: COLUMN, of: COLUMN OF THE TABLE}`"
	case q.Version == connectors.AsOf && q.VersionOf == "":
		faults.Add(fault.Schema, "version", "the version does not say which column of the table it is compared with").Hint = "add `of: COLUMN`"
	case q.Version == connectors.AsOf:
		if f := column("version.of", q.VersionOf); f != nil {
			switch f.Type.ID() {
			case arrow.INT64, arrow.TIMESTAMP, arrow.DATE32:
			default:
				faults.Add(fault.Schema, "version.of", "the column `%s` of the table is %s, expected a timestamp, a date32 or an int64", q.VersionOf, schema.Format(f.Type))
			}
		}
	}
	return faults.Err()
}

// snapshot is a table as it was loaded. It does not change.
type snapshot struct {
	info   os.FileInfo
	record arrow.Record
	// index holds the rows of each key, by version where there is one; else the last one.
	index    map[string][]int32
	versions []int64 // of all rows, for AsOf
}

// load reads a file. When it is changed meanwhile it is read again.
func (l *lookup) load(path string, job connectors.Job, q connectors.Query) (*snapshot, error) {
	for range 3 {
		if err := readable(path); err != nil {
			return nil, err
		}
		s, err := l.read(path, job, q)
		after, statErr := os.Stat(path)
		if err == nil && statErr == nil && same(s.info, after) {
			return s, nil
		}
		if err != nil && (s == nil || statErr == nil && same(s.info, after)) {
			return nil, err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, fault.New(fault.Connect, "%s changes while it is read", path).WithHint("write another file, and rename it to this one when it is whole")
}

func same(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// read reads a file once. With an error it returns at most the file's info.
func (l *lookup) read(path string, job connectors.Job, q connectors.Query) (*snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	s := &snapshot{}
	if s.info, err = f.Stat(); err != nil {
		return nil, unreadable(path, err)
	}
	records, err := l.decode(f, s.info.Size(), job, q)
	defer func() {
		for _, r := range records {
			r.Release()
		}
	}()
	if err == nil {
		s.record, err = connectors.WithNulls(q.Schema, records)
	}
	if err == nil {
		err = s.order(q)
	}
	if err != nil {
		var known *fault.Fault
		if errors.As(err, &known) {
			return s, known.In("%s", path)
		}
		return s, unreadable(path, err)
	}
	return s, nil
}

// decode returns the rows of a file.
func (l *lookup) decode(f *os.File, size int64, job connectors.Job, q connectors.Query) (records []arrow.Record, err error) {
	d, err := q.NewDecoder()
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var data []byte
	if by, is := d.(codec.FileDecoder); is && job.Rows != nil {
		n, err := job.Rows(f, size)
		if err != nil {
			return nil, err
		}
		if n > int64(l.config.Memory) {
			return nil, l.tooLarge()
		}
		if err := by.StartFile(f, size); err != nil {
			return nil, err
		}
		data = codec.RowNumbers(nil, 0, int(n))
	} else if data, err = l.bytes(f); err != nil {
		return nil, err
	} else if by, is := d.(codec.InputDecoder); is {
		if err := by.StartInput(nil); err != nil {
			return nil, err
		}
	}
	bad := func(b *codec.BadRecord) error {
		return b.Fault.In("line %d of the table", b.Line+1)
	}
	taken, line := int64(0), 0
	for len(data) > 0 {
		n, err := d.Append(data, func(b *codec.BadRecord) error {
			b.Line += line
			return bad(b)
		})
		if err != nil {
			return records, err
		}
		line += bytes.Count(data[:n], []byte("\n"))
		data = data[n:]
		r := d.Record()
		if r == nil && n == 0 {
			return records, fault.New(fault.Decode, "%d bytes at its end are no record", len(data))
		}
		if r == nil {
			continue
		}
		records = append(records, r)
		if taken += util.TotalRecordSize(r); taken > int64(l.config.Memory) {
			return records, l.tooLarge()
		}
	}
	return records, nil
}

func (l *lookup) bytes(f *os.File) ([]byte, error) {
	var from io.Reader = f
	if isCompressed(l.config.Path) {
		var err error
		if from, err = gzip.NewReader(f); err != nil {
			return nil, fault.New(fault.Decode, "it is not compressed with gzip: %v", err)
		}
	}
	data, err := io.ReadAll(io.LimitReader(from, int64(4*l.config.Memory)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > 4*int(l.config.Memory) {
		return nil, l.tooLarge()
	}
	return data, nil
}

func (l *lookup) tooLarge() error {
	return fault.New(fault.Limit, "the table takes more than %d bytes", l.config.Memory).WithHint("set `memory` to more")
}

// order makes the index. A key or a version that is null is never found.
func (s *snapshot) order(q connectors.Query) error {
	rows := int(s.record.NumRows()) - 1
	encoder, err := stream.NewKeyEncoder(q.Schema, q.Of)
	if err != nil {
		return err
	}
	encoder.Bind(s.record)
	if q.Version == connectors.AsOf {
		if s.versions, err = stream.EventTimes(s.record.Column(q.Schema.FieldIndices(q.VersionOf)[0])); err != nil {
			return err
		}
	}
	keys := make([]arrow.Array, len(q.Of))
	for i, of := range q.Of {
		keys[i] = s.record.Column(q.Schema.FieldIndices(of)[0])
	}
	s.index = make(map[string][]int32, rows)
	var key []byte
	for row := range rows {
		if !valid(keys, row) || s.versions != nil && s.versions[row] == stream.NoTime {
			continue
		}
		key = encoder.AppendKey(key[:0], row)
		list := s.index[string(key)]
		if s.versions == nil {
			list = list[:0]
		}
		s.index[string(key)] = append(list, int32(row))
	}
	if s.versions != nil {
		for _, list := range s.index {
			sort.SliceStable(list, func(i, j int) bool { return s.versions[list[i]] < s.versions[list[j]] })
		}
	}
	return nil
}

func valid(columns []arrow.Array, row int) bool {
	for _, c := range columns {
		if c.IsNull(row) {
			return false
		}
	}
	return true
}

// find looks rows up.
func (s *snapshot) find(encoder *stream.KeyEncoder, keys arrow.Record, versioned bool) (connectors.Found, error) {
	found := connectors.Found{Record: s.record, Rows: make([]int32, keys.NumRows())}
	columns := keys.Columns()
	var versions []int64
	if versioned {
		var err error
		if versions, err = stream.EventTimes(columns[len(columns)-1]); err != nil {
			return found, err
		}
	}
	encoder.Bind(keys)
	var key []byte
	for row := range found.Rows {
		found.Rows[row] = -1
		if !valid(columns, row) {
			continue
		}
		key = encoder.AppendKey(key[:0], row)
		list := s.index[string(key)]
		at := len(list)
		if versioned { // behind the last that is not newer
			at = sort.Search(len(list), func(i int) bool { return s.versions[list[i]] > versions[row] })
		}
		if at > 0 {
			found.Rows[row] = list[at-1]
		}
	}
	return found, nil
}

package script

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/avro"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// rolling writes files that end when a policy says so: base/bucket/prefix-SUBTASK-NUMBERsuffix. Until then a file is hidden, under a name with a
// dot before it and .inprogress behind; a commit knows how long it is. It comes into sight whole, just behind the commit that it is part of.
type rolling struct {
	spec   *Sink
	index  int
	dir    string // what relative paths are relative to
	key    string // of the position
	zone   *time.Location
	keeps  bool                // there may be an attempt that goes on from a commit
	kept   map[string][]string // of the attempt
	next   int                 // number of the next file
	encode encoding
	open   *part // nil where there is none
	buffer []byte
	due    atomic.Int64 // when time says that the open file ends, in ms since 1970; 0: never

	mu      sync.Mutex
	waiting []*part // guarded by mu: files that have ended, which a commit brings into sight
}

// part is a file that is not in sight yet.
type part struct {
	path             string // where it comes into sight, maybe relative
	file             *os.File
	length           int64 // bytes in the file
	created, changed time.Time
	known            bool // a commit may know of it; guarded by the mu of its writer
}

// Roll says when a file of lines ends, beside a change of its folder: behind so many bytes, after a time, and after a time in which nothing came.
type Roll struct {
	Size         int64 `json:"size"`
	RolloverMS   int64 `json:"rollover_ms"`
	InactivityMS int64 `json:"inactivity_ms"`
}

// rolled is the position of a rolling sink. Version 1 of its JSON.
type rolled struct {
	Next int       `json:"next"`
	Open *openPart `json:"open,omitempty"`
	// Done are files that come into sight behind the commit.
	Done []string `json:"done,omitempty"`
}

// openPart is a file that goes on behind a commit.
type openPart struct {
	Path    string `json:"path"`
	Length  int64  `json:"length"`
	Created int64  `json:"created"` // ms since 1970
}

// encoding makes a file of what a subtask hands over.
type encoding interface {
	// begin appends what the file begins with.
	begin(dst []byte) []byte
	add(dst []byte, r *row) ([]byte, error)
	// end appends what the file ends with.
	end(dst []byte) ([]byte, error)
}

// rollBytes is how many bytes are gathered before they are written.
const rollBytes = 1 << 20

// openRolling makes the writer of a sink in one subtask. What a commit knows of its files is put right: those that have ended come into sight, the
// open one is cut back.
func (a *attempt) openRolling(spec *Sink, index int) (*rolling, error) {
	w := &rolling{spec: spec, index: index, dir: a.options.Dir, key: a.positionKey(spec.UID, fmt.Sprint(index)), zone: time.Local, keeps: a.keeps, kept: a.kept}
	if err := w.format(a.options.Formats); err != nil {
		return nil, err
	}
	if spec.Zone != "" {
		zone, err := time.LoadLocation(spec.Zone)
		if err != nil {
			return nil, fault.New(fault.Usage, "there is no time zone %q", spec.Zone).At("%s", spec.Name)
		}
		w.zone = zone
	}
	if _, err := w.partPath(0, time.Now()); err != nil {
		return nil, err
	}
	var at rolled
	p := a.last.Positions[w.key]
	if p == nil {
		w.forget(at)
		return w, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(p))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&at); err != nil || at.Next < 0 || at.Open != nil && at.Open.Length < 0 {
		return nil, fault.New(fault.State, "the position of the sink cannot be read: %.100s", p).At("%s", spec.Name).WithHint("start with --fresh")
	}
	w.next = at.Next
	w.forget(at)
	return w, w.restore(at)
}

// forget removes files that an attempt before has kept, and that the commit knows nothing of.
func (w *rolling) forget(at rolled) {
	for _, path := range w.kept[w.key] {
		if (at.Open == nil || at.Open.Path != path) && !slices.Contains(at.Done, path) {
			os.Remove(hidden(w.at(path))) // it is hidden, at worst it stays
		}
	}
	delete(w.kept, w.key)
}

// restore brings files to where they were behind a commit.
func (w *rolling) restore(at rolled) error {
	for _, path := range at.Done {
		if err := w.show(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // most are in sight by now
			return w.fault(path, err)
		}
	}
	if at.Open == nil {
		return nil
	}
	path := w.at(at.Open.Path)
	file, err := os.OpenFile(hidden(path), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if info, e := os.Stat(path); e == nil && info.Size() == at.Open.Length {
			return nil // it was ended when there were fewer subtasks
		}
		return fault.New(fault.State, "%s is not there, and had %d bytes at the last commit", hidden(path), at.Open.Length).At("%s", w.spec.Name).
			WithHint("--fresh starts from the beginning")
	}
	if err != nil {
		return w.fault(at.Open.Path, err)
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil && size < at.Open.Length {
		file.Close() // it was only looked at
		return fault.New(fault.State, "%s has %d bytes, and had %d at the last commit: it was shortened or replaced", hidden(path), size, at.Open.Length).
			At("%s", w.spec.Name).WithHint("--fresh starts from the beginning")
	}
	if err == nil {
		err = file.Truncate(at.Open.Length)
	}
	if err == nil {
		_, err = file.Seek(at.Open.Length, io.SeekStart)
	}
	if err != nil {
		file.Close() // what went wrong before is told
		return w.fault(at.Open.Path, err)
	}
	w.open = &part{path: at.Open.Path, file: file, length: at.Open.Length, created: time.UnixMilli(at.Open.Created), changed: time.Now(), known: true}
	w.schedule()
	return nil
}

// format makes what encodes the files.
func (w *rolling) format(formats map[string]codec.Format) error {
	spec := w.spec
	switch spec.Format {
	case "lines":
		w.encode = plainLines{}
	case "avro":
		w.encode = &blocks{schema: []byte(spec.Schema)}
	case "parquet":
		var columns [][2]string
		if err := json.Unmarshal(spec.Columns, &columns); err != nil || len(columns) == 0 {
			return fault.New(fault.Guest, "the columns of the sink are not names and types").At("%s", spec.Name)
		}
		var fields []arrow.Field
		for _, c := range columns {
			f, err := schema.ParseField(c[0], c[1])
			if err != nil {
				return fault.From(err).In("%s", spec.Name)
			}
			fields = append(fields, f)
		}
		s := arrow.NewSchema(fields, nil)
		e, err := formats["parquet"].NewEncoder(s, nil)
		if err != nil {
			return fault.From(err).In("%s", spec.Name)
		}
		batches, ok := e.(codec.BatchEncoder)
		if !ok {
			return fault.New(fault.Internal, "the format parquet does not write files")
		}
		w.encode = &batchFile{schema: s, encoder: batches}
	default:
		return fault.New(fault.Guest, "unknown format of files %q", spec.Format).At("%s", spec.Name)
	}
	return nil
}

func (w *rolling) write(_ context.Context, s *subtask, r *row) error {
	now := time.Now()
	if w.open != nil {
		moved := false
		if path, err := w.partPath(0, now); err != nil {
			return err
		} else if filepath.Dir(path) != filepath.Dir(w.open.path) {
			moved = true
		}
		if moved || w.late(now) {
			if err := w.end(s); err != nil {
				return err
			}
		}
	}
	piece := *r
	for left := r.payload; ; {
		if w.open != nil && w.full() {
			if err := w.end(s); err != nil {
				return err
			}
		}
		if w.open == nil {
			if err := w.begin(now); err != nil {
				return err
			}
		}
		piece.payload = left[:w.fits(left)]
		var err error
		if w.buffer, err = w.encode.add(w.buffer, &piece); err != nil {
			return fault.From(err).In("%s", s.name())
		}
		w.open.changed = now
		w.schedule()
		if len(w.buffer) >= rollBytes {
			if err := w.drain(); err != nil {
				return err
			}
		}
		if left = left[len(piece.payload):]; len(left) == 0 {
			return nil
		}
	}
}

// full says that the open file has more bytes than the policy allows: it ends before the next line.
func (w *rolling) full() bool {
	return w.spec.Roll != nil && w.open.length+int64(len(w.buffer)) > w.spec.Roll.Size
}

// fits returns how many of a payload's bytes go to the open file: whole lines, up to the one that makes it full.
func (w *rolling) fits(payload []byte) int {
	if w.spec.Roll == nil {
		return len(payload)
	}
	room := w.spec.Roll.Size - w.open.length - int64(len(w.buffer))
	if room >= int64(len(payload)) {
		return len(payload)
	}
	if end := bytes.IndexByte(payload[room:], '\n'); end >= 0 {
		return int(room) + end + 1
	}
	return len(payload)
}

// late says that the open file ends by its time.
func (w *rolling) late(now time.Time) bool {
	due := w.due.Load()
	return due != 0 && now.UnixMilli() >= due
}

// schedule notes when the open file ends by its time.
func (w *rolling) schedule() {
	if w.open == nil || w.spec.Roll == nil {
		w.due.Store(0)
		return
	}
	w.due.Store(min(w.open.created.UnixMilli()+w.spec.Roll.RolloverMS, w.open.changed.UnixMilli()+w.spec.Roll.InactivityMS))
}

// begin makes the next file. Numbers of files that are there, of another run or another sink, are passed over.
func (w *rolling) begin(now time.Time) error {
	for {
		path, err := w.partPath(w.next, now)
		if err != nil {
			return err
		}
		at := w.at(path)
		w.next++
		if err := os.MkdirAll(filepath.Dir(at), 0o777); err != nil {
			return w.fault(path, err)
		}
		file, err := os.OpenFile(hidden(at), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return w.fault(path, err)
		}
		// Only now, since another's file may come into sight until its hidden name is free.
		if _, err := os.Lstat(at); err == nil {
			file.Close() // it is empty
			os.Remove(hidden(at))
			continue
		}
		w.open = &part{path: path, file: file, created: now, changed: now}
		w.buffer = w.encode.begin(w.buffer[:0])
		return nil
	}
}

// at returns a path as the process sees it.
func (w *rolling) at(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(w.dir, path)
}

// hidden is what a file is called before it comes into sight.
func hidden(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".inprogress")
}

// show brings a file into sight.
func (w *rolling) show(path string) error {
	at := w.at(path)
	if err := os.Rename(hidden(at), at); err != nil {
		return err
	}
	return syncDir(filepath.Dir(at))
}

func (w *rolling) drain() error {
	n, err := w.open.file.Write(w.buffer)
	w.open.length += int64(n)
	w.buffer = w.buffer[:0]
	return w.fault(w.open.path, err)
}

func (w *rolling) fault(path string, err error) error {
	if err == nil {
		return nil
	}
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fault.New(fault.State, "%s cannot be written: %v", w.at(path), err).At("%s", w.spec.Name)
}

// end ends the open file. The next commit brings it into sight.
func (w *rolling) end(s *subtask) error {
	var err error
	if w.buffer, err = w.encode.end(w.buffer); err != nil {
		return fault.From(err).In("%s", s.name())
	}
	if err := w.drain(); err != nil {
		return err
	}
	if err := w.fault(w.open.path, w.open.file.Sync()); err != nil {
		return err
	}
	p := w.open
	w.open = nil
	w.schedule()
	w.mu.Lock()
	w.waiting = append(w.waiting, p)
	w.mu.Unlock()
	return w.fault(p.path, p.file.Close())
}

// flush ends the open file if its time has come, and hands how far files are to the commit.
func (w *rolling) flush(_ context.Context, s *subtask, last bool) error {
	if w.open != nil {
		var err error
		if w.spec.Roll == nil || last || w.full() || w.late(time.Now()) {
			err = w.end(s)
		} else if err = w.drain(); err == nil {
			err = w.fault(w.open.path, w.open.file.Sync())
		}
		if err != nil {
			return err
		}
	}
	at := rolled{Next: w.next}
	w.mu.Lock()
	ended := slices.Clone(w.waiting)
	w.mu.Unlock()
	for _, p := range ended {
		at.Done = append(at.Done, p.path)
	}
	open := w.open
	if open != nil {
		at.Open = &openPart{Path: open.path, Length: open.length, Created: open.created.UnixMilli()}
	}
	position, err := json.Marshal(at)
	if err != nil {
		return err
	}
	before := func(context.Context) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, p := range ended {
			p.known = true
		}
		if open != nil {
			open.known = true
		}
		return nil
	}
	after := func() error {
		for _, p := range ended {
			if err := w.show(p.path); err != nil {
				return w.fault(p.path, err)
			}
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.waiting = w.waiting[len(ended):]
		return nil
	}
	if len(ended) == 0 {
		after = nil
	}
	s.job.commits.flushed(w.key, position, before, after)
	return nil
}

// syncDir makes a file's name durable, where the file system can.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	_ = d.Sync()
	return d.Close()
}

// close removes what no commit knows of: it is written again.
func (w *rolling) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	parts := w.waiting
	if w.open != nil {
		w.open.file.Close() // it is cut back, or goes
		parts = append(parts, w.open)
	}
	for _, p := range parts {
		if w.keeps && p.known {
			w.kept[w.key] = append(w.kept[w.key], p.path)
		} else {
			os.Remove(hidden(w.at(p.path)))
		}
	}
	w.open, w.waiting = nil, nil
	return nil
}

// retire ends the files of a subtask that there is no more, and returns the position of one that may come again.
func (w *rolling) retire() (json.RawMessage, error) {
	if p := w.open; p != nil {
		w.open = nil
		err := p.file.Sync()
		if e := p.file.Close(); err == nil {
			err = e
		}
		if err == nil {
			err = w.show(p.path)
		}
		if err != nil {
			return nil, w.fault(p.path, err)
		}
	}
	return json.Marshal(rolled{Next: w.next})
}

// plainLines are files of what the subtask wrote.
type plainLines struct{}

func (plainLines) begin(dst []byte) []byte                { return dst }
func (plainLines) add(dst []byte, r *row) ([]byte, error) { return append(dst, r.payload...), nil }
func (plainLines) end(dst []byte) ([]byte, error)         { return dst, nil }

// blocks are files of Avro: what the subtask hands over at a time is a block.
type blocks struct {
	schema []byte
	writer *avro.Writer
}

func (b *blocks) begin(dst []byte) []byte {
	var head []byte
	b.writer, head = avro.NewWriter(b.schema)
	return append(dst, head...)
}

func (b *blocks) add(dst []byte, r *row) ([]byte, error) {
	if r.number < 0 || len(r.payload) > avro.MaxBlock {
		return dst, fault.New(fault.Limit, "a block of %d records and %d bytes, expected at most %d bytes", r.number, len(r.payload), avro.MaxBlock)
	}
	return b.writer.Append(dst, r.payload, r.number), nil
}

func (b *blocks) end(dst []byte) ([]byte, error) { return dst, nil }

// batchFile are files of a format of batches, whose columns the subtask hands over.
type batchFile struct {
	schema  *arrow.Schema
	encoder codec.BatchEncoder
}

func (f *batchFile) begin(dst []byte) []byte {
	f.encoder.Reset()
	return dst
}

func (f *batchFile) add(dst []byte, r *row) ([]byte, error) {
	rec, err := unpackColumns(r.payload, f.schema)
	if err != nil {
		return dst, nonsense("%s", strings.TrimSpace(err.Error()))
	}
	defer rec.Release()
	return f.encoder.AppendFile(dst, rec)
}

func (f *batchFile) end(dst []byte) ([]byte, error) { return f.encoder.AppendFile(dst, nil) }

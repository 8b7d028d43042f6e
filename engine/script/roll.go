package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/avro"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

// rolling writes files that end at each commit: base/bucket/prefix-SUBTASK-NUMBERsuffix. Until then a file is hidden, under a name with a dot
// before it and .inprogress behind. It comes into sight just before the commit; where that fails the file is written again, under the same number.
type rolling struct {
	spec    *Sink
	index   int
	dir     string // what relative paths are relative to
	key     string // of the position
	next    int    // number of the next file
	encode  encoding
	file    *os.File // nil where nothing was written since the last commit
	path    string   // where it comes into sight
	buffer  []byte
	waiting []string // hidden files that a commit is to bring into sight
}

// rolled is the position of a rolling sink. Version 1 of its JSON.
type rolled struct {
	Next int `json:"next"`
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

func (a *attempt) openRolling(spec *Sink, index int) (writer, error) {
	w := &rolling{spec: spec, index: index, dir: a.options.Dir, key: a.positionKey(spec.UID, fmt.Sprint(index))}
	if p := a.last.Positions[w.key]; p != nil {
		var at rolled
		if err := json.Unmarshal(p, &at); err != nil || at.Next < 0 {
			return nil, fault.New(fault.State, "the position of the sink cannot be read: %.100s", p).At("%s", spec.Name)
		}
		w.next = at.Next
	}
	switch spec.Format {
	case "lines":
		w.encode = plainLines{}
	case "avro":
		w.encode = &blocks{schema: []byte(spec.Schema)}
	case "parquet":
		var columns [][2]string
		if err := json.Unmarshal(spec.Columns, &columns); err != nil || len(columns) == 0 {
			return nil, fault.New(fault.Guest, "the columns of the sink are not names and types").At("%s", spec.Name)
		}
		var fields []arrow.Field
		for _, c := range columns {
			f, err := schema.ParseField(c[0], c[1])
			if err != nil {
				return nil, fault.From(err).In("%s", spec.Name)
			}
			fields = append(fields, f)
		}
		s := arrow.NewSchema(fields, nil)
		e, err := a.options.Formats["parquet"].NewEncoder(s, nil)
		if err != nil {
			return nil, fault.From(err).In("%s", spec.Name)
		}
		batches, ok := e.(codec.BatchEncoder)
		if !ok {
			return nil, fault.New(fault.Internal, "the format parquet does not write files")
		}
		w.encode = &batchFile{schema: s, encoder: batches}
	default:
		return nil, fault.New(fault.Guest, "unknown format of files %q", spec.Format).At("%s", spec.Name)
	}
	return w, nil
}

func (w *rolling) write(_ context.Context, s *subtask, r *row) error {
	if w.file == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	var err error
	if w.buffer, err = w.encode.add(w.buffer, r); err != nil {
		return fault.From(err).In("%s", s.name())
	}
	if len(w.buffer) >= rollBytes {
		return w.drain()
	}
	return nil
}

func (w *rolling) begin() error {
	w.path = partPath(w.spec, w.index, w.next, time.Now())
	if !filepath.IsAbs(w.path) {
		w.path = filepath.Join(w.dir, w.path)
	}
	w.next++
	err := os.MkdirAll(filepath.Dir(w.path), 0o777)
	if err == nil {
		w.file, err = os.Create(hidden(w.path))
	}
	if err != nil {
		w.file = nil
		return w.fault(err)
	}
	w.buffer = w.encode.begin(w.buffer[:0])
	return nil
}

// hidden is what a file is called before it comes into sight.
func hidden(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".inprogress")
}

func (w *rolling) drain() error {
	_, err := w.file.Write(w.buffer)
	w.buffer = w.buffer[:0]
	return w.fault(err)
}

func (w *rolling) fault(err error) error {
	if err == nil {
		return nil
	}
	var p *os.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fault.New(fault.State, "%s cannot be written: %v", w.path, err).At("%s", w.spec.Name)
}

// flush ends the file.
func (w *rolling) flush(_ context.Context, s *subtask) error {
	path := ""
	if w.file != nil {
		var err error
		if w.buffer, err = w.encode.end(w.buffer); err != nil {
			return fault.From(err).In("%s", s.name())
		}
		if err := w.drain(); err != nil {
			return err
		}
		if err := w.fault(w.file.Sync()); err != nil {
			return err
		}
		err = w.file.Close()
		w.file = nil
		path = w.path
		w.waiting = append(w.waiting, path)
		if err != nil {
			return w.fault(err)
		}
	}
	position, err := json.Marshal(rolled{Next: w.next})
	if err != nil {
		return err
	}
	s.job.commits.flushed(w.key, position, func(context.Context) error {
		if path == "" {
			return nil
		}
		if err := os.Rename(hidden(path), path); err != nil {
			return fault.New(fault.State, "%s cannot be written: %v", path, err).At("%s", w.spec.Name)
		}
		return syncDir(filepath.Dir(path))
	})
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

// close removes what no commit brought into sight: it is written again.
func (w *rolling) close() error {
	if w.file != nil {
		w.file.Close() // it goes
		os.Remove(hidden(w.path))
		w.file = nil
	}
	for _, path := range w.waiting {
		os.Remove(hidden(path)) // most are in sight by now
	}
	return nil
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

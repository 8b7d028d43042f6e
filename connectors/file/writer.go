package file

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// flushBytes is how many encoded bytes are collected before they are written.
const flushBytes = 1 << 20

// written is the position of a writer: how long the file is behind an epoch. Version 1 of its JSON.
type written struct {
	Length int64 `json:"length"`
}

// writer appends to a file. At a restart it cuts off what was written behind the last commit, so each row stands in the
// file once.
type writer struct {
	path    string
	file    *os.File
	zip     *gzip.Writer // nil without compression
	member  bool         // something was written to zip since its last end
	encoder codec.Encoder
	buffer  []byte
	length  int64 // bytes written to the file
	begun   bool  // the format's header is there
	goOn    bool  // the encoder of batches is yet to be told so
	device  bool  // a pipe or a device, which is written as it is
	dirty   bool  // rows were written behind the last Flush
}

var _ connectors.Writer = (*writer)(nil)

// taskPath names the file of one of several tasks: out-0001.ndjson.gz.
func taskPath(path string, task, tasks int) string {
	if tasks <= 1 {
		return path
	}
	gz := ""
	if isCompressed(path) {
		path, gz = path[:len(path)-len(".gz")], path[len(path)-len(".gz"):]
	}
	ext := filepath.Ext(path)
	return fmt.Sprintf("%s-%04d%s%s", strings.TrimSuffix(path, ext), task+1, ext, gz)
}

func newWriter(path string, keep bool, encoder codec.Encoder, position json.RawMessage) (*writer, error) {
	w := &writer{path: path, encoder: encoder}
	var p *written
	if position != nil {
		if err := json.Unmarshal(position, &p); err != nil || p == nil || p.Length < 0 {
			return nil, fault.New(fault.State, "the position in %s cannot be read: %.100s", path, position)
		}
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, w.fault(err)
	}
	var err error
	if w.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); errors.Is(err, os.ErrPermission) {
		w.file, err = os.OpenFile(path, os.O_WRONLY, 0) // a file or device that may only be written
	}
	if err != nil {
		return nil, w.fault(err)
	}
	if err := w.restore(keep, p); err != nil {
		w.file.Close()
		return nil, err
	}
	syncFolder(dir)
	if isCompressed(path) {
		w.zip = gzip.NewWriter(counted{w})
	}
	return w, nil
}

// syncFolder makes a file's name durable. Not every file system can, and the loss of a name shows at the next start.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}

// restore sets the file to the length that it had at the last commit, nil at a new start.
func (w *writer) restore(keep bool, p *written) error {
	info, err := w.file.Stat()
	if err != nil {
		return w.fault(err)
	}
	if w.device = !info.Mode().IsRegular(); w.device {
		return nil
	}
	_, batches := w.encoder.(codec.BatchEncoder)
	indexed, _ := w.encoder.(codec.IndexedEncoder)
	if indexed != nil && isCompressed(w.path) {
		return fault.New(fault.Unsupported, "%s cannot be compressed as a whole: format %s compresses what is in it", w.path, w.encoder.Name()).
			WithHint("leave out the ending .gz")
	}
	switch {
	case p != nil && info.Size() < p.Length:
		return fault.New(fault.State, "%s has %d bytes, and had %d at the last commit: it was shortened or replaced", w.path, info.Size(), p.Length).
			WithHint("--fresh starts from the beginning")
	case p != nil:
		w.length = p.Length
	case keep:
		w.length = info.Size()
	}
	w.begun = w.length > 0
	if w.goOn = w.begun && batches; w.goOn && p == nil {
		return fault.New(fault.Unsupported, "%s cannot be appended to: format %s has one beginning and one end", w.path, w.encoder.Name()).
			WithHint("write another file, or one of lines")
	}
	if err := w.file.Truncate(w.length); err != nil {
		return w.fault(err)
	}
	if _, err := w.file.Seek(w.length, io.SeekStart); err != nil {
		return w.fault(err)
	}
	if indexed != nil {
		return w.resume(indexed)
	}
	return w.endLine(keep && p == nil)
}

// resume brings the encoder of a format with an index to where the file is.
func (w *writer) resume(e codec.IndexedEncoder) error {
	w.begun, w.goOn = true, false
	if err := e.Resume(w.file, w.length); err != nil {
		var known *fault.Fault
		if errors.As(err, &known) {
			return known.In("%s", w.path)
		}
		return w.fault(err)
	}
	return nil
}

// endLine ends the last line of a file that is appended to, where somebody left it without an end.
func (w *writer) endLine(appending bool) error {
	e, ok := w.encoder.(codec.RowEncoder)
	if !appending || !ok || !e.Lines() || w.length == 0 || isCompressed(w.path) {
		return nil
	}
	var last [1]byte
	if _, err := w.file.ReadAt(last[:], w.length-1); err != nil {
		return w.fault(err)
	}
	if last[0] != '\n' {
		w.buffer = append(w.buffer, '\n')
	}
	return nil
}

func (w *writer) fault(err error) error {
	f := fault.New(fault.State, "%s cannot be written: %v", w.path, unwrapPath(err))
	f.Cause = err
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		f.Hint = "make room; what was committed is kept, and the same command goes on from there"
	case errors.Is(err, os.ErrPermission):
		f.Code, f.Hint = fault.Usage, "the file and its folder must be ones that this user may write in"
	case errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENOTDIR):
		f.Code, f.Hint = fault.Usage, "name a file, in a folder"
	}
	return f
}

// counted writes to the file and counts.
type counted struct{ w *writer }

func (c counted) Write(b []byte) (int, error) {
	n, err := c.w.file.Write(b)
	c.w.length += int64(n)
	return n, err
}

// Write implements [connectors.Writer].
func (w *writer) Write(_ context.Context, b *stream.Batch) error {
	w.dirty = true
	switch e := w.encoder.(type) {
	case codec.BatchEncoder:
		if !w.begun {
			e.Reset()
			w.begun = true
		}
		if w.goOn {
			if err := w.continueBatches(e, b.Record); err != nil {
				return err
			}
			w.goOn = false
		}
		var err error
		if w.buffer, err = e.AppendFile(w.buffer, b.Record); err != nil {
			return err
		}
		return w.flushFrom(flushBytes)
	case codec.RowEncoder:
		return w.rows(e, b)
	}
	return fault.New(fault.Unsupported, "format %s cannot be written to a file", w.encoder.Name())
}

// continueBatches brings an encoder to where the file is, with no rows of rec: they give the file's beginning and an empty
// batch, and then an empty batch alone. The beginning must be the one that the file has.
func (w *writer) continueBatches(e codec.BatchEncoder, rec arrow.Record) error {
	empty := rec.NewSlice(0, 0)
	defer empty.Release()
	e.Reset()
	first, err := e.AppendFile(nil, empty)
	if err != nil {
		return err
	}
	second, err := e.AppendFile(nil, empty)
	if err != nil || w.zip != nil {
		return err
	}
	begin := bytes.TrimSuffix(first, second)
	there := make([]byte, len(begin))
	if n, err := w.file.ReadAt(there, 0); err != nil && n < len(there) || !bytes.Equal(there, begin) {
		return fault.New(fault.State, "%s does not begin with the columns that are to be written to it", w.path).
			WithHint("--fresh writes it anew")
	}
	return nil
}

func (w *writer) rows(e codec.RowEncoder, b *stream.Batch) error {
	if !w.begun {
		w.buffer = append(w.buffer, e.Header()...)
		w.begun = true
	}
	if err := e.Bind(b.Record); err != nil {
		return err
	}
	for i := range b.Rows() {
		next, err := e.Append(w.buffer, i)
		if err != nil {
			return &codec.RowError{Row: i, Err: err}
		}
		if e.Lines() {
			next = append(next, '\n')
		}
		w.buffer = next
		if err := w.flushFrom(flushBytes); err != nil {
			return err
		}
	}
	return nil
}

// flushFrom writes what is collected once it is n bytes.
func (w *writer) flushFrom(n int) error {
	if len(w.buffer) < n || len(w.buffer) == 0 {
		return nil
	}
	var out io.Writer = counted{w}
	if w.zip != nil {
		out, w.member = w.zip, true
	}
	_, err := out.Write(w.buffer)
	w.buffer = w.buffer[:0]
	if err != nil {
		return w.fault(err)
	}
	return nil
}

// endMember ends what is compressed as a whole: a gzip file is one or more such members.
func (w *writer) endMember() error {
	if !w.member {
		return nil
	}
	if err := w.zip.Close(); err != nil {
		return w.fault(err)
	}
	w.zip.Reset(counted{w})
	w.member = false
	return nil
}

// Flush implements [connectors.Writer]. A compressed file ends a member here, so that it can be cut behind it.
func (w *writer) Flush(context.Context) (json.RawMessage, func(context.Context) error, error) {
	var err error
	if e, ok := w.encoder.(codec.IndexedEncoder); ok && !w.device && w.dirty {
		w.buffer, err = e.Mark(w.buffer)
	}
	if err == nil {
		err = w.flushFrom(0)
	}
	if err == nil {
		err = w.endMember()
	}
	if err != nil {
		return nil, nil, err
	}
	w.dirty = false
	p, err := json.Marshal(written{Length: w.length})
	if err != nil {
		return nil, nil, err
	}
	return p, func(context.Context) error {
		err := w.file.Sync()
		if err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) { // pipes and devices
			return w.fault(err)
		}
		return nil
	}, nil
}

// Close implements [connectors.Writer]. What was not flushed stays out of the file, or is cut off by the next start. A file of
// batches gets its end; with an index only where all that was written was flushed, so that nobody reads rows which are written again.
func (w *writer) Close() error {
	var err error
	_, indexed := w.encoder.(codec.IndexedEncoder)
	if e, ok := w.encoder.(codec.BatchEncoder); ok && w.begun && !w.goOn && len(w.buffer) == 0 && !(indexed && w.dirty && !w.device) {
		if w.buffer, err = e.AppendFile(w.buffer, nil); err == nil {
			err = w.flushFrom(0)
		}
		if err == nil {
			err = w.endMember()
		}
	}
	if e := w.file.Close(); err == nil && e != nil {
		err = w.fault(e)
	}
	return err
}

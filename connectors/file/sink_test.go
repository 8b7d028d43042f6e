package file_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	arrowipc "github.com/apache/arrow/go/v15/arrow/ipc"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/ipc"
	"github.com/wasmill/wasmill/connectors/connectortest"
	"github.com/wasmill/wasmill/connectors/file"
	"github.com/wasmill/wasmill/engine/fault"
)

func newSink(config string) func() (connectors.Sink, error) {
	return func() (connectors.Sink, error) { return file.Connector().NewSink(json.RawMessage(config)) }
}

func read(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(path, ".gz") {
		return string(b), err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return "", err
	}
	b, err = io.ReadAll(z)
	return string(b), err
}

func TestSinkConformance(t *testing.T) {
	for _, name := range []string{"out.csv", "new/folder/out.csv.gz"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			connectortest.Sink{New: newSink(fmt.Sprintf("%q", name)), Job: connectors.Job{Dir: dir}, Exact: true,
				Read: func() (string, error) { return read(filepath.Join(dir, name)) }}.Run(t)
		})
	}
}

// put writes numbers to a sink as a new job.
func put(t *testing.T, config, dir string, task, tasks int, encoder codec.Encoder, position json.RawMessage, numbers ...int64) json.RawMessage {
	t.Helper()
	sink, err := newSink(config)()
	if err != nil {
		t.Fatal(err)
	}
	w, err := sink.Open(context.Background(), connectors.Job{Dir: dir}, task, tasks, encoder, position)
	if err != nil {
		t.Fatal(err)
	}
	b := connectortest.Batch(numbers...)
	defer b.Release()
	if err := w.Write(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	p, wait, err := w.Flush(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestNewStartEmptiesOrAppends(t *testing.T) {
	dir := folder(t, map[string]string{"a.csv": "n\n1\nno end", "b.csv": "old\n", "c.csv.gz": "n\n1\n"})
	lines := &connectortest.Lines{}
	put(t, `{"path":"a.csv","append":true}`, dir, 0, 1, lines, nil, 2)
	put(t, `{"path":"a.csv","append":true}`, dir, 0, 1, lines, nil, 3)
	put(t, `"b.csv"`, dir, 0, 1, lines, nil, 4)
	put(t, `{"path":"c.csv.gz","append":true}`, dir, 0, 1, lines, nil, 5)
	put(t, `{"path":"d.csv","append":true}`, dir, 0, 1, lines, nil, 6)
	for task := range 2 {
		put(t, `"sub/e.csv.gz"`, dir, task, 2, lines, nil, int64(task))
	}
	for name, want := range map[string]string{
		"a.csv": "n\n1\nno end\n2\n3\n", "b.csv": "n\n4\n", "c.csv.gz": "n\n1\n5\n", "d.csv": "n\n6\n",
		"sub/e-0001.csv.gz": "n\n0\n", "sub/e-0002.csv.gz": "n\n1\n",
	} {
		if got, err := read(filepath.Join(dir, name)); err != nil || got != want {
			t.Errorf("%s: got %q %v, want %q", name, got, err, want)
		}
	}
}

// batches is a codec.BatchEncoder that writes text.
type batches struct {
	begin string
	begun bool
}

func (*batches) Name() string { return "batches" }
func (b *batches) Reset()     { b.begun = false }
func (b *batches) AppendMessage(dst []byte, _ arrow.Record, _, _ int) ([]byte, error) {
	return dst, nil
}
func (b *batches) AppendFile(dst []byte, rec arrow.Record) ([]byte, error) {
	if rec == nil {
		return append(dst, "end"...), nil
	}
	if !b.begun {
		dst, b.begun = append(dst, b.begin...), true
	}
	return fmt.Appendf(dst, "%d rows ", rec.NumRows()), nil
}

func TestBatches(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.arrow")
	open := func(config, begin string, position json.RawMessage) (connectors.Writer, error) {
		sink, err := newSink(config)()
		if err != nil {
			t.Fatal(err)
		}
		return sink.Open(context.Background(), connectors.Job{Dir: dir}, 0, 1, &batches{begin: begin}, position)
	}
	want := func(want string) {
		t.Helper()
		if got, err := read(path); err != nil || got != want {
			t.Fatalf("got %q %v, want %q", got, err, want)
		}
	}
	p := put(t, `"a.arrow"`, dir, 0, 1, &batches{begin: "begin "}, nil, 1, 2, 3)
	want("begin 3 rows end")
	put(t, `"a.arrow"`, dir, 0, 1, &batches{begin: "begin "}, p, 4)
	want("begin 3 rows 1 rows end")
	put(t, `"a.arrow.gz"`, dir, 0, 1, &batches{}, nil, 1, 2)
	if got, err := read(path + ".gz"); err != nil || got != "2 rows end" {
		t.Errorf("got %q %v", got, err)
	}
	_, err := open(`{"path":"a.arrow","append":true}`, "", nil)
	wantFault(t, err, fault.Unsupported, path+" cannot be appended to: format batches has one beginning and one end (write another file, or one of lines)")
	w, err := open(`"a.arrow"`, "other columns ", p)
	if err != nil {
		t.Fatal(err)
	}
	b := connectortest.Batch(1)
	defer b.Release()
	wantFault(t, w.Write(context.Background(), b), fault.State, path+" does not begin with the columns that are to be written to it (--fresh writes it anew)")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSinkFaults(t *testing.T) {
	dir := folder(t, map[string]string{"file": "n\n1\n", "sub/x": ""})
	for _, c := range []struct {
		config, position string
		code             fault.Code
		want             string
	}{
		{`{}`, "", fault.Usage, "`path` is missing"},
		{`"out/"`, "", fault.Usage, `path: "out/" is not the path of a file`},
		{`"sub"`, "", fault.Usage, "DIR/sub cannot be written: is a directory (name a file, in a folder)"},
		{`"file/x"`, "", fault.Usage, "DIR/file/x cannot be written: not a directory (name a file, in a folder)"},
		{`"file"`, `{"length":5}`, fault.State,
			"DIR/file has 4 bytes, and had 5 at the last commit: it was shortened or replaced (--fresh starts from the beginning)"},
		{`"file"`, `{"length":-1}`, fault.State, `the position in DIR/file cannot be read: {"length":-1}`},
		{`"/dev/full"`, "", fault.State,
			"/dev/full cannot be written: no space left on device (make room; what was committed is kept, and the same command goes on from there)"},
	} {
		err := tryPut(c.config, dir, c.position)
		if text := strings.ReplaceAll(fmt.Sprint(err), dir, "DIR"); text != c.want || fault.CodeOf(err) != c.code {
			t.Errorf("%s: got [%s] %s\nwant [%s] %s", c.config, fault.CodeOf(err), text, c.code, c.want)
		}
	}
}

func tryPut(config, dir, position string) error {
	sink, err := newSink(config)()
	if err != nil {
		return err
	}
	var p json.RawMessage
	if position != "" {
		p = json.RawMessage(position)
	}
	w, err := sink.Open(context.Background(), connectors.Job{Dir: dir}, 0, 1, &connectortest.Lines{}, p)
	if err != nil {
		return err
	}
	b := connectortest.Batch(1)
	defer b.Release()
	if err = w.Write(context.Background(), b); err == nil {
		_, _, err = w.Flush(context.Background())
	}
	if closed := w.Close(); err == nil {
		err = closed
	}
	return err
}

func TestDevicesAreWrittenAsTheyAre(t *testing.T) {
	if err := tryPut(`"/dev/null"`, "", ""); err != nil {
		t.Error(err)
	}
	if err := tryPut(`"/dev/null"`, "", `{"length":7}`); err != nil {
		t.Error(err)
	}
}

// BenchmarkWrite is bound by the encoder and the copy into the page cache.
func BenchmarkWrite(b *testing.B) {
	sink, err := newSink(`"out"`)()
	if err != nil {
		b.Fatal(err)
	}
	w, err := sink.Open(context.Background(), connectors.Job{Dir: b.TempDir()}, 0, 1, &connectortest.Lines{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	batch := connectortest.Batch(make([]int64, 8192)...)
	defer batch.Release()
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(8192*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// TestArrowFileIsContinued restarts a job that writes Arrow, and reads the file with Arrow's own reader.
func TestArrowFileIsContinued(t *testing.T) {
	dir := t.TempDir()
	b := connectortest.Batch(1)
	defer b.Release()
	encoder := func() codec.Encoder {
		e, err := ipc.Format().NewEncoder(b.Record.Schema(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	p := put(t, `"a.arrow"`, dir, 0, 1, encoder(), nil, 1, 2, 3)
	put(t, `"a.arrow"`, dir, 0, 1, encoder(), p, 4)
	p = put(t, `"a.arrow"`, dir, 0, 1, encoder(), p, 5, 6) // as if the commit before had not come about
	put(t, `"a.arrow"`, dir, 0, 1, encoder(), p, 7)
	f, err := os.Open(filepath.Join(dir, "a.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := arrowipc.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var got []int64
	for r.Next() {
		got = append(got, r.Record().Column(0).(*array.Int64).Int64Values()...)
	}
	if want := []int64{1, 2, 3, 5, 6, 7}; r.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("got %v %v, want %v", got, r.Err(), want)
	}
}

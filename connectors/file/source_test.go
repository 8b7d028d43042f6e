package file_test

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
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/connectortest"
	"github.com/wasmill/wasmill/connectors/file"
	"github.com/wasmill/wasmill/engine/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func lines(data []byte) int { return bytes.LastIndexByte(data, '\n') + 1 }

// folder makes a folder of files; names that end in .gz are compressed.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		write(t, filepath.Join(dir, name), content)
	}
	return dir
}

func write(t testing.TB, path, content string) {
	t.Helper()
	data := []byte(content)
	if strings.HasSuffix(path, ".gz") {
		data = zip(t, content)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func zip(t testing.TB, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(content))
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func events(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":%d,"text":%q}`+"\n", i, strings.Repeat("x", i%300))
	}
	return b.String()
}

func newSource(config string) func() (connectors.Source, error) {
	return func() (connectors.Source, error) { return file.Connector().NewSource(json.RawMessage(config)) }
}

func TestSourceConformance(t *testing.T) {
	long := events(30_000) // about 5 MB: several blocks
	dir := folder(t, map[string]string{
		"a.ndjson": long, "b.ndjson.gz": events(20_000), "c.ndjson": "1\n2\nno end", "sub/empty.ndjson": "", "d.csv": "n\n1\n2\n",
	})
	if err := os.WriteFile(filepath.Join(dir, "two.gz"), append(zip(t, "1\n"), zip(t, "2\n")...), 0o600); err != nil {
		t.Fatal(err)
	}
	for config, want := range map[string]map[string]string{
		`"a.ndjson"`:    {"a.ndjson": long},
		`"two.gz"`:      {"two.gz": "1\n2\n"},
		`"b.ndjson.gz"`: {"b.ndjson.gz": events(20_000)},
		`{"path":["[a-c].ndjson*","c.ndjson","sub/*","d.csv"]}`: {
			"a.ndjson": long, "b.ndjson.gz": events(20_000), "c.ndjson": "1\n2\nno end", "d.csv": "n\n1\n2\n"},
		fmt.Sprintf("%q", filepath.Join(dir, "d*")): {filepath.Join(dir, "d.csv"): "n\n1\n2\n"},
	} {
		t.Run(config, func(t *testing.T) {
			connectortest.Source{New: newSource(config), Job: connectors.Job{Dir: dir, Cut: lines}, Want: want}.Run(t)
		})
	}
	t.Run("not cut", func(t *testing.T) {
		connectortest.Source{New: newSource(`["a.ndjson","d.csv"]`), Job: connectors.Job{Dir: dir},
			Want: map[string]string{"a.ndjson": long, "d.csv": "n\n1\n2\n"}}.Run(t)
	})
}

func TestDefaultFormat(t *testing.T) {
	for path, want := range map[string]string{
		"a.ndjson": "json", "a.jsonl": "json", "a.JSON.gz": "json", "a": "json", "a.csv": "csv", "a.CSV.GZ": "csv",
		"a.arrow": "arrow", "a.arrows": "arrow", "a.ipc": "arrow", "a.txt": "raw", "a.log.gz": "raw",
	} {
		config := json.RawMessage(fmt.Sprintf("%q", path))
		source, err := file.Connector().NewSource(config)
		if err != nil {
			t.Fatal(err)
		}
		sink, err := file.Connector().NewSink(config)
		if err != nil {
			t.Fatal(err)
		}
		if source.DefaultFormat() != want || sink.DefaultFormat() != want {
			t.Errorf("%s: got %s, want %s", path, source.DefaultFormat(), want)
		}
	}
}

func TestMessages(t *testing.T) {
	dir := folder(t, map[string]string{"a.csv": "h\n" + strings.Repeat("row\n", 600_000)})
	r := open(t, `"a.csv"`, dir, nil)
	first := next(t, r)
	if m := first; !m.Start || m.Head != nil || m.Sequence != 1 || m.Subject != "a.csv" || m.Header != nil {
		t.Errorf("first: start %v, head %q, sequence %d, subject %s", m.Start, m.Head, m.Sequence, m.Subject)
	}
	count := uint64(bytes.Count(first.Data, []byte("\n")))
	p, err := r.Positions()
	if err != nil {
		t.Fatal(err)
	}
	again := open(t, `"a.csv"`, dir, p)
	for _, m := range []connectors.Message{next(t, r), next(t, again)} {
		if m.Sequence != count+1 {
			t.Errorf("second: sequence %d, want %d", m.Sequence, count+1)
		}
		if m.Start != (m.Head != nil) {
			t.Errorf("start %v with head %.10q", m.Start, m.Head)
		}
		if m.Start && (!bytes.HasPrefix(m.Head, []byte("h\nrow\n")) || len(m.Head) != lines(m.Head)) {
			t.Errorf("head %.10q of %d bytes", m.Head, len(m.Head))
		}
	}
}

func open(t *testing.T, config, dir string, positions map[string]json.RawMessage) connectors.Reader {
	t.Helper()
	source, err := newSource(config)()
	if err != nil {
		t.Fatal(err)
	}
	job := connectors.Job{Dir: dir, Cut: lines}
	ids, err := source.Splits(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	var splits []connectors.Split
	for _, id := range ids {
		splits = append(splits, connectors.Split{ID: id, Position: positions[id]})
	}
	r, err := source.Open(context.Background(), job, splits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func next(t *testing.T, r connectors.Reader) connectors.Message {
	t.Helper()
	messages, err := r.Next(context.Background(), nil, 10)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d messages, %v", len(messages), err)
	}
	m := messages[0]
	m.Data = bytes.Clone(m.Data)
	return m
}

func TestFollow(t *testing.T) {
	dir := folder(t, map[string]string{"a.log": "1\n2\nhal"})
	path := filepath.Join(dir, "a.log")
	r := open(t, `{"path":"a.log","follow":true}`, dir, nil)
	if m := next(t, r); string(m.Data) != "1\n2\n" || !m.Start {
		t.Fatalf("got %q", m.Data)
	}
	wake := make(chan struct{}, 1)
	wake <- struct{}{}
	if messages, err := r.Next(context.Background(), wake, 10); err != nil || len(messages) != 0 {
		t.Fatalf("woken at the end: %d messages, %v", len(messages), err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := r.Next(ctx, nil, 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("f\n3\nlast"); err != nil {
		t.Fatal(err)
	}
	if m := next(t, r); string(m.Data) != "half\n3\n" || m.Start || m.Sequence != 3 {
		t.Fatalf("got %q", m.Data)
	}
	// The file is rotated: what is left of the old one comes first.
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	write(t, path, "new\n")
	if m := next(t, r); string(m.Data) != "last" {
		t.Fatalf("got %q", m.Data)
	}
	if m := next(t, r); string(m.Data) != "new\n" || !m.Start || m.Sequence != 1 {
		t.Fatalf("got %q, start %v, sequence %d", m.Data, m.Start, m.Sequence)
	}
	if read, all := r.(connectors.Sized).Progress(); read == 0 || all != 0 {
		t.Errorf("progress %d of %d", read, all)
	}
	if err := os.Truncate(path, 1); err != nil {
		t.Fatal(err)
	}
	_, err = r.Next(context.Background(), nil, 10)
	wantFault(t, err, fault.State, path+" is not the file that was read up to byte 4: it was shortened or replaced (--fresh starts from the beginning)")
}

func TestFileChangedSinceThePosition(t *testing.T) {
	for what, content := range map[string]string{"shortened": "1\n", "replaced": "9\n2\n3\n", "emptied": ""} {
		dir := folder(t, map[string]string{"a.ndjson": "1\n2\n"})
		r := open(t, `"a.ndjson"`, dir, nil)
		next(t, r)
		p, err := r.Positions()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "a.ndjson")
		write(t, path, content)
		_, err = open(t, `"a.ndjson"`, dir, p).Next(context.Background(), nil, 10)
		wantFault(t, err, fault.State, path+" is not the file that was read up to byte 4: it was shortened or replaced (--fresh starts from the beginning)")
		write(t, path, "1\n2\n3\n")
		if m := next(t, open(t, `"a.ndjson"`, dir, p)); string(m.Data) != "3\n" {
			t.Errorf("%s and set right: got %q", what, m.Data)
		}
	}
}

func TestSourceFaults(t *testing.T) {
	dir := folder(t, map[string]string{"flights.ndjson": "", "broken.gz": "", "cut.gz": "", "sub/x": ""})
	if err := os.WriteFile(filepath.Join(dir, "broken.gz"), []byte("this is not gzip"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cut.gz"), zip(t, events(1000))[:900], 0o600); err != nil {
		t.Fatal(err)
	}
	const relative = " (paths in a pipeline are relative to the pipeline's own folder)"
	for _, c := range []struct {
		config string
		code   fault.Code
		want   string
	}{
		{`{"paht":"x"}`, fault.Usage, "`path` is missing\npaht: unknown field `paht` (did you mean `path`?)"},
		{`{"path":[]}`, fault.Usage, "path: there is no path"},
		{`{"path":["[","a.gz"],"follow":true}`, fault.Usage, "path: \"[\" is not a path or a pattern\nfollow: a.gz is compressed, and cannot be followed"},
		{`"flihgts.ndjson"`, fault.Usage, "there is no file DIR/flihgts.ndjson (did you mean `flights.ndjson`?)"},
		{`"else.csv"`, fault.Usage, "there is no file DIR/else.csv" + relative},
		{`"*.csv"`, fault.Usage, "no file matches DIR/*.csv" + relative},
		{`"sub"`, fault.Usage, "DIR/sub is a folder (to read all of its files: DIR/sub/*)"},
		{`"/dev/zero"`, fault.Usage, "/dev/zero is not a regular file (read a pipe or a terminal with `stdin`)"},
		{`{"path":["flights.ndjson","sub/x"],"follow":true}`, fault.Unsupported,
			"one task cannot follow 2 files (give each file an input of its own, or the input a parallelism of 2)"},
		{`"broken.gz"`, fault.Decode, "DIR/broken.gz is not compressed with gzip: gzip: invalid header (a name that ends in .gz says so)"},
		{`"cut.gz"`, fault.Decode, "DIR/cut.gz cannot be read behind byte BYTES: unexpected EOF (the compressed data ends too early: was the file cut off when it was written or copied?)"},
	} {
		err := readAll(c.config, dir)
		text := strings.ReplaceAll(fmt.Sprint(err), dir, "DIR")
		if before, after, ok := strings.Cut(text, "behind byte "); ok {
			_, after, _ = strings.Cut(after, ":")
			text = before + "behind byte BYTES:" + after
		}
		if text != c.want || fault.CodeOf(err) != c.code {
			t.Errorf("%s: got [%s] %s\nwant [%s] %s", c.config, fault.CodeOf(err), text, c.code, c.want)
		}
	}
}

func readAll(config, dir string) error {
	source, err := newSource(config)()
	if err != nil {
		return err
	}
	job := connectors.Job{Dir: dir, Cut: lines}
	ids, err := source.Splits(context.Background(), job)
	if err != nil {
		return err
	}
	var splits []connectors.Split
	for _, id := range ids {
		splits = append(splits, connectors.Split{ID: id})
	}
	r, err := source.Open(context.Background(), job, splits)
	if err != nil {
		return err
	}
	defer r.Close()
	for err == nil {
		_, err = r.Next(context.Background(), nil, 100)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func TestBadPositions(t *testing.T) {
	source, err := newSource(`"a"`)()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{`[]`, `{"offset":-1,"line":1}`, `{"offset":1,"line":1,"marked":5000}`, `{"line":0}`} {
		_, err := source.Open(context.Background(), connectors.Job{}, []connectors.Split{{ID: "a", Position: json.RawMessage(p)}})
		if fault.CodeOf(err) != fault.State {
			t.Errorf("%s: got %v", p, err)
		}
	}
}

func wantFault(t *testing.T, err error, code fault.Code, text string) {
	t.Helper()
	if err == nil || err.Error() != text || fault.CodeOf(err) != code {
		t.Fatalf("got [%s] %v\nwant [%s] %s", fault.CodeOf(err), err, code, text)
	}
}

// BenchmarkRead is bound by the copy out of the page cache and the search for line ends.
func BenchmarkRead(b *testing.B) {
	content := events(600_000)
	dir := folder(b, map[string]string{"a.ndjson": content})
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		if err := readAll(`"a.ndjson"`, dir); err != nil {
			b.Fatal(err)
		}
	}
}

package script

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"
	"pgregory.net/rapid"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
	"github.com/wasmill/wasmill/connectors/codec/parquet"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/state/memstate"
)

// tree returns the files below a folder and what is in them.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// rollingPlan is a word count that writes each word as it comes, in files that end at commits.
func rollingPlan(n int64) *Plan {
	p := wordCount(n, 1, 1, "file")
	p.Sinks[0].Path, p.Sinks[0].Prefix, p.Sinks[0].Suffix, p.Sinks[0].Format = "out", "words", ".txt", "lines"
	return p
}

// passing hands each word to the sink. Fail is asked at each one.
func passing(fail func(c config, seen int) error) func(config) behaviour {
	return func(c config) behaviour {
		seen := 0
		return func(r row, put func(row)) error {
			if r.kind != kindData {
				return nil
			}
			seen++
			if fail != nil {
				if err := fail(c, seen); err != nil {
					return err
				}
			}
			put(row{kind: kindData, number: 1, payload: append(r.payload, '\n')})
			return nil
		}
	}
}

// Files that end at commits have all words once, in order, whatever failed between; nothing else is left in the folder.
func TestRollingFiles(t *testing.T) {
	n := 30_000
	fails := func(c config, seen int) error {
		if c.Attempt < 3 && seen == 9000 {
			return errors.New("a lost wheel")
		}
		return nil
	}
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), passing(fails)}}
	o := options(t, b, &bytes.Buffer{})
	p := rollingPlan(int64(n))
	p.CheckpointInterval = 1
	p.Restart = &Restart{Attempts: 4, DelayMS: 1}
	if r, err := run(t, p, o); err != nil || r.Error != "" {
		t.Fatal(r, err)
	}
	files := tree(t, filepath.Join(o.Dir, "out"))
	var all strings.Builder
	for i := range len(files) {
		text, ok := files[fmt.Sprintf("words-0-%d.txt", i)]
		if !ok {
			t.Fatalf("there is no file %d of %d", i, len(files))
		}
		all.WriteString(text)
	}
	var want strings.Builder
	for i := range n {
		want.WriteString(someWords[i%len(someWords)] + "\n")
	}
	if all.String() != want.String() {
		t.Errorf("%d files have %d bytes, want %d", len(files), all.Len(), want.Len())
	}
}

// A job that fails for good leaves no file that is not whole.
func TestRollingFilesOfAFailure(t *testing.T) {
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), passing(func(_ config, seen int) error {
		if seen == 5 {
			return errors.New("a lost wheel")
		}
		return nil
	})}}
	o := options(t, b, &bytes.Buffer{})
	p := rollingPlan(10)
	p.CheckpointInterval = 1 << 40
	if _, err := run(t, p, o); err == nil {
		t.Fatal("it did not fail")
	}
	if files := tree(t, o.Dir); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
}

// A durable job goes on in another run with the file behind the last that was committed, though a crash left others behind.
func TestRollingFilesGoOn(t *testing.T) {
	n := 8000
	store := memstate.New()
	fail := func(_ config, seen int) error {
		if last, some, _ := store.Last(); some && last.Epoch > 1 && seen > 100 {
			return errors.New("a lost wheel")
		}
		return nil
	}
	defer func(before int64) { rangePiece = before }(rangePiece)
	rangePiece = 16 // so that there are commits long before the end
	b := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), passing(fail)}}
	o := options(t, b, &bytes.Buffer{})
	o.Store, o.Durable, o.Script = store, true, "a"
	p := rollingPlan(int64(n))
	p.CheckpointInterval = 1
	if _, err := run(t, p, o); err == nil {
		t.Fatal("it did not fail")
	}
	out := filepath.Join(o.Dir, "out")
	committed := len(tree(t, out))
	if committed == 0 {
		t.Fatal("nothing was committed")
	}
	torn := filepath.Join(out, fmt.Sprintf(".words-0-%d.txt.inprogress", committed))
	if err := os.WriteFile(torn, []byte("torn"), 0o666); err != nil {
		t.Fatal(err)
	}
	again := &interpreter{tasks: []func(config) behaviour{words(someWords, 1), passing(nil)}}
	o.Bundle, o.Store = again, store.Reopen()
	if r, err := run(t, p, o); err != nil || r.Error != "" {
		t.Fatal(r, err)
	}
	if err := os.Remove(torn); err != nil { // its number was passed over
		t.Fatal(err)
	}
	files := tree(t, out)
	var all strings.Builder
	for i := range len(files) + 1 {
		all.WriteString(files[fmt.Sprintf("words-0-%d.txt", i)])
	}
	if got, want := all.String(), strings.Repeat(strings.Join(someWords, "\n")+"\n", n/len(someWords)); got != want || len(files) <= committed {
		t.Errorf("%d files, %d of them from before, have %d bytes, want %d", len(files), committed, len(got), len(want))
	}
}

func TestRollingPositions(t *testing.T) {
	a := &attempt{options: Options{Dir: t.TempDir()}}
	spec := &Sink{UID: "sink", Name: "Sink", Path: "out", Format: "lines"}
	for text, want := range map[string]string{
		`{"next": 7}`:  "",
		`{"next": -1}`: `the position of the sink cannot be read: {"next": -1}`,
		`[]`:           "the position of the sink cannot be read: []",
		`{"length":1}`: `the position of the sink cannot be read: {"length":1}`, // of a version before
		`{"next": 1, "open": {"path": "out/part-0-0", "length": 3, "created": 0}}`: filepath.Join(a.options.Dir, "out/.part-0-0.inprogress") +
			" is not there, and had 3 bytes at the last commit",
	} {
		a.last.Positions = map[string]json.RawMessage{"sink/0": json.RawMessage(text)}
		w, err := a.openRolling(spec, 0)
		if f := (*fault.Fault)(nil); want != "" && (!errors.As(err, &f) || f.What != want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
		if want == "" && (err != nil || w.next != 7) {
			t.Error(w, err)
		}
	}
}

// The first piece of a file says that it is; one that a job goes on with does not.
func TestFirstPieceOfAFile(t *testing.T) {
	line := strings.Repeat("x", 1000) + "\n"
	var targets [][]int32
	reads := func(c config) behaviour {
		targets = append(targets, nil)
		return func(r row, put func(row)) error {
			if r.kind == kindRecord {
				seen := &targets[len(targets)-1]
				*seen = append(*seen, r.target)
				if len(targets) == 1 && len(*seen) == 3 {
					return errors.New("a lost wheel")
				}
			}
			return nil
		}
	}
	b := &interpreter{tasks: []func(config) behaviour{reads}}
	o := options(t, b, &bytes.Buffer{})
	if err := os.WriteFile(filepath.Join(o.Dir, "in.csv"), []byte(strings.Repeat(line, 4000)), 0o666); err != nil {
		t.Fatal(err)
	}
	p := &Plan{Version: 1, Name: "csv", ID: "1", Partitions: 128, CheckpointInterval: 1, Restart: &Restart{Attempts: 2},
		Tasks:   []Task{{Name: "Read", Parallelism: 1, Inputs: 1, Operators: []Operator{{UID: "read"}}}},
		Sources: []Source{{Number: 1, Name: "File", UID: "file", Parallelism: 1, Kind: "file", Paths: []string{"in.csv"}, Format: "lines"}}}
	if r, err := run(t, p, o); err != nil || r.Error != "" {
		t.Fatal(r, err)
	}
	for i, seen := range targets {
		for k, target := range seen {
			if target == 0 && k > 0 || target != 0 && target != -1 || i == 0 && k == 0 && target != 0 {
				t.Errorf("attempt %d got pieces %v", i+1, seen)
			}
		}
	}
	if len(targets) != 2 {
		t.Errorf("%d attempts", len(targets))
	}
}

// Columns of every type there is go to the Python package and come back as they were.
func TestColumns(t *testing.T) {
	s, err := schema.ParseSchema("a: bool, b: int8, c: int16, d: int32, e: int64, f: uint8, g: uint16, h: uint32, i: uint64, j: float32, k: float64, " +
		"l: utf8, m: binary, n: date32, o: time32[ms], p: time64[us], q: timestamp[us, UTC], r: decimal128(20, 3), s: int64!")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		rec := codectest.Record(t, s, 60)
		defer rec.Release()
		part := rec
		if n := rec.NumRows(); n > 2 {
			part = rec.NewSlice(1, n-1)
			defer part.Release()
		}
		b, err := packColumns(nil, part)
		if err != nil {
			t.Fatal(err)
		}
		back, err := unpackColumns(b, s)
		if err != nil {
			t.Fatal(err)
		}
		defer back.Release()
		if !codectest.Equal(part, back) {
			t.Errorf("got %v, want %v", back, part)
		}
		n := rapid.IntRange(0, len(b)-1).Draw(t, "bytes")
		if _, err := unpackColumns(b[:n], s); err == nil {
			t.Fatalf("%d of %d bytes were taken", n, len(b))
		}
		if _, err := unpackColumns(append(b, 0), s); err == nil {
			t.Error("a byte too many was taken")
		}
	})
}

func FuzzUnpackColumns(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 1, 7, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 'x', 0, 1})
	s, err := schema.ParseSchema("a: int64!, b: utf8, c: bool")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if rec, err := unpackColumns(b, s); err == nil {
			rec.Release()
		}
	})
}

// What a guest says of files is not trusted.
func TestFormatsOfStrangers(t *testing.T) {
	a := &attempt{options: Options{Dir: t.TempDir()}}
	a.options.Formats = options(t, &interpreter{}, nil).Formats
	a.options.Formats["parquet"] = parquet.Format()
	var got []string
	for _, spec := range []Sink{
		{Format: "tape"}, {Format: "parquet"}, {Format: "parquet", Columns: json.RawMessage(`[["a", "int128"]]`)},
		{Format: "parquet", Columns: json.RawMessage(`[["a", "null"]]`)},
	} {
		_, err := a.openRolling(&spec, 0)
		got = append(got, fmt.Sprint(err))
	}
	w, err := a.openRolling(&Sink{Name: "Sink", Path: "out", Format: "parquet", Columns: json.RawMessage(`[["a", "int64"]]`)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &subtask{task: &Task{Name: "T", Parallelism: 1}}
	got = append(got, fmt.Sprint(w.write(context.Background(), s, &row{payload: []byte{1, 2}})))
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`unknown format of files "tape"`, "the columns of the sink are not names and types", "type \"int128\": unknown type `int128`",
		"column a: type null cannot be written as Parquet", "T (1/1): the subtask answered with columns that are cut short",
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("got %s, want %s", got[i], want[i])
		}
	}
	if files := tree(t, a.options.Dir); len(files) != 0 {
		t.Errorf("left behind: %v", slices.Sorted(func(yield func(string) bool) {
			for name := range files {
				if !yield(name) {
					return
				}
			}
		}))
	}
}

// Columns of a file that cannot be read are passed over, unless they are asked for.
func TestFilesWithNestedColumns(t *testing.T) {
	rec := codectest.Rows(memory.DefaultAllocator, codectest.Schema(t, "n: int64, list: list<int64>, s: struct<a: utf8>, m: utf8"), 3)
	defer rec.Release()
	encoder, err := parquet.Format().NewEncoder(rec.Schema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	e := encoder.(codec.BatchEncoder)
	e.Reset()
	data, err := e.AppendFile(nil, rec)
	if err == nil {
		data, err = e.AppendFile(data, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	for columns, want := range map[string]string{
		`["M", "n", "none"]`: `[["n","int64"],["m","utf8"]] 3`, `["n", "list"]`: "column list: a group of columns cannot be read from Parquet (leave it out of the schema)",
		`["S"]`: "column s: a group of columns cannot be read from Parquet (leave it out of the schema)",
	} {
		var out bytes.Buffer
		o := options(t, &interpreter{tasks: []func(config) behaviour{func(c config) behaviour {
			return func(r row, put func(row)) error {
				if r.kind == kindRecord {
					put(row{kind: kindData, number: 1, payload: fmt.Appendf(nil, "%s %d", r.key, r.target)})
				}
				return nil
			}
		}}}, &out)
		o.Formats["parquet"] = parquet.Format()
		put(t, filepath.Join(o.Dir, "in/a.parquet"), string(data))
		p := discovering(1, 1)
		p.Sources[0].DiscoverMS, p.Sources[0].Format, p.Sources[0].Columns, p.Sources[0].IgnoreCase = nil, "parquet", json.RawMessage(columns), true
		_, err := run(t, p, o)
		got := out.String()
		if err != nil {
			got = fault.From(err).Error()
		}
		if !strings.HasSuffix(got, want) || out.Len() > 0 && got != want {
			t.Errorf("%s: got %s, want %s", columns, got, want)
		}
	}
}

package file_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/codectest"
	"github.com/wasmill/wasmill/connectors/codec/parquet"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// parquetRows returns a file of rows numbered from 0, 7919 apart.
func parquetRows(t testing.TB, n int) []byte {
	t.Helper()
	rec := codectest.Rows(memory.DefaultAllocator, codectest.Schema(t, "n: int64"), n)
	defer rec.Release()
	e, err := parquet.Format().NewEncoder(rec.Schema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := e.(codec.BatchEncoder).AppendMessage(nil, rec, 0, n)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// openRows opens files by their index.
func openRows(config, dir string, positions map[string]json.RawMessage) (connectors.Reader, error) {
	s, err := newSource(config)()
	if err != nil {
		return nil, err
	}
	job := connectors.Job{Dir: dir, Rows: parquet.Format().Rows}
	names, err := s.Splits(context.Background(), job)
	if err != nil {
		return nil, err
	}
	var splits []connectors.Split
	for _, name := range names {
		splits = append(splits, connectors.Split{ID: name, Position: positions[name]})
	}
	return s.Open(context.Background(), job, splits)
}

// TestRowsGoOnAtAnyMessage: reading that goes on behind a message gives the rows behind it, each once, of all files.
func TestRowsGoOnAtAnyMessage(t *testing.T) {
	const rows = 20_000
	dir := t.TempDir()
	for _, name := range []string{"a.parquet", "b.parquet"} {
		if err := os.WriteFile(filepath.Join(dir, name), parquetRows(t, rows), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := 0
	var positions map[string]json.RawMessage
	for started := 0; ; started++ {
		r, err := openRows(`"*.parquet"`, dir, positions)
		if err != nil {
			t.Fatal(err)
		}
		messages, err := r.Next(context.Background(), nil, 100)
		if errors.Is(err, io.EOF) {
			if read, all := r.(connectors.Sized).Progress(); read != all {
				t.Errorf("%d of %d bytes are counted as read", read, all)
			}
			r.Close()
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if !m.Start || m.File == nil || m.Subject != []string{"a.parquet", "b.parquet"}[want/rows] || m.Sequence != uint64(want%rows)+1 {
				t.Fatalf("message of %s, row %d, start %v", m.Subject, m.Sequence, m.Start)
			}
			for ; len(m.Data) > 0; m.Data = m.Data[codec.RowNumber:] {
				if got := binary.LittleEndian.Uint64(m.Data); got != uint64(want%rows) {
					t.Fatalf("expected row %d, got %d", want%rows, got)
				}
				want++
			}
		}
		if positions, err = r.Positions(); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	if want != 2*rows {
		t.Errorf("read %d of %d rows", want, 2*rows)
	}
}

func TestRowsFaults(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{"a.parquet": parquetRows(t, 10), "b.parquet": parquetRows(t, 11), "cut.parquet": parquetRows(t, 10)[:200]} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := openRows(`"b.parquet"`, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(context.Background(), nil, 1); err != nil {
		t.Fatal(err)
	}
	positions, err := r.Positions()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	positions["a.parquet"] = positions["b.parquet"]
	_, err = openRows(`{"path":"a.parquet","follow":true}`, dir, nil)
	wantFault(t, err, fault.Unsupported, "follow: files of this format cannot be followed: their end says what is in them")
	for _, c := range []struct {
		config, want string
		code         fault.Code
	}{
		{`"a.parquet"`, fmt.Sprintf("%s is not the file that was read up to row 11: it was shortened or replaced (--fresh starts from the beginning)", filepath.Join(dir, "a.parquet")), fault.State},
		{`"cut.parquet"`, fmt.Sprintf("%s: expected a Parquet file, got bytes that end with ", filepath.Join(dir, "cut.parquet")), fault.Decode},
	} {
		r, err := openRows(c.config, dir, positions)
		if err == nil {
			_, err = r.Next(context.Background(), nil, 1)
			r.Close()
		}
		var f *fault.Fault
		if !errors.As(err, &f) || f.Code != c.code || len(err.Error()) < len(c.want) || err.Error()[:len(c.want)] != c.want {
			t.Errorf("%s:\nexpected %s\ngot      %v", c.config, c.want, err)
		}
	}
}

// TestParquetFileIsContinued: what was written behind a commit is cut off, and the file gone on with. A writer that ends in the middle
// of an epoch leaves a file that nobody takes for a whole one.
func TestParquetFileIsContinued(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.parquet")
	s := codectest.Schema(t, "n: int64")
	rec := codectest.Rows(memory.DefaultAllocator, s, 100)
	defer rec.Release()
	count := parquet.Format().Rows
	var position json.RawMessage
	for round := range 4 {
		sink, err := newSink(`"out.parquet"`)()
		if err != nil {
			t.Fatal(err)
		}
		e, err := parquet.Format().NewEncoder(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		w, err := sink.Open(context.Background(), connectors.Job{Dir: dir}, 0, 1, e, position)
		if err != nil {
			t.Fatal(err)
		}
		write := func() {
			if err := w.Write(context.Background(), &stream.Batch{Record: rec}); err != nil {
				t.Fatal(err)
			}
		}
		if round > 0 { // one that only ends the file
			write()
		}
		var wait func(context.Context) error
		if position, wait, err = w.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := wait(context.Background()); err != nil {
			t.Fatal(err)
		}
		if round == 2 {
			write()
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		rows, err := count(f, info.Size())
		f.Close()
		if round == 2 {
			const want = "the Parquet file has no end yet (a job writes the end when it ends; one that was interrupted goes on when it is started again)"
			wantFault(t, err, fault.Decode, want)
		} else if err != nil || rows != int64(100*round) {
			t.Errorf("round %d: %d rows, %v", round, rows, err)
		}
	}
	sink, err := newSink(`"out.parquet.gz"`)()
	if err != nil {
		t.Fatal(err)
	}
	e, err := parquet.Format().NewEncoder(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sink.Open(context.Background(), connectors.Job{Dir: dir}, 0, 1, e, nil)
	wantFault(t, err, fault.Unsupported, filepath.Join(dir, "out.parquet.gz")+" cannot be compressed as a whole: format parquet compresses what is in it (leave out the ending .gz)")
}

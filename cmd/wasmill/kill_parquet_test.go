package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/file"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/parquet"
)

const copyPipeline = `
name: copy
epoch: 10ms
input: {file: in.parquet}
output: {file: out.parquet}
`

// TestKillParquet kills the command with SIGKILL at random moments while it copies a Parquet file, and then lets it finish: the copy must
// hold each row once, in order. Between, nobody must be able to read it as if it were whole.
func TestKillParquet(t *testing.T) {
	const rows = 1_200_000
	dir := t.TempDir()
	writeNumbers(t, filepath.Join(dir, "in.parquet"), rows)
	if err := os.WriteFile(filepath.Join(dir, "copy.yaml"), []byte(copyPipeline), 0o666); err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath("wasmill") // where testscript.Main put it
	if err != nil {
		t.Fatal(err)
	}
	kills, cut := 0, 0
	for ended := false; !ended; {
		cmd := exec.Command(path, "run", "copy.yaml")
		cmd.Dir = dir
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		after := time.Duration(60+rand.IntN(150)) * time.Millisecond
		if kills == 12 {
			after = 5 * time.Minute
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			ended = true
		case <-time.After(after):
			cmd.Process.Kill()
			<-done
			kills++
			if r, err := file.OpenParquetFile(filepath.Join(dir, "out.parquet"), false); err != nil {
				cut++
			} else {
				if r.NumRows() != rows {
					t.Errorf("a file of %d rows can be read where %d are to come", r.NumRows(), rows)
				}
				r.Close()
			}
		}
	}
	t.Logf("killed %d times, of which %d left a file without an end", kills, cut)
	r, err := file.OpenParquetFile(filepath.Join(dir, "out.parquet"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	at := int64(0)
	for g := range r.NumRowGroups() {
		c, err := r.RowGroup(g).Column(0)
		if err != nil {
			t.Fatal(err)
		}
		n := r.RowGroup(g).NumRows()
		ids, levels := make([]int64, n), make([]int16, n)
		for got := int64(0); got < n; {
			_, read, err := c.(*file.Int64ColumnChunkReader).ReadBatch(n-got, ids, levels, nil)
			if err != nil || read == 0 {
				t.Fatalf("row group %d: %d of %d rows, %v", g, got, n, err)
			}
			for _, id := range ids[:read] {
				if id != at {
					t.Fatalf("expected row %d, got %d", at, id)
				}
				at++
			}
			got += int64(read)
		}
	}
	if at != rows || r.NumRows() != rows {
		t.Errorf("expected %d rows, got %d, and %d in the footer", rows, at, r.NumRows())
	}
}

// writeNumbers writes a file of numbered rows.
func writeNumbers(t *testing.T, path string, rows int) {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "word", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	e, err := parquet.Format().NewEncoder(schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for at := 0; at < rows; {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for range min(10_000, rows-at) {
			b.Field(0).(*array.Int64Builder).Append(int64(at))
			b.Field(1).(*array.StringBuilder).Append("word" + string(rune('a'+at%26)))
			at++
		}
		rec := b.NewRecord()
		if out, err = e.(codec.BatchEncoder).AppendFile(out, rec); err != nil {
			t.Fatal(err)
		}
		rec.Release()
		b.Release()
	}
	if out, err = e.(codec.BatchEncoder).AppendFile(out, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out, 0o666); err != nil {
		t.Fatal(err)
	}
}

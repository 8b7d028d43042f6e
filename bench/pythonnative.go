package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/engine/udf"
)

// native is the C of the sandbox's Python built for this machine, with a CPython of the same source and options that the recipe builds: what a row costs
// without WebAssembly.
type native struct{ home, program string }

// buildNative builds both. CPython takes minutes the first time, and is kept in the recipe's cache.
func buildNative(e *env) (*native, error) {
	out, err := exec.Command("go", "run", "./pyodide-build/recipe", "native").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("a CPython of this machine: %v\n%s", err, exit.Stderr)
		}
		return nil, err
	}
	n := &native{home: strings.TrimSpace(string(out)), program: filepath.Join(e.dir, "rows")}
	sources, err := filepath.Glob("pyodide-build/runtime/*.c")
	if err != nil {
		return nil, err
	}
	libraries, err := filepath.Glob(filepath.Join(n.home, "lib", "python3.13", "config-*", "libpython3.13.a"))
	if err != nil || len(libraries) != 1 {
		return nil, fmt.Errorf("a CPython of this machine: %d libraries in %s", len(libraries), n.home)
	}
	args := append([]string{"-std=gnu11", "-O3", "-DNDEBUG", "-fvisibility=hidden", "-w", "-Ipyodide-build/runtime", "-isystem", filepath.Join(n.home, "include", "python3.13"),
		"-o", n.program, "bench/native/rows.c"}, sources...)
	args = append(args, libraries[0], "-Wl,--export-dynamic", "-Wl,--wrap=PyErr_CheckSignals", "-lm", "-ldl", "-lpthread", "-lutil")
	if text, err := exec.Command("clang-19", args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the runtime for this machine: %v\n%s", err, text)
	}
	return n, nil
}

// nativeRows is a function over the rows of a record, in a process of its own.
type nativeRows struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	rows   int64
	closed bool
}

// start loads a file of bench/python and runs nothing yet.
func (n *native) start(e *env, file, function string, kind udf.Kind, rec arrow.Record, batches int) (*nativeRows, error) {
	data := filepath.Join(e.dir, "columns")
	if err := writeColumns(data, rec); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(filepath.Join("bench", "python", file))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(n.program, n.home, "pyodide-build/lib", path, function, string(kind), data, fmt.Sprint(batches))
	if cmd.Args[2], err = filepath.Abs(cmd.Args[2]); err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	r := &nativeRows{cmd: cmd, rows: rec.NumRows()}
	if r.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.out = bufio.NewReader(out)
	return r, cmd.Start()
}

// round returns the processor time of a row in nanoseconds.
func (r *nativeRows) round() (float64, error) {
	if _, err := io.WriteString(r.in, "\n"); err != nil {
		return 0, err
	}
	var ns float64
	var rows int64
	if _, err := fmt.Fscanln(r.out, &ns, &rows); err != nil {
		return 0, fmt.Errorf("%v: %w", r.cmd, err)
	}
	if rows != r.rows {
		return 0, fmt.Errorf("%d rows came back of %d", rows, r.rows)
	}
	return ns, nil
}

func (r *nativeRows) close() {
	if !r.closed {
		r.closed = true
		r.in.Close()
		r.cmd.Wait()
	}
}

// writeColumns writes a record, whose columns have no nulls, as bench/native/rows.c reads it.
func writeColumns(path string, rec arrow.Record) error {
	var b []byte
	number := func(n int) { b = binary.LittleEndian.AppendUint64(b, uint64(n)) }
	text := func(s []byte) {
		number(len(s))
		b = append(b, s...)
	}
	number(int(rec.NumRows()))
	number(int(rec.NumCols()))
	formats := map[arrow.Type]string{arrow.INT64: "l", arrow.FLOAT64: "g", arrow.BOOL: "b", arrow.STRING: "u"}
	for i, column := range rec.Columns() {
		field := rec.Schema().Field(i)
		text([]byte(formats[field.Type.ID()]))
		text([]byte(field.Name))
		meta := binary.LittleEndian.AppendUint32(nil, uint32(field.Metadata.Len()))
		for k, key := range field.Metadata.Keys() {
			for _, s := range []string{key, field.Metadata.Values()[k]} {
				meta = append(binary.LittleEndian.AppendUint32(meta, uint32(len(s))), s...)
			}
		}
		text(meta)
		buffers := column.Data().Buffers()
		number(len(buffers))
		for _, buffer := range buffers {
			if buffer == nil {
				text(nil)
			} else {
				text(buffer.Bytes())
			}
		}
	}
	return os.WriteFile(path, b, 0o600)
}

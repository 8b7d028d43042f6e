package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pyodide "github.com/wasmill/wasmill/pyodide-build"
)

const newFilesScript = `
from pyflink.common import Duration, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSource, StreamFormat

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
source = FileSource.for_record_stream_format(StreamFormat.text_line_format(), "in").monitor_continuously(Duration.of_millis(20)).build()
env.from_source(source, WatermarkStrategy.no_watermarks(), "files").uid("files").map(lambda line: "%s|" % line).print()
env.execute("files")
`

// A script reads files as they come, until Ctrl-C, and in a later run those that came since.
func TestScriptReadsNewFiles(t *testing.T) {
	pyodide.ForTest(t)
	path, err := exec.LookPath("wasmill") // where testscript.Main put it
	if err != nil {
		t.Fatal(err)
	}
	cache, err := filepath.Abs("../../.cache/test")
	if err != nil {
		t.Fatal(err)
	}
	script := writeScript(t, newFilesScript)
	put := func(name, text string) {
		to := filepath.Join(filepath.Dir(script), "in", name)
		hidden := filepath.Join(filepath.Dir(to), "."+filepath.Base(to))
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o777), os.WriteFile(hidden, []byte(text), 0o666), os.Rename(hidden, to)); err != nil {
			t.Fatal(err)
		}
	}
	put("a.txt", "one\n")
	for _, words := range [][2]string{{"one", "two"}, {"three", "four"}} {
		cmd := exec.Command(path, "run", filepath.Base(script), "--state", "state")
		cmd.Dir, cmd.Env = filepath.Dir(script), append(os.Environ(), "WASMILL_CACHE="+cache)
		var errOut strings.Builder
		cmd.Stderr = &errOut
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		lines := bufio.NewScanner(out)
		line := func(want string) {
			t.Helper()
			if !lines.Scan() || !strings.HasSuffix(lines.Text(), "> "+want+"|") {
				t.Fatalf("got %q, want %s; errors:\n%s", lines.Text(), want, errOut.String())
			}
		}
		line(words[0])
		put("below/"+words[1]+".txt", words[1])
		line(words[1])
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			t.Errorf("a line more: %s", lines.Text())
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, errOut.String())
		}
		put("next.txt", "three\n")
	}
}

const takenAlongScript = `
import os
import shutil
import tempfile

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
env.add_python_archive("data.zip")
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "rate.txt"), "w") as f:
        f.write("3")
    model = shutil.make_archive(tempfile.mktemp(), "gztar", folder)
env.add_python_archive(model, "model")
env.set_python_requirements("requirements.txt", "wheels")


def work(v):
    from python_package1 import plus

    with open("data.zip/in/word.txt") as word, open("model/rate.txt") as rate:
        text = "%s %d" % (word.read(), plus(int(rate.read()), v))
    try:
        open("model/other.txt", "w")
    except OSError as e:
        return "%s %s %s" % (text, type(e).__name__, sorted(os.listdir("model")))


env.from_collection([1, 2], Types.INT()).rebalance().map(work, Types.STRING()).print()
env.execute()
`

// Archives lie unpacked beside the script, packages are installed, for all subtasks.
func TestScriptTakesAlong(t *testing.T) {
	path := writeScript(t, takenAlongScript)
	zipped := func(name string, files map[string]string) {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, text := range files {
			w, err := z.Create(name)
			if err == nil {
				_, err = io.WriteString(w, text)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		at := filepath.Join(filepath.Dir(path), name)
		if err := errors.Join(z.Close(), os.MkdirAll(filepath.Dir(at), 0o777), os.WriteFile(at, b.Bytes(), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	zipped("data.zip", map[string]string{"in/word.txt": "hello"})
	zipped("wheels/python_package1-1.0-py3-none-any.whl", map[string]string{
		"python_package1/__init__.py": "def plus(a, b):\n    return a + b\n", "python_package1-1.0.dist-info/METADATA": "Name: python-package1\nVersion: 1.0\n"})
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "requirements.txt"), []byte("python-package1>=1\napache-flink\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := runPython(t, path)
	want := []string{"1> hello 4 OSError ['rate.txt']", "2> hello 5 OSError ['rate.txt']"}
	if got := sortedLines(out); code != exitDone || !slices.Equal(got, want) {
		t.Errorf("exit code %d, got %q, errors:\n%s", code, got, errOut)
	}
}

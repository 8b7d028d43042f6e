package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
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

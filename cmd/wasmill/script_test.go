package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pyodide "github.com/wasmill/wasmill/pyodide-build"
)

// runPython runs the command in this process, with the checkout's cache, and returns its exit code and outputs.
func runPython(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	pyodide.ForTest(t)
	cache, err := filepath.Abs("../../.cache/test")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("WASMILL_CACHE", cache)
	t.Setenv("WASMILL_NATS_PORT", "-1")
	t.Setenv("WASMILL_DATA", t.TempDir())
	var o, e bytes.Buffer
	code = run(context.Background(), append([]string{"run"}, args...), strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func sortedLines(text string) []string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	slices.Sort(lines)
	return lines
}

// The scenarios of examples/pyflink run as they are, and write what is kept beside them.
func TestPyFlinkExamples(t *testing.T) {
	expected, err := filepath.Glob("../../examples/pyflink/expected/*.txt")
	if err != nil || len(expected) < 9 {
		t.Fatal(expected, err)
	}
	for _, file := range expected {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			code, out, errOut := runPython(t, filepath.Join("../../examples/pyflink", name+".py"))
			if code != exitDone || !slices.Equal(sortedLines(out), sortedLines(string(want))) {
				t.Errorf("exit code %d, output:\n%s\nerrors:\n%s", code, out, errOut)
			}
		})
	}
}

// The tests of the DataStream API run on the engine as they do on the host that is written in Python.
func TestDataStreamAPI(t *testing.T) {
	for _, name := range []string{"test_datastream.py", "test_windows.py", "test_compatible.py", "test_avro.py", "test_bindings.py"} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := runPython(t, filepath.Join("../../pyodide-build/lib/tests", name))
			if code != exitDone || !strings.Contains(errOut, "\nOK") {
				t.Errorf("exit code %d, output:\n%s\nerrors:\n%s", code, out, errOut)
			}
		})
	}
}

func TestScriptFaults(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "job.py")
		if err := os.WriteFile(path, []byte("from pyflink.datastream import StreamExecutionEnvironment\nenv = StreamExecutionEnvironment.get_execution_environment()\n"+text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct{ text, want string }{
		{"def parse(x):\n    return 10 / x\nenv.from_collection([1, 0]).map(parse).print()\nenv.execute()\n", "ZeroDivisionError: division by zero (job.py, line 4, in parse)"},
		{"env.add_jars('file:///kafka.jar')\n", "there is no JVM"},
		{"env.from_collection([1]).key_by(lambda x: x).name('x')\n", "Set name for KeyedStream is not supported."},
		{"env.execute()\n", "No operators defined in streaming topology."},
		{"env.read_text_file('nowhere.txt').print()\nenv.execute()\n", "there is no file "},
		{"def f(:\n", "invalid syntax (job.py, line 3)"},
		{"env.from_collection([1]).map(lambda x: [0] * (1 << 29)).print()\nenv.execute()\n", "MemoryError"},
	} {
		code, out, errOut := runPython(t, write(c.text))
		if code == exitDone || !strings.Contains(errOut, c.want) {
			t.Errorf("%s\nexit code %d, output %q, expected %q in:\n%s", c.text, code, out, c.want, errOut)
		}
	}
	for text, want := range map[string]struct {
		code int
		out  string
	}{
		"import sys\nsys.exit(4)\n":              {4, ""},
		"import sys\nsys.exit('no such city')\n": {1, "no such city\n"},
		"import sys\nsys.exit(None)\n":           {0, ""},
	} {
		if code, _, errOut := runPython(t, write(text)); code != want.code || errOut != want.out {
			t.Errorf("%s: exit code %d, %q", text, code, errOut)
		}
	}
	if code, _, errOut := runPython(t, write(""), "--function", "x"); code != exitUsage || !strings.Contains(errOut, "it is for functions") {
		t.Errorf("exit code %d, %s", code, errOut)
	}
}

func TestScriptJetStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "words.py")
	text := `
from pyflink.common import SimpleStringSchema, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment
from wasmill.connectors import JetStreamSink, JetStreamSource

env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(2)
sink = JetStreamSink.builder().set_stream("WORDS", create=True).set_subject(lambda w: w[0], under="words").build()
env.from_collection(["alpha", "beta", "again"], Types.STRING()).sink_to(sink)
env.execute("write")
source = JetStreamSource.builder().set_stream("WORDS").set_subjects("words.a").set_value_only_deserializer(SimpleStringSchema()).set_bounded().build()
words = env.from_source(source, WatermarkStrategy.for_monotonous_timestamps(), "words")
print(sorted(words.map(lambda w: w.upper()).execute_and_collect()))
`
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, out, errOut := runPython(t, path); code != exitDone || out != "['AGAIN', 'ALPHA']\n" {
		t.Errorf("exit code %d, output %q, errors:\n%s", code, out, errOut)
	}
}

// A script may leave the API to a module beside it.
func TestScriptOfModules(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"jobs.py": "from pyflink.datastream import StreamExecutionEnvironment\ndef run():\n" +
			"    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)\n    env.from_collection([1, 2]).map(lambda v: v * 2).print()\n    env.execute()\n",
		"main.py":  "from jobs import run\n\nif __name__ == '__main__':\n    run()\n",
		"plain.py": "import json\n\ndef map(event):\n    return event\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if isScript(filepath.Join(dir, "plain.py")) {
		t.Error("a file of functions is taken for a script")
	}
	if code, out, errOut := runPython(t, filepath.Join(dir, "main.py")); code != exitDone || out != "2\n4\n" {
		t.Errorf("exit code %d, output:\n%s\nerrors:\n%s", code, out, errOut)
	}
}

// The API may be imported deep in a package, and by what a module imports.
func TestScriptOfPackages(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"jobs/__init__.py":      "",
		"jobs/flow/__init__.py": "",
		"jobs/flow/double.py":   "from pyflink.datastream import StreamExecutionEnvironment\nfrom .. import version\n" + doubled,
		"jobs/version.py":       "import importlib.metadata\ntry:\n    text = importlib.metadata.version('nowhere')\nexcept importlib.metadata.PackageNotFoundError:\n    text = 'none'\n",
		"cli.py":                "from jobs.flow.double import run\n",
		"main.py":               "import json\nimport cli\ncli.run()\n",
		"plain.py":              "import helper\n\ndef map(event):\n    return event\n",
		"helper.py":             "import helper, plain\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if isScript(filepath.Join(dir, "plain.py")) {
		t.Error("a file of functions is taken for a script")
	}
	if code, out, errOut := runPython(t, filepath.Join(dir, "main.py")); code != exitDone || out != "none\n2\n4\n" {
		t.Errorf("exit code %d, output:\n%s\nerrors:\n%s", code, out, errOut)
	}
}

const doubled = `
def run():
    env = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)
    print(version.text)
    env.from_collection([1, 2]).map(lambda v: v * 2).print()
    env.execute()
`

// What subtasks send each other is no row of the user's.
func TestFaultsOfScriptsShowNoRowsOfTheEngine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job.py")
	const text = "from pyflink.common import Types\nfrom pyflink.datastream import StreamExecutionEnvironment\n" +
		"env = StreamExecutionEnvironment.get_execution_environment()\nenv.from_collection([1]).map(str, Types.INT()).print()\nenv.execute()\n"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	code, _, errOut := runPython(t, path)
	if code == exitDone || !strings.Contains(errOut, "expected Integer, got str: '1'") || strings.Contains(errOut, "row: {") {
		t.Errorf("exit code %d, errors:\n%s", code, errOut)
	}
}

func TestScriptsThatForgetToExecute(t *testing.T) {
	const head = "from pyflink.datastream import StreamExecutionEnvironment\nenv = StreamExecutionEnvironment.get_execution_environment()\n"
	for text, want := range map[string]bool{
		"env.from_collection([1]).print()\n":                              true,
		"env.from_collection([1]).print()\nenv.execute()\n":               false,
		"env.from_collection([1]).print()\nenv.get_execution_plan()\n":    false,
		"env.from_collection([1]).print()\nraise ValueError('x')\n":       false,
		"env.from_collection([1]).map(lambda v: v).execute_and_collect()": false,
	} {
		path := filepath.Join(t.TempDir(), "job.py")
		if err := os.WriteFile(path, []byte(head+text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, _, errOut := runPython(t, path); strings.Contains(errOut, "call env.execute() behind") != want {
			t.Errorf("%s\nexpected a note: %v, got %q", text, want, errOut)
		}
	}
}

// The end of a script waits for jobs that it has begun, and tells of those that failed.
func TestScriptsWaitForTheirJobs(t *testing.T) {
	const head = "from pyflink.datastream import StreamExecutionEnvironment\nenv = StreamExecutionEnvironment.get_execution_environment().set_parallelism(1)\n"
	run := func(text string) (int, string, string) {
		path := filepath.Join(t.TempDir(), "job.py")
		if err := os.WriteFile(path, []byte(head+text), 0o666); err != nil {
			t.Fatal(err)
		}
		return runPython(t, path)
	}
	code, out, errOut := run("env.from_collection([1]).print()\nenv.execute_async()\nenv.from_collection([2]).print()\nenv.execute_async()\n")
	if code != exitDone || !slices.Equal(sortedLines(out), []string{"1", "2"}) {
		t.Errorf("exit code %d, output %q, errors %q", code, out, errOut)
	}
	code, _, errOut = run("env.from_collection([1]).map(lambda v: v / 0).print()\nenv.execute_async()\n")
	if code == exitDone || !strings.Contains(errOut, "division by zero") {
		t.Errorf("exit code %d, errors %q", code, errOut)
	}
}

package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/memstate"
)

const keepScript = `
import sys
from pyflink.common import Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment, KeyedProcessFunction
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import ListStateDescriptor, MapStateDescriptor, ValueStateDescriptor

KEYS, REPEAT, WIDTH = map(int, sys.argv[1:])


class Keep(KeyedProcessFunction):
    def open(self, runtime_context):
        self.text = runtime_context.get_state(ValueStateDescriptor("text", Types.STRING()))
        self.seen = runtime_context.get_list_state(ListStateDescriptor("seen", Types.LONG()))
        self.last = runtime_context.get_map_state(MapStateDescriptor("last", Types.STRING(), Types.LONG()))

    def process_element(self, value, ctx):
        text = "%d." % ctx.get_current_key() * REPEAT
        if value < KEYS:
            assert self.text.value() is None and self.last.is_empty(), value
            self.text.update(text)
        else:
            assert (self.text.value(), list(self.seen.get()), self.last.get("v")) == (text, [value - KEYS], value - KEYS), value
            yield 1
        self.seen.add(value)
        self.last.put("v", value)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(WIDTH)
numbers = env.from_source(NumberSequenceSource(0, 2 * KEYS - 1), WatermarkStrategy.no_watermarks(), "numbers")
kept = numbers.map(lambda v: v).set_parallelism(1).key_by(lambda v: v % KEYS).process(Keep(), Types.INT())
kept.key_by(lambda v: 0).reduce(lambda a, b: a + b).filter(lambda n: n == KEYS).print()
env.execute("keep")
`

func writeScript(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "job.py")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// 90 MB of state go through subtasks that may have 40 MiB of memory, the interpreter's included. Nothing stays behind.
func TestScriptStateLargerThanMemory(t *testing.T) {
	path := writeScript(t, keepScript)
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	code, out, errOut := runPython(t, path, "--memory", "40MiB", "--", "18000", "800", "1")
	if code != exitDone || strings.TrimSpace(out) != "18000" {
		t.Errorf("exit code %d, output %q, errors:\n%s", code, out, errOut)
	}
	left, err := filepath.Glob(filepath.Join(folder, spillPrefix+"*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

const goOnScript = `
import sys
from pyflink.common import Encoder, Types, WatermarkStrategy
from pyflink.datastream import StreamExecutionEnvironment, KeyedProcessFunction
from pyflink.datastream.connectors.file_system import FileSink
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import ValueStateDescriptor

WIDTH, FAIL = int(sys.argv[1]), len(sys.argv) > 2
N = 200_000


class Count(KeyedProcessFunction):
    def open(self, runtime_context):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))
        self.done = 0

    def process_element(self, value, ctx):
        self.done += 1
        if FAIL and self.done == 90_000:
            raise ValueError("on purpose")
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        if count * 20 == N:
            yield "%d %d" % (ctx.get_current_key(), count)


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(WIDTH)
env.enable_checkpointing(10)
first = env.from_collection(["first"], Types.STRING()).uid("words").map(lambda w: w, Types.STRING()).uid("same")
first.print()
env.execute("first")
numbers = env.from_source(NumberSequenceSource(0, N - 1), WatermarkStrategy.no_watermarks(), "numbers").uid("numbers")
counts = numbers.key_by(lambda v: v % 20).process(Count(), Types.STRING()).uid("count")
counts.sink_to(FileSink.for_row_format(sys.argv[0][:-len("job.py")] + "out", Encoder.simple_string_encoder()).build()).uid("out")
env.execute("second")
`

// A script whose job failed goes on from its last commit when it is run again, at another parallelism, behind the jobs that had ended.
func TestScriptGoesOn(t *testing.T) {
	for _, c := range []struct {
		name, before, then string // replaced in the script before the second run
		flags              []string
		want               string // a fault; "" when it goes on
	}{
		{name: "other parallelism"},
		{name: "changed type", before: `"count", Types.LONG()`, then: `"count", Types.STRING()`, want: "state count is stored as value<Long>, but the function declares value<String>"},
		{name: "lost operator", before: `uid("count")`, then: `uid("other")`, want: `there is state of an operator "count" (`},
		{name: "dropped operator", before: `Count(), Types.STRING()).uid("count")`, then: `Count(), Types.STRING()).uid("other")`, flags: []string{"--allow-non-restored-state"}},
		{name: "other key groups", before: "env.enable_", then: "env.set_max_parallelism(64)\nenv.enable_", want: "kept in 128 key groups, not in 64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeScript(t, goOnScript)
			folder := filepath.Join(t.TempDir(), "state")
			code, out, errOut := runPython(t, path, "--state", folder, "--", "1", "fail")
			if code == exitDone || !strings.Contains(errOut, "ValueError: on purpose") || out != "first\n" {
				t.Fatalf("exit code %d, output %q, errors:\n%s", code, out, errOut)
			}
			if jobs, err := os.ReadDir(folder); err != nil || len(jobs) != 2 {
				t.Fatal(jobs, err)
			}
			if err := os.WriteFile(path, []byte(strings.Replace(goOnScript, c.before, c.then, 1)), 0o666); err != nil {
				t.Fatal(err)
			}
			args := append([]string{path, "--state", folder}, c.flags...)
			code, _, errOut = runPython(t, append(args, "--", "2")...)
			if c.want != "" {
				if code == exitDone || !strings.Contains(errOut, c.want) {
					t.Errorf("exit code %d, expected %q in:\n%s", code, c.want, errOut)
				}
				return
			}
			if code != exitDone || !strings.Contains(errOut, "job-second: going on from epoch ") {
				t.Fatalf("exit code %d, errors:\n%s", code, errOut)
			}
			if jobs, err := os.ReadDir(folder); err != nil || len(jobs) != 0 {
				t.Errorf("of jobs that have ended there is left %v, %v", jobs, err)
			}
			var lines []string
			parts, err := filepath.Glob(filepath.Join(filepath.Dir(path), "out", "*", "part-*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range parts {
				text, err := os.ReadFile(part)
				if err != nil {
					t.Fatal(err)
				}
				lines = append(lines, sortedLines(string(text))...)
			}
			slices.Sort(lines)
			if c.flags == nil && (len(lines) != 20 || lines[0] != "0 10000" || lines[19] != "9 10000") {
				t.Errorf("got %q", lines)
			}
		})
	}
}

// A job that had ended is not run again while the script has not come to its end, unless the script has changed.
func TestScriptJobsThatEnded(t *testing.T) {
	const text = `
import os
import sys
from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
for word in ("one", "two"):
    env.from_collection([word], Types.STRING()).map(lambda w: w, Types.STRING()).print()
    env.execute("words")
if os.path.exists("stop.txt"):
    raise SystemExit(3)
`
	path := writeScript(t, text)
	stop := filepath.Join(filepath.Dir(path), "stop.txt")
	folder := filepath.Join(t.TempDir(), "state")
	run := func(want string, wantCode int, note bool, flags ...string) {
		t.Helper()
		code, out, errOut := runPython(t, append([]string{path, "--state", folder}, flags...)...)
		if out != want || code != wantCode || note != strings.Contains(errOut, "job-words-2: ended in an earlier run") {
			t.Errorf("exit code %d, output %q, errors:\n%s", code, out, errOut)
		}
	}
	if err := os.WriteFile(stop, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	run("one\ntwo\n", 3, false)
	run("", 3, true)
	run("one\ntwo\n", 3, false, "--fresh")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	run("one\ntwo\n", 3, false)
	if err := os.Remove(stop); err != nil {
		t.Fatal(err)
	}
	run("", exitDone, true)
	run("one\ntwo\n", exitDone, false)
}

// What a job has collected until its last commit is there when it has started again, once.
func TestScriptCollectsOverRestarts(t *testing.T) {
	path := writeScript(t, `
from pyflink.common import RestartStrategies, Types, WatermarkStrategy
from pyflink.datastream import MapFunction, StreamExecutionEnvironment
from pyflink.datastream.connectors.number_seq import NumberSequenceSource


class Fails(MapFunction):
    def open(self, runtime_context):
        self.fails, self.seen = runtime_context.get_attempt_number() < 2, 0

    def map(self, value):
        self.seen += 1
        if self.fails and self.seen == 60_000:
            raise ValueError("on purpose")
        return value


env = StreamExecutionEnvironment.get_execution_environment()
env.set_parallelism(1)
env.enable_checkpointing(10)
env.set_restart_strategy(RestartStrategies.fixed_delay_restart(3, 1))
numbers = env.from_source(NumberSequenceSource(0, 199_999), WatermarkStrategy.no_watermarks(), "numbers").map(Fails(), Types.LONG())
print(list(numbers.execute_and_collect()) == list(range(200_000)))
`)
	if code, out, errOut := runPython(t, path); code != exitDone || out != "True\n" || !strings.Contains(errOut, "failures=2") {
		t.Errorf("exit code %d, output %q, errors:\n%s", code, out, errOut)
	}
}

// Temporary state moves to the disk when it becomes too much, all of it.
func TestSpill(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := &spill{memory: memstate.New()}
	rng := rand.New(rand.NewPCG(1, 2))
	want := map[string]string{}
	for epoch := range uint64(40) {
		c := state.Commit{Marker: state.Marker{Epoch: epoch + 1}}
		for key := range 400 {
			k := fmt.Sprint(rng.IntN(2000), "-", key)
			if rng.IntN(5) == 0 {
				delete(want, k)
				c.Changes = append(c.Changes, state.Change{Key: []byte(k)})
				continue
			}
			want[k] = strings.Repeat(k, 1000)
			c.Changes = append(c.Changes, state.Change{Key: []byte(k), Value: []byte(want[k])})
		}
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if epoch == 0 && s.disk != nil {
			t.Error("it went to the disk at once")
		}
	}
	if s.disk == nil {
		t.Error("it stayed in memory")
	}
	got := map[string]string{}
	if err := s.Scan(nil, func(key, value []byte) bool { got[string(key)] = string(value); return true }); err != nil || !maps.Equal(got, want) {
		t.Errorf("%d entries, want %d, %v", len(got), len(want), err)
	}
	if last, _, err := s.Last(); err != nil || last.Epoch != 40 {
		t.Error(last, err)
	}
	folder := s.folder
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Error("its folder is there still")
	}
	dead := filepath.Join(os.TempDir(), spillPrefix+"4194304000-1")
	if err := os.MkdirAll(dead, 0o777); err != nil {
		t.Fatal(err)
	}
	sweepSpills()
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Error("the folder of a process that is gone is there still")
	}
}

package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const windowPipeline = `
name: windows
epoch: 30ms
parallelism: ${TASKS}
input:
  generate:
    rows: 200000
    rate: 200000
    splits: 2
    fields:
      k: {kind: int, min: 1, max: 500}
      v: {kind: int, min: -9, max: 9}
      at: {kind: time, step: 1ms}
  schema: {k: int64, v: int64, at: "timestamp[ms, UTC]"}
  event_time: {column: at, out_of_orderness: 10s}
pipeline:
  - key_by: k
  - label: sums
    window:
      sliding: {size: 20s, slide: 5s}
      aggregate: {n: count, sum: {sum: v}, most: {max: v}}
  - key_by: k
  - label: sessions
    window:
      session: 4s
      aggregate: {windows: count, rows: {sum: n}}
output:
  file: {path: out.ndjson}
  parallelism: 1
`

// TestKillWindows kills the command with SIGKILL at random moments while it aggregates sliding windows and sessions of those, with
// one or two tasks, and then lets it finish. What comes out is what comes out of a run that nobody killed.
func TestKillWindows(t *testing.T) {
	killed(t, windowPipeline, []string{"out.ndjson"}, func(string) {})
}

// killed runs a pipeline that nobody kills, and one that is killed at random moments, and compares the lines of their outputs. The
// pipeline's folder is made ready by setUp.
func killed(t *testing.T, pipeline string, outputs []string, setUp func(dir string)) {
	path, err := exec.LookPath("wasmill") // where testscript.Main put it
	if err != nil {
		t.Fatal(err)
	}
	run := func(dir, tasks string) (*exec.Cmd, *bytes.Buffer) {
		if err := os.WriteFile(filepath.Join(dir, "pipeline.yaml"), []byte(pipeline), 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(path, "run", "--quiet", "pipeline.yaml")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "TASKS="+tasks)
		out := &bytes.Buffer{}
		cmd.Stdout, cmd.Stderr = out, out
		return cmd, out
	}
	result := func(dir string) []string {
		var all []string
		for _, output := range outputs {
			data, err := os.ReadFile(filepath.Join(dir, output))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, strings.Split(strings.TrimSpace(string(data)), "\n")...)
		}
		slices.Sort(all)
		return all
	}
	quiet := t.TempDir()
	setUp(quiet)
	if cmd, out := run(quiet, "1"); cmd.Run() != nil {
		t.Fatal(out)
	}
	want := result(quiet)
	dir, kills := t.TempDir(), 0
	setUp(dir)
	for {
		tasks := []string{"1", "2"}[rand.IntN(2)]
		cmd, out := run(dir, tasks)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		wait := time.Duration(100+rand.IntN(400)) * time.Millisecond
		if kills == 6 {
			wait = time.Hour
		}
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		case <-time.After(wait):
			kills++
			cmd.Process.Kill()
			<-done
			continue
		}
		break
	}
	t.Logf("killed %d times", kills)
	if got := result(dir); !slices.Equal(got, want) {
		t.Fatalf("%d lines came out, want %d, or they differ", len(got), len(want))
	}
}

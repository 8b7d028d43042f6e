package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wasmill/wasmill/internal/cbuild"
)

const processPipeline = `
name: buckets
epoch: 30ms
parallelism: ${TASKS}
input:
  generate:
    rows: 100000
    rate: 100000
    splits: 2
    fields:
      k: {kind: int, min: 1, max: 500}
      v: {kind: int, min: -9, max: 9}
      at: {kind: time, step: 1ms}
  schema: {k: int64!, v: int64!, at: "timestamp[ms, UTC]"}
  event_time: {column: at, out_of_orderness: 10s}
bundles: {buckets: buckets.wasm}
pipeline:
  - key_by: k
  - label: sums
    process: {function: buckets, side_outputs: {odd: odd}}
outputs:
  - {file: {path: out.ndjson}, parallelism: 1}
  - {file: {path: odd.ndjson}, from: odd, parallelism: 1}
`

// TestKillProcess kills the command with SIGKILL while a guest keeps maps, lists and timers, with one or two tasks.
func TestKillProcess(t *testing.T) {
	flags := append(cbuild.Freestanding, "-I"+filepath.Join("..", "..", "sdk", "c"))
	wasm := cbuild.Build(t, []string{filepath.Join("testdata", "buckets", "buckets.c")}, flags...)
	killed(t, processPipeline, []string{"out.ndjson", "odd.ndjson"}, func(dir string) {
		if err := os.WriteFile(filepath.Join(dir, "buckets.wasm"), wasm, 0o666); err != nil {
			t.Fatal(err)
		}
	})
}

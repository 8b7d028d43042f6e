package pipeline_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wasmill/wasmill/engine/pipeline"
	"github.com/wasmill/wasmill/engine/plan"
)

const flights = `name: flights
parallelism: 1
partitions: 128
epoch: 1s
restart: {attempts: 5, delay: 500ms, max_delay: 30s}
input:
  label: events
  jetstream: {stream: ${STREAM:FLIGHTS}, subjects: ["flights.>"], from: start}
  format: {csv: {delimiter: ";"}}
  schema:
    carrier: utf8
    dep_delay: float64
  metadata: {subject: subject, hdr: header:Trace-Id}
  event_time: {column: at, out_of_orderness: 5s, idle: 10s}
  on_error: skip
bundles: {flights: ./flights.wasm}
pipeline:
  - label: clean
    filter: {bundle: flights, function: flew}
  - map: {function: enrich, on_error: dead_letter}
  - flat_map: split
  - scalar: {function: speed, args: [distance, air_time], as: speed}
  - project: {delay: dep_delay, carrier: carrier}
  - drop: [a, b]
  - rename: {new: old}
  - key_by: carrier
  - keyed_map: {function: running, timeout: 2s, memory: 64MiB, config: {n: 12345678901234567890, x: 1.50, on: true, s: "5"}}
    parallelism: ${TASKS}
output:
  jetstream: {subject: "out.{carrier}"}
dead_letter: {file: {path: bad.ndjson}}
`

func lookup(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func TestX(t *testing.T) {
	p, err := pipeline.Parse("dir/p.yaml", []byte(flights), lookup(map[string]string{"TASKS": "2"}))
	if err != nil {
		t.Fatal(err)
	}
	b, err := plan.WriteJSON(p)
	t.Logf("%s", b)
	q, err := plan.ReadJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	q.Dir = p.Dir
	t.Log(cmp.Diff(p, q))
}

package main

import (
	"fmt"
	"runtime"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/connectors/codec/ipc"
)

const arrowPipeline = `
name: arrow
input:
  jetstream: {stream: IN, until: end}
  format: arrow
  schema: ` + eventSchema + `
pipeline:
  - map: {bundle: guest.wasm, function: score}
output:
  jetstream: {subject: out, rows_per_message: 1000, max_pending: 4000}
  format: arrow
`

// arrowLoop is loop with Arrow IPC messages of 1,000 rows, and one core for the job and the server together.
func arrowLoop(e *env) error {
	const messages, rows = 1000, 1000
	r, err := e.newRig(time.Minute)
	if err != nil {
		return err
	}
	defer r.close()
	message, err := arrowMessage(rows)
	if err != nil {
		return err
	}
	if err := r.publish(messages, func(int) []byte { return message }); err != nil {
		return err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p, err := r.compare(messages, arrowPipeline)
	if err != nil {
		return err
	}
	t := newTable(fmt.Sprintf("JetStream -> C function -> JetStream: Arrow of 1,000 rows, %d KB, one core", len(message)/1000),
		"loop", "rows", "target", "bytes in", "ratio")
	volume := func(c cost) string { return fmt.Sprintf("%.0f MB/s", messages*float64(len(message))/c.wall/1e6) }
	t.add("bare nats.go", million(messages*rows/p.bare.wall), "", volume(p.bare), "")
	t.add("wasmill", million(messages*rows/p.whole.wall), "2.00 M/s", volume(p.whole), p.ratio)
	t.print(e.out)
	return nil
}

// arrowMessage writes n events as one Arrow IPC message.
func arrowMessage(n int) ([]byte, error) {
	number, text := arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String
	s := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: number}, {Name: "at", Type: number}, {Name: "carrier", Type: text}, {Name: "origin", Type: text},
		{Name: "destination", Type: text}, {Name: "delay", Type: arrow.PrimitiveTypes.Float64}, {Name: "distance", Type: number},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	now := time.Now()
	for i := range n {
		if err := b.UnmarshalJSON(event(i, now)); err != nil {
			return nil, err
		}
	}
	rec := b.NewRecord()
	defer rec.Release()
	encoder, err := ipc.Format().NewEncoder(s, nil)
	if err != nil {
		return nil, err
	}
	return encoder.(codec.BatchEncoder).AppendMessage(nil, rec, 0, n)
}

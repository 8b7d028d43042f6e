package script

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
)

// writer takes the rows of an output of one subtask.
type writer interface {
	write(ctx context.Context, s *subtask, r *row) error
	// flush hands what was written to the epoch's commit; last is set when nothing more comes in this run.
	flush(ctx context.Context, s *subtask, last bool) error
	close() error
}

// printer writes lines to the job's standard output, which all printers share.
type printer struct {
	mu  *sync.Mutex
	out io.Writer
}

func (p *printer) write(_ context.Context, s *subtask, r *row) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.out.Write(r.payload); err != nil {
		return fault.New(fault.Connect, "standard output cannot be written: %v", err).At("%s", s.name())
	}
	return nil
}

func (p *printer) flush(context.Context, *subtask, bool) error { return nil }
func (p *printer) close() error                                { return nil }

// collector keeps payloads for the script, over all attempts of a job.
type collector struct {
	mu     sync.Mutex
	pieces []collected
	bytes  int64
	rows   int64
	limit  int64
	full   func()
}

// collected is a payload, and the epoch that it was written in.
type collected struct {
	text        string
	epoch       uint64
	bytes, rows int64
}

// begin prepares an attempt that goes on behind an epoch: what was written since is forgotten.
func (c *collector) begin(epoch uint64, full func()) {
	c.pieces = slices.DeleteFunc(c.pieces, func(p collected) bool { return p.epoch > epoch })
	c.bytes, c.rows, c.full = 0, 0, full
	for _, p := range c.pieces {
		c.bytes, c.rows = c.bytes+p.bytes, c.rows+p.rows
	}
	if c.limit > 0 && c.rows >= c.limit {
		full()
	}
}

// texts returns all payloads.
func (c *collector) texts() []string {
	out := make([]string, len(c.pieces))
	for i, p := range c.pieces {
		out[i] = p.text
	}
	return out
}

// maxCollected bounds what a script may collect, in bytes; it lies in the script's memory twice for a moment.
const maxCollected = 256 << 20

func (c *collector) write(_ context.Context, s *subtask, r *row) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit > 0 && c.rows >= c.limit {
		return nil
	}
	c.pieces = append(c.pieces, collected{base64.StdEncoding.EncodeToString(r.payload), s.epoch, int64(len(r.payload)), max(0, r.number)})
	c.rows += max(0, r.number)
	if c.bytes += int64(len(r.payload)); c.bytes > maxCollected {
		return fault.New(fault.Limit, "more than %d MiB were collected", maxCollected>>20).At("%s", s.name()).
			WithHint("write results to a file, or collect with a limit")
	}
	if c.limit > 0 && c.rows >= c.limit {
		c.full()
	}
	return nil
}

func (c *collector) flush(context.Context, *subtask, bool) error { return nil }
func (c *collector) close() error                                { return nil }

// messages are what sinks outside get: a column of names, which subjects are made of, and one of payloads.
var messageSchema = arrow.NewSchema([]arrow.Field{{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "payload", Type: arrow.BinaryTypes.Binary}}, nil)

// outside writes to a connector.
type outside struct {
	spec   *Sink
	key    string // of the writer's position
	writer connectors.Writer
}

func (o *outside) write(ctx context.Context, s *subtask, r *row) error {
	b := array.NewRecordBuilder(memory.DefaultAllocator, messageSchema)
	defer b.Release()
	if r.name == "" {
		b.Field(0).AppendNull()
	} else {
		b.Field(0).(*array.StringBuilder).Append(r.name)
	}
	b.Field(1).(*array.BinaryBuilder).Append(r.payload)
	batch := &stream.Batch{Record: b.NewRecord()}
	defer batch.Release()
	if err := o.writer.Write(ctx, batch); err != nil {
		return fault.From(err).In("%s", o.spec.Name)
	}
	return nil
}

func (o *outside) flush(ctx context.Context, s *subtask, _ bool) error {
	position, wait, err := o.writer.Flush(ctx)
	if err != nil {
		return fault.From(err).In("%s", o.spec.Name)
	}
	s.job.commits.flushed(o.key, position, wait, nil)
	return nil
}

func (o *outside) close() error { return o.writer.Close() }

// openSink makes what takes the rows of a sink in one subtask.
func (a *attempt) openSink(ctx context.Context, spec *Sink, index int) (writer, error) {
	switch spec.Kind {
	case "print":
		return &printer{mu: &a.output, out: a.options.Stdout}, nil
	case "collect":
		return a.collectors[spec.Number], nil
	case "file", "jetstream":
	default:
		return nil, fault.New(fault.Guest, "unknown kind of sink %q", spec.Kind).At("%s", spec.Name)
	}
	if spec.Kind == "file" {
		w, err := a.openRolling(spec, index)
		if err != nil {
			return nil, err
		}
		a.rolls = append(a.rolls, w)
		return w, nil
	}
	c, ok := a.options.Connectors[spec.Kind]
	if !ok || c.NewSink == nil {
		return nil, fault.New(fault.Unsupported, "there is no sink of kind %s here", spec.Kind).At("%s", spec.Name)
	}
	raw, ok := a.options.Formats["raw"]
	if !ok {
		return nil, fault.New(fault.Internal, "the format raw is missing")
	}
	o := &outside{spec: spec, key: a.positionKey(spec.UID, fmt.Sprint(index))}
	config, err := withSubject(spec.Config)
	if err != nil {
		return nil, fault.From(err).In("%s", spec.Name)
	}
	sink, err := c.NewSink(config)
	if err != nil {
		return nil, fault.From(err).In("%s", spec.Name)
	}
	encoder, err := raw.NewEncoder(messageSchema, json.RawMessage(`{"column": "payload"}`))
	if err != nil {
		return nil, err
	}
	job := connectors.Job{Name: a.options.Name, Node: spec.UID, Dir: a.options.Dir, Log: a.options.Log}
	if o.writer, err = sink.Open(ctx, job, 0, 1, encoder, a.last.Positions[o.key]); err != nil {
		return nil, fault.From(err).In("%s", spec.Name)
	}
	return o, nil
}

// withSubject makes messages go to the subject that each says, where the configuration says nothing of it.
func withSubject(config json.RawMessage) (json.RawMessage, error) {
	fields := map[string]any{}
	if len(config) > 0 {
		if err := json.Unmarshal(config, &fields); err != nil {
			return nil, fault.New(fault.Guest, "the configuration of the sink: %v", err)
		}
	}
	if _, ok := fields["subject"]; !ok {
		fields["subject"] = "{name>}"
	}
	return json.Marshal(fields)
}

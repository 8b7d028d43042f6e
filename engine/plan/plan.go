// Package plan holds the logical dataflow of a job. Every front end yields a [Plan]; the engine runs nothing else.
package plan

import (
	"encoding/json"
	"fmt"
	"time"
)

// Version is the version of the plan's JSON that this package writes, and the newest that it reads.
const Version = 1

// Plan is a logical dataflow: nodes in topological order, each naming its inputs. Its JSON is stable within a version.
type Plan struct {
	Version int `json:"version"`
	// Name is the job's name: letters, digits, "-" and "_"; state and durable consumers are found by it.
	Name string `json:"name"`
	// Parallelism is how many tasks work side by side where a node does not say; 0 means 1.
	Parallelism int `json:"parallelism,omitempty"`
	// Partitions is the number of partitions of the key space, fixed when the job is created; 0 means 128.
	Partitions int `json:"partitions,omitempty"`
	// Epoch is the time between barriers; 0 means 1 s.
	Epoch Duration `json:"epoch,omitempty"`
	// Restart says how often a failed job is started again from its last commit.
	Restart Restart `json:"restart,omitzero"`
	// DeadLetter receives what `dead_letter` policies set aside; nil when none does.
	DeadLetter *Sink  `json:"dead_letter,omitempty"`
	Nodes      []Node `json:"nodes"`
	// File is what positions refer to; may be empty.
	File string `json:"file,omitempty"`
	// Positions is as Node.Positions, for members outside of the nodes: "", "epoch", "dead_letter.config.path".
	Positions map[string]string `json:"positions,omitempty"`
	// Dir is the folder that relative paths of bundles and files are relative to.
	Dir string `json:"-"`
}

// Restart is a policy of exponential back-off. Faults of the user's own code under `fail` are not tried again.
type Restart struct {
	// Attempts is how many failures in a row end the job; 0 means 10, negative means without end.
	Attempts int `json:"attempts,omitempty"`
	// Delay is the wait before the first restart, doubled up to MaxDelay; 0 means 500 ms and 30 s.
	Delay    Duration `json:"delay,omitempty"`
	MaxDelay Duration `json:"max_delay,omitempty"`
}

// Node is one step of the dataflow. Exactly the member that its Kind names is set.
type Node struct {
	// ID is unique in the plan and stable between versions of the job: state is found by it.
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`
	// Inputs are the IDs of earlier nodes: none for a source, several for a union, else one.
	Inputs []string `json:"inputs,omitempty"`
	// Parallelism overrides the plan's; 0 means the plan's.
	Parallelism int `json:"parallelism,omitempty"`

	Source  *Source  `json:"source,omitempty"`
	Sink    *Sink    `json:"sink,omitempty"`
	Call    *Call    `json:"call,omitempty"`    // map, flat_map, filter, scalar, keyed_map, process
	Project *Project `json:"project,omitempty"` // project
	KeyBy   *KeyBy   `json:"key_by,omitempty"`  // key_by

	Window     *Window     `json:"window,omitempty"`      // window
	Aggregate  *Aggregate  `json:"aggregate,omitempty"`   // aggregate
	SideOutput *SideOutput `json:"side_output,omitempty"` // side_output
	EventTime  *EventTime  `json:"event_time,omitempty"`  // event_time; its Column is not empty
	Lookup     *Lookup     `json:"lookup,omitempty"`      // lookup

	// Positions maps the path of a member in this JSON ("", "call.function", "source.config.subjects[1]") to a place in
	// File, as "line:column". The longest known prefix of a path counts. With a colon behind it, a path of a configuration stands
	// for the name of the member in place of its value.
	Positions map[string]string `json:"positions,omitempty"`
}

// Kind tells nodes apart.
type Kind string

// The kinds of node.
const (
	KindSource   Kind = "source"
	KindFilter   Kind = "filter"
	KindMap      Kind = "map"
	KindFlatMap  Kind = "flat_map"
	KindScalar   Kind = "scalar"
	KindProject  Kind = "project"
	KindKeyBy    Kind = "key_by"
	KindKeyedMap Kind = "keyed_map"
	KindProcess  Kind = "process"
	KindUnion    Kind = "union"
	// KindWindow aggregates rows in windows, KindAggregate as they come; KindSideOutput is what its input puts aside.
	KindWindow     Kind = "window"
	KindAggregate  Kind = "aggregate"
	KindSideOutput Kind = "side_output"
	// KindEventTime takes event times from a column that a step before may have made.
	KindEventTime Kind = "event_time"
	// KindLookup adds columns that it finds by key in a table outside.
	KindLookup Kind = "lookup"
	KindSink   Kind = "sink"
)

// Source reads events.
type Source struct {
	// Connector and Config name a connector and configure it.
	Connector string          `json:"connector"`
	Config    json.RawMessage `json:"config,omitempty"`
	// Format names a codec; empty means the connector's default.
	Format       string          `json:"format,omitempty"`
	FormatConfig json.RawMessage `json:"format_config,omitempty"`
	// Schema lists the columns. Empty with a format that carries its own schema, or to be inferred.
	Schema []Field `json:"schema,omitempty"`
	// Infer takes the schema from the first records.
	Infer bool `json:"infer,omitempty"`
	// Metadata adds columns from the message around the record: column name to one of subject (utf8), sequence (uint64),
	// timestamp (timestamp[ms, UTC]) or header:NAME (utf8).
	Metadata map[string]string `json:"metadata,omitempty"`
	// EventTime says where event times come from; nil means none.
	EventTime *EventTime `json:"event_time,omitempty"`
	// OnError is what happens to records that do not decode; empty means fail.
	OnError Policy `json:"on_error,omitempty"`
}

// Field is a column: its type in the grammar of engine/schema.
type Field struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// EventTime is a watermark strategy.
type EventTime struct {
	// Column holds the time: a timestamp, or an integer in milliseconds. Empty means the broker's time of the message.
	Column string `json:"column,omitempty"`
	// OutOfOrderness is how late rows may come behind the newest.
	OutOfOrderness Duration `json:"out_of_orderness,omitempty"`
	// Watermarks is how they are made: "bounded" behind the newest row by OutOfOrderness, which is what empty means; "monotonous"
	// for rows that come in order; "none": rows have times, and time goes on only at the end of the input.
	Watermarks string `json:"watermarks,omitempty"`
	// MaxDrift is how far a split may be ahead of the one that is behind all others before it waits; 0: any.
	MaxDrift Duration `json:"max_drift,omitempty"`
	// Idle is after how long without rows a split no longer holds back the watermark; 0 means never.
	Idle Duration `json:"idle,omitempty"`
}

// Sink writes events.
type Sink struct {
	Connector    string          `json:"connector"`
	Config       json.RawMessage `json:"config,omitempty"`
	Format       string          `json:"format,omitempty"`
	FormatConfig json.RawMessage `json:"format_config,omitempty"`
	// OnError is what happens to rows that cannot be written in the format; empty means fail.
	OnError Policy `json:"on_error,omitempty"`
}

// Call runs a function of a bundle.
type Call struct {
	// Bundle is the path of a .wasm or an archive, relative to Plan.Dir.
	Bundle   string `json:"bundle"`
	Function string `json:"function"`
	// Args are the columns that a scalar function reads, by position; empty means those of the same names.
	Args []string `json:"args,omitempty"`
	// As is the column that a scalar function's result goes to, new or in place; empty means the name the function gives it.
	As string `json:"as,omitempty"`
	// Config is JSON handed to the function when it is opened.
	Config json.RawMessage `json:"config,omitempty"`
	// OnError is what happens to rows on which the function fails; empty means fail.
	OnError Policy `json:"on_error,omitempty"`
	// MaxMemory is the guest's most memory in bytes, Timeout the most wall time of one call; 0 means 256 MiB and 10 s.
	MaxMemory uint64   `json:"max_memory,omitempty"`
	Timeout   Duration `json:"timeout,omitempty"`
	// Fuel is the most fuel of one call, in units of about a nanosecond; 0 means that only Timeout ends a call.
	Fuel uint64 `json:"fuel,omitempty"`
}

// Project chooses, renames and orders columns. Either Columns lists all that are kept, or Drop and Rename say what becomes of
// some while the others stay as they are.
type Project struct {
	Columns []Column `json:"columns,omitempty"`
	// Drop are columns to leave out.
	Drop []string `json:"drop,omitempty"`
	// Rename gives columns another name, at their place.
	Rename []Column `json:"rename,omitempty"`
}

// Column is an output column of a Project, and the input column that it is.
type Column struct {
	Name string `json:"name"`
	From string `json:"from"`
}

// KeyBy partitions the stream by columns, whose values together are the key.
type KeyBy struct {
	Columns []string `json:"columns"`
}

// Policy says what happens to a row that fails.
type Policy string

// The policies.
const (
	Fail    Policy = "fail"        // end the job with the fault
	Skip    Policy = "skip"        // count it and go on
	SetAway Policy = "dead_letter" // write it with the reason to the plan's DeadLetter and go on
)

// Duration is a time.Duration that JSON writes as text: "1s", "200ms".
type Duration time.Duration

// MarshalText writes the duration as time.Duration does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads "1s", "200ms", "1h30m"; negative durations are refused.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("expected a duration such as 200ms, 5s or 1h, got %q", text)
	}
	*d = Duration(v)
	return nil
}

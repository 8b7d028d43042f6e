// Package script runs the jobs of scripts with the DataStream API: tasks of operators that run inside of guests, with everything
// between and around them in Go. docs/tasks.md is the contract with the Python package; nothing that comes from a guest is trusted.
package script

import (
	"encoding/json"
	"fmt"

	"github.com/wasmill/wasmill/engine/fault"
)

// Bounds of a plan.
const (
	maxTasks       = 1000
	maxParallelism = 256
	maxPartitions  = 32768
	maxSubtasks    = 1024    // of a job in all: each is a guest
	maxWait        = 1 << 40 // ms
)

// Plan is a job as a script hands it over: the JSON of docs/tasks.md.
type Plan struct {
	Version            int      `json:"version"`
	Name               string   `json:"name"`
	ID                 string   `json:"id"`
	CheckpointInterval int64    `json:"checkpoint_interval"` // ms; 0: the engine's own
	Partitions         int      `json:"partitions"`
	Restart            *Restart `json:"restart"`
	// AllowDropped is Options.AllowDropped, as the script says it.
	AllowDropped bool     `json:"allow_non_restored_state"`
	Tasks        []Task   `json:"tasks"`
	Edges        []Edge   `json:"edges"`
	Sources      []Source `json:"sources"`
	Sinks        []Sink   `json:"sinks"`
}

// Restart says how often a failed job is tried, the first time included, and how long to wait before, in milliseconds.
type Restart struct {
	Attempts int   `json:"attempts"`
	DelayMS  int64 `json:"delay_ms"`
}

// resumable says whether the job may start again from a commit, so that state has to be handed over.
func (p *Plan) resumable() bool { return p.Restart != nil && p.Restart.Attempts > 1 }

// Task is a chain of operators. Its number is its index.
type Task struct {
	Number      int        `json:"number"`
	Name        string     `json:"name"`
	Parallelism int        `json:"parallelism"`
	Inputs      int        `json:"inputs"`
	Outputs     int        `json:"outputs"`
	Batch       bool       `json:"batch"`
	Operators   []Operator `json:"operators"`
}

// Operator is known by its uid: state is stored under it.
type Operator struct {
	UID  string `json:"uid"`
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// Edge leads from an output of a task to an input of another.
type Edge struct {
	From   int `json:"from"`
	Output int `json:"output"`
	To     int `json:"to"`
	Port   int `json:"port"`
}

// Source feeds an input of a task.
type Source struct {
	Number      int             `json:"number"`
	Name        string          `json:"name"`
	UID         string          `json:"uid"`
	To          int             `json:"to"`
	Port        int             `json:"port"`
	Parallelism int             `json:"parallelism"`
	Kind        string          `json:"kind"`
	Count       int64           `json:"count"`       // range
	Paths       []string        `json:"paths"`       // file
	Format      string          `json:"format"`      // file
	Columns     json.RawMessage `json:"columns"`     // file of parquet: names
	IgnoreCase  bool            `json:"ignore_case"` // file of parquet
	Nested      bool            `json:"nested"`      // file: in folders of folders as well
	DiscoverMS  *int64          `json:"discover_ms"` // file
	Config      json.RawMessage `json:"config"`      // jetstream
	// Align is null for a source that waits for no other.
	Align *Align `json:"align"`
}

// Align keeps a source together with the others of its group: one whose watermark is more than the drift ahead of another's waits.
type Align struct {
	Group   string `json:"group"`
	DriftMS int64  `json:"drift_ms"`
}

// Sink takes the rows of an output of a task.
type Sink struct {
	Number int     `json:"number"`
	Name   string  `json:"name"`
	UID    string  `json:"uid"`
	From   int     `json:"from"`
	Output int     `json:"output"`
	Kind   string  `json:"kind"`
	Limit  int64   `json:"limit"`  // collect
	Path   string  `json:"path"`   // file
	Prefix string  `json:"prefix"` // file
	Suffix string  `json:"suffix"` // file
	Bucket *string `json:"bucket"` // file
	Zone   string  `json:"zone"`   // file: of the bucket's time; "" for the machine's
	// Format is that of files: lines, avro or parquet.
	Format  string          `json:"format"`
	Roll    *Roll           `json:"roll"`    // file of lines; null: a file ends at each commit
	Schema  string          `json:"schema"`  // avro: JSON
	Columns json.RawMessage `json:"columns"` // parquet: names and types
	Config  json.RawMessage `json:"config"`  // jetstream
}

// Parse reads and checks a plan. Faults have code Guest: the Python package of the guest made it, or somebody who pretends to be it.
func Parse(text []byte) (*Plan, error) {
	p := &Plan{}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fault.New(fault.Guest, "the plan of the script is not readable: %v", err)
	}
	if err := p.check(); err != nil {
		return nil, fault.New(fault.Guest, "the plan of the script does not hold together: %v", err)
	}
	return p, nil
}

func (p *Plan) check() error {
	switch {
	case p.Version != 1:
		return fmt.Errorf("version %d, expected 1", p.Version)
	case p.Partitions < 1 || p.Partitions > maxPartitions:
		return fmt.Errorf("%d partitions, expected 1 to %d", p.Partitions, maxPartitions)
	case len(p.Tasks) == 0 || len(p.Tasks) > maxTasks:
		return fmt.Errorf("%d tasks, expected 1 to %d", len(p.Tasks), maxTasks)
	case p.CheckpointInterval < 0:
		return fmt.Errorf("a checkpoint interval of %d ms", p.CheckpointInterval)
	}
	inputs, outputs := map[[2]int]bool{}, map[[2]int]bool{}
	uids := map[string]bool{}
	subtasks, inputsOf := 0, 0
	for i, t := range p.Tasks {
		if t.Number != i || t.Parallelism < 1 || t.Parallelism > maxParallelism || t.Inputs < 0 || t.Outputs < 0 {
			return fmt.Errorf("task %d: number %d, parallelism %d, %d inputs, %d outputs", i, t.Number, t.Parallelism, t.Inputs, t.Outputs)
		}
		subtasks += t.Parallelism
		inputsOf += t.Inputs
		for _, o := range t.Operators {
			if uids[o.UID] {
				return fmt.Errorf("two operators have the uid %q", o.UID)
			}
			uids[o.UID] = true
		}
	}
	if subtasks > maxSubtasks {
		return fmt.Errorf("%d subtasks, at most %d are allowed", subtasks, maxSubtasks)
	}
	end := func(taken map[[2]int]bool, what string, task, n int, of func(Task) int) error {
		if task < 0 || task >= len(p.Tasks) || n < 0 || n >= of(p.Tasks[task]) {
			return fmt.Errorf("there is no %s %d of task %d", what, n, task)
		}
		if taken[[2]int{task, n}] {
			return fmt.Errorf("%s %d of task %d is used twice", what, n, task)
		}
		taken[[2]int{task, n}] = true
		return nil
	}
	input := func(task, port int) error {
		return end(inputs, "input", task, port, func(t Task) int { return t.Inputs })
	}
	output := func(task, n int) error {
		return end(outputs, "output", task, n, func(t Task) int { return t.Outputs })
	}
	for _, e := range p.Edges {
		if err := output(e.From, e.Output); err != nil {
			return err
		}
		if err := input(e.To, e.Port); err != nil {
			return err
		}
	}
	for _, s := range p.Sources {
		if err := input(s.To, s.Port); err != nil {
			return err
		}
		if s.Parallelism != p.Tasks[s.To].Parallelism {
			return fmt.Errorf("source %q has parallelism %d, its task %d", s.Name, s.Parallelism, p.Tasks[s.To].Parallelism)
		}
		if s.Kind == "range" && s.Count < 0 {
			return fmt.Errorf("source %q has %d elements", s.Name, s.Count)
		}
		if a := s.Align; a != nil && (a.DriftMS < 1 || a.DriftMS > maxWait) {
			return fmt.Errorf("source %q may be %d ms ahead", s.Name, a.DriftMS)
		}
		if s.DiscoverMS != nil && (s.Kind != "file" || *s.DiscoverMS < 1 || *s.DiscoverMS > maxWait) {
			return fmt.Errorf("source %q of kind %s looks for files every %d ms", s.Name, s.Kind, *s.DiscoverMS)
		}
	}
	for _, s := range p.Sinks {
		if err := output(s.From, s.Output); err != nil {
			return err
		}
		if r := s.Roll; r != nil && (s.Format != "lines" || r.Size < 1 || r.RolloverMS < 1 || r.InactivityMS < 1 || r.RolloverMS > maxWait || r.InactivityMS > maxWait) {
			return fmt.Errorf("sink %q of %s ends files behind %d bytes, %d ms and %d ms of silence", s.Name, s.Format, r.Size, r.RolloverMS, r.InactivityMS)
		}
	}
	if len(inputs) != inputsOf {
		return fmt.Errorf("%d inputs of tasks, %d of them are fed", inputsOf, len(inputs))
	}
	return p.acyclic()
}

// acyclic refuses a plan whose tasks feed each other in a circle, since barriers would wait for each other.
func (p *Plan) acyclic() error {
	state := make([]int8, len(p.Tasks)) // 0 unseen, 1 on the way, 2 done
	var visit func(int) error
	visit = func(t int) error {
		switch state[t] {
		case 1:
			return fmt.Errorf("task %d feeds itself", t)
		case 2:
			return nil
		}
		state[t] = 1
		for _, e := range p.Edges {
			if e.From == t {
				if err := visit(e.To); err != nil {
					return err
				}
			}
		}
		state[t] = 2
		return nil
	}
	for t := range p.Tasks {
		if err := visit(t); err != nil {
			return err
		}
	}
	return nil
}

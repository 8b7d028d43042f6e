package script

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/state"
)

// What a job notes of itself lies beside the positions of its sources and sinks, under keys that no operator has.
const (
	noteFormat     = "/script"     // the number of the format of all that a script's job stores
	notePartitions = "/partitions" // their number
	noteOperators  = "/operators"  // of which state is stored: uid to name
	noteStarted    = "/started"    // when the job first began, in ms: files are named after it
	noteEnded      = "/ended"      // by which script, when the job has come to its end
	noteTime       = "/time/"      // and UID/PORT of a task's first operator: the watermark of the input
)

// Format is the number of the format of what jobs of scripts store, and the newest that is read: state/FORMAT.md.
const Format = 1

// Durable says whether a job can go on from a commit when the script runs again. One that hands its results to the script cannot, since
// those of earlier runs are gone, nor one that runs as a batch.
func (p *Plan) Durable() bool {
	return !slices.ContainsFunc(p.Sinks, func(s Sink) bool { return s.Kind == "collect" }) &&
		!slices.ContainsFunc(p.Tasks, func(t Task) bool { return t.Batch })
}

// interval is the time between commits.
func (p *Plan) interval() time.Duration {
	if p.CheckpointInterval > 0 {
		return time.Duration(p.CheckpointInterval) * time.Millisecond
	}
	return epochInterval
}

// Ended says whether the job whose state a store holds has come to its end, and by which script.
func Ended(store state.Store) (script string, ended bool, err error) {
	last, some, err := store.Last()
	if err != nil || !some || last.Positions[noteEnded] == nil {
		return "", false, err
	}
	if err := json.Unmarshal(last.Positions[noteEnded], &script); err != nil {
		return "", false, badNote(noteEnded, last.Positions[noteEnded])
	}
	return script, true, nil
}

func badNote(key string, text json.RawMessage) error {
	return fault.New(fault.State, "what the job noted as %s cannot be read: %.100s", key, text).WithHint("start with --fresh")
}

// note adds what the job notes of itself to an epoch.
func (a *attempt) note(e *epoch, over bool) {
	operators := map[string]string{}
	if text := e.positions[noteOperators]; text != nil {
		_ = json.Unmarshal(text, &operators) // goOn has read it
	}
	for _, t := range a.plan.Tasks {
		for _, o := range t.Operators {
			if e.operators[o.UID] {
				operators[o.UID] = o.Name
			}
		}
	}
	set := func(key string, value any) {
		text, _ := json.Marshal(value) // numbers, text and a map of it
		e.positions[key] = text
	}
	set(noteFormat, Format)
	set(noteOperators, operators)
	set(notePartitions, a.plan.Partitions)
	set(noteStarted, a.started.UnixMilli())
	if over {
		set(noteEnded, a.options.Script)
	}
}

// goOn prepares an attempt that goes on from a commit: what is stored has to fit the plan.
func (a *attempt) goOn(ctx context.Context) error {
	a.last.Positions = maps.Clone(a.last.Positions)
	read := func(key string, into any) error {
		text := a.last.Positions[key]
		if text == nil {
			return nil
		}
		if err := json.Unmarshal(text, into); err != nil {
			return badNote(key, text)
		}
		return nil
	}
	format := 0
	if err := read(noteFormat, &format); err != nil {
		return err
	}
	switch {
	case format == 0:
		return fault.New(fault.State, "the state is not that of a script's job").WithHint("give another folder, or start with --fresh")
	case format > Format:
		return fault.New(fault.State, "the state was written by a newer wasmill: it has format %d, this one reads up to %d", format, Format).
			WithHint("run the newer wasmill, or start with --fresh")
	}
	var started int64
	partitions, operators := a.plan.Partitions, map[string]string{}
	for key, into := range map[string]any{notePartitions: &partitions, noteOperators: &operators, noteStarted: &started} {
		if err := read(key, into); err != nil {
			return err
		}
	}
	if started != 0 {
		a.started = time.UnixMilli(started)
	}
	if partitions != a.plan.Partitions {
		return fault.New(fault.State, "the job's state is kept in %d key groups, not in %d", partitions, a.plan.Partitions).
			WithHint("call env.set_max_parallelism(%d), or start with --fresh", partitions)
	}
	if err := a.claim(ctx, operators); err != nil {
		return err
	}
	return a.endFiles()
}

// claim refuses state of operators that the job does not have, or removes it.
func (a *attempt) claim(ctx context.Context, operators map[string]string) error {
	for _, t := range a.plan.Tasks {
		for _, o := range t.Operators {
			delete(operators, o.UID)
		}
	}
	if len(operators) == 0 {
		return nil
	}
	if !a.options.AllowDropped && !a.plan.AllowDropped {
		var faults fault.List
		for _, uid := range slices.Sorted(maps.Keys(operators)) {
			f := faults.Add(fault.State, "", "there is state of an operator %q (%s), which the job does not have", uid, operators[uid])
			f.Hint = "give operators a uid(), by which they are found again; --allow-non-restored-state goes on without that state, --fresh without any"
		}
		return faults.Err()
	}
	for uid := range operators {
		if err := a.drop(ctx, uid); err != nil {
			return err
		}
		a.options.Log.Warn("state was dropped: the job has no such operator", "uid", uid, "name", operators[uid])
	}
	return nil
}

// dropPiece is how many keys are removed in one commit.
const dropPiece = 10_000

// drop removes what is stored of an operator.
func (a *attempt) drop(ctx context.Context, uid string) error {
	var changes []state.Change
	commit := func() error {
		a.last.Epoch++
		err := a.options.Store.Commit(ctx, state.Commit{Marker: a.last, Changes: changes})
		changes = changes[:0]
		return err
	}
	for p := range a.plan.Partitions {
		for more := true; more; {
			more = false
			err := a.options.Store.Scan(state.AppendOperatorPrefix(nil, uint16(p), uid), func(key, _ []byte) bool {
				changes = append(changes, state.Change{Key: append([]byte(nil), key...)})
				more = len(changes) >= dropPiece
				return !more
			})
			if err == nil && more {
				err = commit()
			}
			if err != nil {
				return err
			}
		}
	}
	known := map[string]string{}
	if err := json.Unmarshal(a.last.Positions[noteOperators], &known); err != nil {
		return badNote(noteOperators, a.last.Positions[noteOperators])
	}
	delete(known, uid)
	text, err := json.Marshal(known)
	if err != nil {
		return fault.New(fault.Internal, "the names of operators: %v", err)
	}
	a.last.Positions[noteOperators] = text
	return commit()
}

// endFiles ends the files that no subtask goes on with, since there were more before, behind what was committed of them. How many there were
// stays known, for a subtask of that number that comes again.
func (a *attempt) endFiles() error {
	for i := range a.plan.Sinks {
		spec := &a.plan.Sinks[i]
		if spec.Kind != "file" {
			continue
		}
		for key := range maps.Clone(a.last.Positions) {
			part, ok := strings.CutPrefix(key, a.positionKey(spec.UID, ""))
			index, err := strconv.Atoi(part)
			if !ok || err != nil || index < a.plan.Tasks[spec.From].Parallelism {
				continue
			}
			w, err := a.openRolling(spec, index)
			if err != nil {
				return err
			}
			if a.last.Positions[key], err = w.retire(); err != nil {
				return err
			}
		}
	}
	return nil
}

package script

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/engine/udf"
)

// Function is the name of the function that a clone runs a subtask with.
const Function = "task"

// A call takes at most so many rows and about so many bytes.
const (
	callRows  = 256
	callBytes = 1 << 20
)

// subtask is one of the parallel instances of a task: a guest, what feeds it and what it feeds.
type subtask struct {
	job    *attempt
	task   *Task
	index  int
	feeds  []*feed
	ready  chan struct{}
	routes []route // by output

	guest    udf.Guest
	function udf.Function
	queue    []row // collected for the next call
	bytes    int
	out      []row
	wish     int64 // when the guest wants to be told the time, ms; 0: never
	ports    []port
	paced    map[int32]*source // by input: those that wait for others
	keeper   *keeper
	epoch    uint64 // the open one
}

// port is what has come of an input, over all that feed it.
type port struct {
	watermark int64
	idle      bool
	ended     bool
}

// route is where rows of an output go: to the subtasks behind an edge, by number, or to a sink.
type route struct {
	feeds []*feed
	sink  writer
}

func (s *subtask) name() string {
	return fmt.Sprintf("%s (%d/%d)", s.task.Name, s.index+1, s.task.Parallelism)
}

// run processes what comes until the barrier that drains the job, or the end of all inputs and the barriers behind it.
func (s *subtask) run(ctx context.Context) (err error) {
	defer func() { err = s.close(ctx, err) }()
	if err := s.open(ctx); err != nil {
		return err
	}
	for {
		moved := false
		for _, f := range s.feeds {
			for !f.blocked && len(s.queue) < callRows && s.bytes < callBytes {
				e, ok := f.next()
				if !ok {
					break
				}
				moved = true
				drained, err := s.take(ctx, f, e)
				if err != nil || drained {
					return err
				}
			}
		}
		if err := s.call(ctx); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if moved {
			continue
		}
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
}

// wait returns when there may be something to take, or the time has come that the guest asked for.
func (s *subtask) wait(ctx context.Context) error {
	var timer <-chan time.Time
	if s.wish != 0 {
		until := time.Until(time.UnixMilli(s.wish))
		if until <= 0 {
			return s.tick()
		}
		t := time.NewTimer(until)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-s.ready:
		return nil
	case <-timer:
		return s.tick()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// tick tells the guest the time.
func (s *subtask) tick() error {
	s.wish = 0
	s.add(row{kind: kindTime, target: -1, number: time.Now().UnixMilli()})
	return nil
}

func (s *subtask) add(r row) {
	s.queue = append(s.queue, r)
	s.bytes += r.size()
}

// take deals with one element of a feed.
func (s *subtask) take(ctx context.Context, f *feed, e element) (drained bool, err error) {
	switch {
	case e.barrier != 0:
		f.blocked = true
		for _, other := range s.feeds {
			if !other.blocked { // ended ones bring barriers as well
				return false, nil
			}
		}
		return e.drain, s.barrier(ctx, e.barrier, e.drain)
	case e.end:
		f.ended = true
		return false, s.progress(ctx, f.port)
	case e.row.kind == kindWatermark:
		f.watermark, f.idle = max(f.watermark, e.row.number), false
		return false, s.progress(ctx, f.port)
	case e.row.kind == kindIdle:
		f.idle = true
		return false, s.progress(ctx, f.port)
	}
	if f.idle {
		f.idle = false
	}
	s.add(e.row)
	return false, nil
}

// progress tells the guest what has become of an input, if something has: its watermark is the smallest of those that feed it and are not idle.
func (s *subtask) progress(ctx context.Context, at int32) error {
	p := &s.ports[at]
	least, idle, ended := int64(math.MaxInt64), true, true
	for _, f := range s.feeds {
		if f.port != at || f.ended {
			continue
		}
		ended = false
		if !f.idle {
			idle, least = false, min(least, f.watermark)
		}
	}
	switch {
	case ended && !p.ended:
		p.ended = true
		s.add(row{kind: kindEnd, port: at, target: -1})
		if !s.allEnded() {
			return nil
		}
		if err := s.call(ctx); err != nil {
			return err
		}
		return s.end(ctx)
	case ended:
	case idle && !p.idle:
		p.idle = true
		s.add(row{kind: kindIdle, port: at, target: -1})
	case !idle && least > p.watermark:
		p.watermark, p.idle = least, false
		s.add(row{kind: kindWatermark, port: at, target: -1, number: least})
	case !idle:
		p.idle = false
	}
	return nil
}

func (s *subtask) allEnded() bool {
	for i := range s.ports {
		if !s.ports[i].ended {
			return false
		}
	}
	return true
}

// end ends the inputs that this subtask feeds. Barriers may still pass: its feeds are read on.
func (s *subtask) end(ctx context.Context) error {
	return s.all(ctx, element{end: true})
}

func (s *subtask) all(ctx context.Context, e element) error {
	for _, r := range s.routes {
		for _, f := range r.feeds {
			if err := f.send(ctx, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// barrier ends an epoch: what the guest changed and wrote is handed to its commit, then the barrier is passed on.
func (s *subtask) barrier(ctx context.Context, epoch uint64, drain bool) error {
	if s.job.keeps {
		s.add(row{kind: kindFlush, target: -1, number: int64(epoch)})
	}
	if err := s.call(ctx); err != nil {
		return err
	}
	for _, f := range s.feeds {
		f.blocked = false
	}
	for i := range s.ports {
		s.job.commits.reached(s.timeKey(i), s.ports[i].watermark)
	}
	for _, r := range s.routes {
		if r.sink != nil {
			if err := r.sink.flush(ctx, s, drain); err != nil {
				return err
			}
		}
	}
	s.epoch = epoch + 1
	if err := s.all(ctx, element{barrier: epoch, drain: drain}); err != nil {
		return err
	}
	s.job.commits.done(s.keeper.overlay.Barrier(epoch), s.keeper.stored)
	return nil
}

func (s *subtask) owns(uid string) bool {
	for i := range s.task.Operators {
		if s.task.Operators[i].UID == uid {
			return true
		}
	}
	return false
}

// open starts the guest, and gives it the state that it owns.
func (s *subtask) open(ctx context.Context) error {
	var err error
	guest := s.job.options.Guest
	guest.Ask = s.keeper.ask
	if s.guest, err = s.job.options.Bundle.Instantiate(ctx, guest); err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{"task": s.task.Number, "index": s.index, "parallelism": s.task.Parallelism,
		"partitions": s.job.plan.Partitions, "attempt": s.job.number, "resumes": s.job.resumes, "keeps": s.job.keeps, "cache": s.job.options.cache()})
	if err != nil {
		return fault.New(fault.Internal, "the configuration of a subtask: %v", err)
	}
	if s.function, err = s.guest.Bind(ctx, Function, udf.FlatMap, Schema, config, nil); err != nil {
		return s.placed(err)
	}
	if err := s.keeper.restore(ctx); err != nil {
		return err
	}
	s.add(row{kind: kindReady, target: -1})
	if err := s.goOn(); err != nil {
		return err
	}
	return s.call(ctx)
}

// timeKey is under which key of positions the watermark of an input lies: one for all subtasks.
func (s *subtask) timeKey(port int) string {
	uid := ""
	if len(s.task.Operators) > 0 {
		uid = s.task.Operators[0].UID
	}
	return fmt.Sprintf("%s%s/%d", noteTime, uid, port)
}

// goOn tells the guest how far event time had come at its inputs when the job last committed. Those that feed it tell it again, but one after another,
// perhaps behind the first elements, and one that was idle is not idle yet: what was late would not be.
func (s *subtask) goOn() error {
	for i := range s.ports {
		text := s.job.last.Positions[s.timeKey(i)]
		if text == nil {
			continue
		}
		if err := json.Unmarshal(text, &s.ports[i].watermark); err != nil {
			return badNote(s.timeKey(i), text)
		}
		s.add(row{kind: kindWatermark, port: int32(i), target: -1, number: s.ports[i].watermark})
	}
	return nil
}

// call hands the guest the rows that were collected, and carries out what it answers.
func (s *subtask) call(ctx context.Context) error {
	for len(s.queue) > 0 {
		n := min(len(s.queue), stream.MaxRows)
		rec := record(s.queue[:n])
		s.out = s.out[:0]
		var bad error
		err := s.function.Call(ctx, rec, nil, func(r udf.Result) error {
			if r.Record != nil && r.Record.NumRows() > 0 {
				s.out, bad = rows(r.Record, s.out)
			}
			return bad
		})
		rec.Release()
		if bad != nil {
			return fault.New(fault.Guest, "%v", bad).At("%s", s.name())
		}
		if err != nil {
			return s.placed(err)
		}
		for i := range s.out {
			if err := s.answer(ctx, &s.out[i]); err != nil {
				return err
			}
		}
		s.dealt(s.queue[:n])
		s.queue = s.queue[n:]
	}
	s.queue, s.bytes = s.queue[:0], 0
	return nil
}

// answer carries out a row of the guest.
func (s *subtask) answer(ctx context.Context, r *row) error {
	switch r.kind {
	case kindTime:
		s.wish = r.number
		return nil
	case kindDeclare:
		return s.declare(r)
	case kindMark:
		if s.paced[r.port] == nil {
			return s.nonsense("a mark for input %d, whose source waits for nobody", r.port)
		}
		s.paced[r.port].mark(r.number, r.target == 1)
		return nil
	case kindData, kindWatermark, kindIdle:
	default:
		return s.nonsense("a row of kind %d", r.kind)
	}
	if r.port < 0 || int(r.port) >= len(s.routes) {
		return s.nonsense("a row for output %d of %d", r.port, len(s.routes))
	}
	to := &s.routes[r.port]
	if to.sink != nil {
		if r.kind != kindData {
			return nil
		}
		return to.sink.write(ctx, s, r)
	}
	out := *r
	if r.kind != kindData {
		for _, f := range to.feeds {
			out.port = f.port
			if err := f.send(ctx, element{row: out}); err != nil {
				return err
			}
		}
		return nil
	}
	if r.target < 0 || int(r.target) >= len(to.feeds) {
		return s.nonsense("a row for subtask %d of %d", r.target, len(to.feeds))
	}
	f := to.feeds[r.target]
	out.port = f.port
	s.job.rows.Add(uint64(max(0, r.number)))
	return f.send(ctx, element{row: out})
}

// declare holds a state to the type under which it is stored.
func (s *subtask) declare(r *row) error {
	operator, name, ok := strings.Cut(r.name, "/")
	if !ok || !s.owns(operator) {
		return s.nonsense("state %q, which is of none of its operators", r.name)
	}
	if !s.job.keeps {
		return nil
	}
	err := s.job.options.Store.Declare(operator, map[string]string{name: string(r.payload)})
	if err == nil {
		return nil
	}
	f := *fault.From(err)
	f.Hint = "declare it as it was, give the state another name, or start with --fresh"
	return f.In("%s", s.name())
}

func (s *subtask) nonsense(format string, args ...any) error {
	return nonsense(format, args...).At("%s", s.name())
}

func nonsense(format string, args ...any) *fault.Fault {
	return fault.New(fault.Guest, "the subtask answered with "+format, args...)
}

// placed says in which subtask something went wrong. That the guest was in its function `task` tells nobody anything, nor does the row
// that it was called with.
func (s *subtask) placed(err error) error {
	if context.Cause(s.job.ctx) != nil {
		return err
	}
	f := *fault.From(err)
	if f.Where == "function "+Function || strings.HasPrefix(f.Where, "function "+Function+",") {
		f.Where = ""
	}
	if at := strings.LastIndex("\n"+f.Detail, "\nrow: "); at >= 0 { // a row is what subtasks send each other, which users know nothing of
		f.Detail = f.Detail[:max(at-1, 0)]
	}
	return f.In("%s", s.name())
}

// close frees the guest, which may close its operators when all went well.
func (s *subtask) close(ctx context.Context, err error) error {
	if s.guest == nil {
		return err
	}
	if e := s.guest.Close(ctx); err == nil && e != nil {
		err = s.placed(e)
	}
	return err
}

package runtime

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/stream"
	"github.com/wasmill/wasmill/state"
)

// attempt is one start of a job: its tasks and all that they hold.
type attempt struct {
	job     *Job
	plan    *plan.Resolved
	store   state.Store
	last    state.Marker
	epochs  *epochs
	dead    *deadLetters
	tasks   []task
	stats   []*operator.Stats
	readers []connectors.Reader
	timed   []*timed // of all tasks
	// moving counts the elements on edges and in the hands of their receivers.
	moving atomic.Int64
	edges  []*edge
	// closers run in reverse order when the attempt is over.
	closers []func()
	// width is the number of tasks of each stage, and stageOf the stage of each node.
	width   map[*plan.Stage]int
	stageOf map[string]*plan.Stage
	splits  map[string][]string
	aligned map[string]*alignment // by source
	// into holds, for each node and reading stage, the edges by producing and consuming task.
	into map[route][][]*edge
	// ready wakes the tasks of a stage.
	ready map[*plan.Stage][]chan struct{}
}

// route is the way of a node's rows into another stage.
type route struct {
	from string
	to   *plan.Stage
}

// task is a goroutine of the job.
type task struct {
	name string
	run  func(context.Context) error
}

func (a *attempt) build(ctx context.Context) error {
	var err error
	if a.store, err = a.job.options.OpenStore(); err != nil {
		return err
	}
	a.closers = append(a.closers, func() { a.store.Close() })
	if a.last, _, err = a.store.Last(); err != nil {
		return err
	}
	if err := a.fixPartitions(); err != nil {
		return err
	}
	a.epochs = &epochs{
		store: a.store, log: a.job.options.Log, last: a.last,
		interval: orElse(time.Duration(a.plan.Plan.Epoch), defaultEpoch),
		full:     make(chan struct{}, 1), stop: a.job.stop, ended: make(chan struct{}, 1), stats: &a.job.epochs,
	}
	if err := a.openDeadLetters(ctx); err != nil {
		return err
	}
	if err := a.layOut(ctx); err != nil {
		return err
	}
	for _, s := range a.plan.Stages {
		for i := range a.width[s] {
			if err := a.buildTask(ctx, s, i); err != nil {
				return err
			}
		}
	}
	a.epochs.tasks = len(a.tasks)
	a.epochs.live = len(a.epochs.sources)
	return nil
}

// fixPartitions holds the number of partitions to the one that the job began with, for state is found by its partition. It lies
// beside the positions of sources and sinks.
func (a *attempt) fixPartitions() error {
	if !slices.ContainsFunc(a.plan.Nodes, func(n *plan.ResolvedNode) bool { return n.Node.Stateful() }) {
		return nil
	}
	key := positionKey("", "partitions")
	now := fmt.Sprint(a.partitions())
	if began := a.last.Positions[key]; began != nil && string(began) != now {
		return fault.New(fault.State, "the job's state is kept in %s partitions, not in %s", began, now).
			At("%s", a.plan.Plan.Position("", "partitions")).
			WithHint("set `partitions: %s`, or give the job another name to begin with empty state", began)
	}
	positions := maps.Clone(a.last.Positions)
	if positions == nil {
		positions = make(map[string]json.RawMessage)
	}
	positions[key] = json.RawMessage(now)
	a.last.Positions = positions
	return nil
}

func (a *attempt) close() {
	for i := len(a.closers) - 1; i >= 0; i-- {
		a.closers[i]()
	}
	for _, e := range a.edges {
		e.drop()
	}
}

func (a *attempt) connectorJob(node string) connectors.Job {
	return connectors.Job{Name: a.plan.Plan.Name, Node: node, Dir: a.plan.Plan.Dir, Log: a.job.options.Log}
}

const deadLetterNode = "dead_letter"

func (a *attempt) openDeadLetters(ctx context.Context) error {
	if a.plan.DeadLetter == nil {
		return nil
	}
	encoder, err := a.plan.DeadLetter.Format.NewEncoder(plan.DeadLetterSchema, a.plan.Plan.DeadLetter.FormatConfig)
	if err != nil {
		return err
	}
	w, err := a.plan.DeadLetter.Sink.Open(ctx, a.connectorJob(deadLetterNode), 0, 1, encoder, a.last.Positions[positionKey(deadLetterNode, "0")])
	if err != nil {
		return fault.From(err).In("dead letters")
	}
	a.dead = newDeadLetters(ctx, a.plan.Plan.Name, w)
	a.epochs.dead = a.dead
	a.closers = append(a.closers, a.dead.close)
	return nil
}

// layOut finds how many tasks each stage has, and lays the edges between them.
func (a *attempt) layOut(ctx context.Context) error {
	a.width, a.stageOf, a.splits = make(map[*plan.Stage]int), make(map[string]*plan.Stage), make(map[string][]string)
	a.aligned = make(map[string]*alignment)
	a.into, a.ready = make(map[route][][]*edge), make(map[*plan.Stage][]chan struct{})
	for _, s := range a.plan.Stages {
		a.width[s] = max(s.Parallelism, 1)
		for _, n := range s.Nodes {
			a.stageOf[n.Node.ID] = s
		}
		head := s.Nodes[0]
		if head.Source != nil {
			splits, err := head.Source.Source.Splits(ctx, a.connectorJob(head.Node.ID))
			if err != nil {
				return a.placed(head, err)
			}
			if len(splits) == 0 {
				return a.placed(head, fault.New(fault.Connect, "the input has nothing to read from"))
			}
			a.splits[head.Node.ID] = splits
			a.width[s] = min(a.width[s], len(splits))
			if e := head.Node.Source.EventTime; e != nil && e.MaxDrift > 0 && a.width[s] > 1 {
				a.aligned[head.Node.ID] = newAlignment(ms(e.MaxDrift))
			}
		}
		for range a.width[s] {
			a.ready[s] = append(a.ready[s], make(chan struct{}, 1))
		}
		for _, in := range s.Inputs {
			producers := a.width[a.stageOf[in.From]]
			edges := make([][]*edge, producers)
			for p := range edges {
				for c := range a.width[s] {
					e := &edge{elements: make(chan stream.Element, edgeLength), ready: a.ready[s][c], moving: &a.moving}
					edges[p] = append(edges[p], e)
					a.edges = append(a.edges, e)
				}
			}
			a.into[route{in.From, s}] = edges
		}
	}
	return nil
}

func (a *attempt) placed(n *plan.ResolvedNode, err error) error {
	where := a.where(n)
	if where == "" {
		return err
	}
	return fault.From(err).In("%s", where)
}

func (a *attempt) where(n *plan.ResolvedNode) string { return a.plan.Plan.Position(n.Node.ID, "") }

// chain builds the operators of one task.
type chain struct {
	*attempt
	ctx    context.Context
	stage  *plan.Stage
	index  int
	guests map[guestKey]*operator.Guest
	opened []stream.Operator
	timed  []operator.Timed
}

func (a *attempt) buildTask(ctx context.Context, s *plan.Stage, index int) error {
	c := &chain{attempt: a, ctx: ctx, stage: s, index: index, guests: make(map[guestKey]*operator.Guest)}
	a.closers = append(a.closers, c.close)
	for _, n := range s.Nodes {
		if n.Node.Call != nil {
			if err := c.addGuest(n.Node.ID, n.Node.Call); err != nil {
				return a.placed(n, err)
			}
		}
	}
	head := s.Nodes[0]
	rest := func() {
		for _, g := range c.guests {
			g.Sweep(ctx)
		}
	}
	if head.Source != nil {
		out, err := c.after(head)
		if err != nil {
			return err
		}
		return c.source(head, out, rest)
	}
	first, err := c.node(head)
	if err != nil {
		return err
	}
	var edges []*edge
	for _, in := range s.Inputs {
		for _, from := range a.into[route{in.From, s}] {
			edges = append(edges, from[index])
		}
	}
	m := newMerge(edges, a.ready[s][index])
	m.chain, m.rest, m.done = first, rest, a.epochs.taskDone
	m.timed.operators, m.timed.clock, m.timed.epochs = c.timed, a.job.options.Clock, a.epochs
	a.timed = append(a.timed, &m.timed)
	a.tasks = append(a.tasks, task{fmt.Sprintf("task %s[%d]", head.Node.ID, index), m.run})
	return nil
}

func (c *chain) close() {
	for i := len(c.opened) - 1; i >= 0; i-- {
		c.opened[i].Close()
	}
	for _, g := range c.guests {
		g.Close(context.WithoutCancel(c.ctx))
	}
}

// after returns where the rows of a node go: on in this task, to other tasks, or both.
func (c *chain) after(n *plan.ResolvedNode) (stream.Output, error) {
	var outs []stream.Output
	for _, next := range c.plan.Nodes {
		for _, in := range next.Node.Inputs {
			if in != n.Node.ID || next.Node.Kind == plan.KindSideOutput {
				continue
			}
			if s := c.stageOf[next.Node.ID]; s != c.stage {
				x, err := c.exchange(n, s)
				if err != nil {
					return nil, err
				}
				outs = append(outs, x)
				continue
			}
			out, err := c.node(next)
			if err != nil {
				return nil, err
			}
			outs = append(outs, out)
		}
	}
	if len(outs) == 1 {
		return outs[0], nil
	}
	return &operator.Tee{Outputs: outs}, nil
}

func (c *chain) exchange(n *plan.ResolvedNode, to *plan.Stage) (stream.Output, error) {
	x := &operator.Exchange{Partitions: c.partitions()}
	for _, e := range c.into[route{n.Node.ID, to}][c.index] {
		x.Edges = append(x.Edges, e)
	}
	for _, in := range to.Inputs {
		if in.From == n.Node.ID && in.Exchange == plan.Hash {
			var err error
			if x.Encoder, err = stream.NewKeyEncoder(n.Out, in.Keys); err != nil {
				return nil, c.placed(n, err)
			}
		}
	}
	return c.open(x)
}

func (a *attempt) partitions() int { return orElse(a.plan.Plan.Partitions, stream.DefaultPartitions) }

func (c *chain) open(op stream.Operator) (stream.Output, error) {
	c.opened = append(c.opened, op)
	return op, op.Open(c.ctx)
}

func (c *chain) newStats(n *plan.ResolvedNode) *operator.Stats {
	s := &operator.Stats{Node: n.Node.ID, Kind: string(n.Node.Kind), Task: c.index}
	s.Watermark.Store(int64(stream.MinWatermark))
	c.stats = append(c.stats, s)
	return s
}

func (c *chain) policy(n *plan.ResolvedNode, p plan.Policy) operator.Policy {
	policy := operator.Policy{Node: n.Node.ID, Policy: p, Stats: c.newStats(n), Log: c.job.options.Log}
	if c.dead != nil {
		policy.Rejects = c.dead
	}
	return policy
}

// node builds an operator and all behind it, and returns it open.
func (c *chain) node(n *plan.ResolvedNode) (stream.Output, error) {
	if n.Node.Kind == plan.KindSink {
		return c.sink(n)
	}
	var op stream.Operator
	var forward *stream.Forward
	switch n.Node.Kind {
	case plan.KindProject:
		p := &operator.Project{Stats: c.newStats(n), Out: n.Out, From: n.From}
		op, forward = p, &p.Forward
	case plan.KindKeyBy:
		encoder, err := stream.NewKeyEncoder(n.In[0], n.Node.KeyBy.Columns)
		if err != nil {
			return nil, c.placed(n, err)
		}
		k := &operator.KeyBy{Stats: c.newStats(n), Encoder: encoder, Partitions: c.partitions()}
		op, forward = k, &k.Forward
	case plan.KindWindow, plan.KindAggregate:
		w, err := c.window(n)
		if err != nil {
			return nil, err
		}
		op, forward = w, &w.Forward
	case plan.KindProcess:
		p, err := c.process(n)
		if err != nil {
			return nil, err
		}
		op, forward = p, &p.Forward
	case plan.KindEventTime:
		e := c.eventTime(n)
		op, forward = e, &e.Forward
	case plan.KindLookup:
		l := c.lookup(n)
		op, forward = l, &l.Forward
	case plan.KindUnion, plan.KindSideOutput:
		u := &stream.Forward{}
		op, forward = u, u
	default:
		call, err := c.call(n)
		if err != nil {
			return nil, err
		}
		op, forward = call, &call.Forward
	}
	next, err := c.after(n)
	if err != nil {
		return nil, err
	}
	forward.Next = next
	return c.open(op)
}

// eventTime builds what takes event times from a column. Where the job goes on from a commit, its tasks may have been others.
func (c *chain) eventTime(n *plan.ResolvedNode) *operator.EventTime {
	spec, id := n.Node.EventTime, n.Node.ID
	e := &operator.EventTime{
		Stats: c.newStats(n), Column: n.In[0].FieldIndices(spec.Column)[0], OutOfOrderness: time.Duration(spec.OutOfOrderness).Milliseconds(),
		Idle: time.Duration(spec.Idle), Silent: spec.Watermarks == "none",
	}
	e.From, e.Take = c.times(id)
	c.timed = append(c.timed, e)
	return e
}

// times returns what the tasks of a step had said of their event time when the job last committed, and takes what this one says. The tasks may have been others.
func (c *chain) times(id string) (from []json.RawMessage, take func(json.RawMessage)) {
	taken := make(map[string]json.RawMessage) // of tasks that are no more: nil
	for i := range plan.MaxParallelism {
		if p := c.last.Positions[positionKey(timesOf(id), fmt.Sprint(i))]; p != nil {
			from = append(from, p)
			if i >= c.width[c.stage] {
				taken[fmt.Sprint(i)] = nil
			}
		}
	}
	return from, func(p json.RawMessage) {
		taken[fmt.Sprint(c.index)] = p
		c.epochs.takeTimes(id, taken)
	}
}

// reached is how far event time has come at a step.
func (c *chain) reached(n *plan.ResolvedNode) (operator.Reached, error) {
	times, take := c.times(n.Node.ID)
	from, err := operator.ReadReached(times)
	if err != nil {
		return operator.Reached{}, c.placed(n, err)
	}
	return operator.Reached{From: from, Take: take}, nil
}

func (c *chain) sink(n *plan.ResolvedNode) (stream.Output, error) {
	spec := n.Node.Sink
	encoder, err := n.Sink.Format.NewEncoder(n.In[0], spec.FormatConfig)
	if err != nil {
		return nil, c.placed(n, err)
	}
	position := c.last.Positions[positionKey(n.Node.ID, fmt.Sprint(c.index))]
	w, err := n.Sink.Sink.Open(c.ctx, c.connectorJob(n.Node.ID), c.index, c.width[c.stage], encoder, position)
	if err != nil {
		return nil, c.placed(n, err)
	}
	index := c.index
	return c.open(&operator.Sink{
		Policy: c.policy(n, spec.OnError), Where: c.where(n), Writer: w,
		TakeFlush: func(epoch uint64, drain bool, f operator.Flushed) { c.epochs.takeFlush(n.Node.ID, index, f) },
	})
}

func (c *chain) source(n *plan.ResolvedNode, out stream.Output, rest func()) error {
	spec, a := n.Node.Source, c.attempt
	shape, err := newShape(n)
	if err != nil {
		return a.placed(n, err)
	}
	s := &source{
		Policy: c.policy(n, spec.OnError), node: n.Node.ID, where: a.where(n), chain: out, epochs: a.epochs, shape: shape, rest: rest,
		barriers: make(chan barrier, 1), wake: make(chan struct{}, 1),
		newDecoder: func(alloc memory.Allocator) (codec.Decoder, error) {
			return n.Source.Format.NewDecoder(n.Source.Decode, spec.FormatConfig, alloc, codec.Limits{})
		},
	}
	if call := c.nextCall(n); call != nil {
		s.guest = c.guests[keyOf(call)]
	}
	var splits []connectors.Split
	var ids []string
	times := make(map[string]json.RawMessage)
	for i, id := range a.splits[n.Node.ID] {
		if i%a.width[c.stage] == c.index {
			splits = append(splits, connectors.Split{ID: id, Position: a.last.Positions[positionKey(n.Node.ID, id)]})
			ids, times[id] = append(ids, id), a.last.Positions[positionKey(timesOf(n.Node.ID), id)]
		}
	}
	if e := spec.EventTime; e != nil {
		if s.clock, err = newClock(e, ids, times, a.job.options.Clock.Now()); err != nil {
			return a.placed(n, err)
		}
		s.align = a.aligned[n.Node.ID]
		s.align.join(s)
	}
	s.time = a.job.options.Clock
	s.timed.operators, s.timed.clock, s.timed.epochs = c.timed, s.time, a.epochs
	a.timed = append(a.timed, &s.timed)
	job := a.connectorJob(n.Node.ID)
	job.Cut = n.Source.Format.Cutter(spec.FormatConfig)
	job.Rows = n.Source.Format.Rows
	s.rows = job.Rows
	if s.reader, err = n.Source.Source.Open(c.ctx, job, splits); err != nil {
		return a.placed(n, err)
	}
	a.closers = append(a.closers, func() { s.reader.Close() })
	a.readers = append(a.readers, s.reader)
	a.epochs.sources = append(a.epochs.sources, s)
	a.tasks = append(a.tasks, task{fmt.Sprintf("source %s[%d]", n.Node.ID, c.index), s.run})
	return nil
}

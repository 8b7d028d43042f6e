package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/runtime"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/state/badgerdb"
	"github.com/wasmill/wasmill/state/memstate"
)

type runCmd struct {
	File string   `arg:"" help:"A pipeline (.yaml), a bundle (.py, .wasm, .zip, .tar.gz, a folder) or a PyFlink script (.py)."`
	Args []string `arg:"" optional:"" help:"With a script: its arguments, behind --."`

	Function []string      `help:"With a bundle: the functions to run, one behind the other; else its only one, or those named map, filter, flat_map. KIND:NAME where a function could be several." placeholder:"NAME,..."`
	Input    string        `help:"With a bundle: a file, or - for standard input." default:"-" placeholder:"FILE"`
	Output   string        `help:"With a bundle: a file, or - for standard output." default:"-" placeholder:"FILE"`
	Schema   string        `help:"With a bundle: 'infer', or columns as 'a:int64,b:utf8'; else the functions' own." placeholder:"COLUMNS"`
	OnError  string        `help:"With a bundle: what happens to rows that fail: fail or skip." default:"fail" enum:"fail,skip"`
	Memory   string        `help:"With a bundle: the most memory of its guest (256MiB)." placeholder:"SIZE"`
	Timeout  time.Duration `help:"With a bundle: the most time of one call, with a batch of rows (10s)." placeholder:"TIME"`

	NATS natsFlags `embed:"" prefix:"nats-"`

	DataDir               string `help:"Where state and the embedded server keep their data." default:".wasmill" env:"WASMILL_DATA" placeholder:"DIR"`
	Fresh                 bool   `help:"Forget what an earlier run of the job has committed, and start from the beginning."`
	State                 string `help:"With a script: keep the state of its jobs in this folder, and go on from there." placeholder:"DIR"`
	AllowNonRestoredState bool   `help:"With a script: go on without state of operators that it does not have any more."`
	Ephemeral             bool   `help:"Keep state in memory only: nothing survives the run."`
	Metrics               string `help:"Serve Prometheus metrics on this address." placeholder:"HOST:PORT"`
	Stats                 bool   `help:"Print where the time went when the job has ended."`
	Quiet                 bool   `short:"q" help:"Print nothing but faults."`
	Verbose               bool   `short:"v" help:"Log what happens, and what functions log for debugging."`
}

func (c *runCmd) Run(ctx context.Context, s *streams) error {
	level, guestLevel := slog.LevelWarn, slog.LevelInfo
	switch {
	case c.Quiet:
		level, guestLevel = slog.LevelError, slog.LevelError
	case c.Verbose:
		level, guestLevel = slog.LevelDebug, slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))
	// What functions print is what their author wants to see.
	guestLog := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: guestLevel}))
	wires := newWires(s, log, &c.NATS, filepath.Join(c.DataDir, "nats"))
	defer wires.close()

	if isScript(c.File) {
		return c.script(ctx, s, log, wires)
	}
	if len(c.Args) > 0 {
		return fault.New(fault.Usage, "%s takes no arguments, got %q", c.File, c.Args[0])
	}
	p, err := c.plan()
	if err != nil {
		return err
	}
	memory, err := c.memory()
	if err != nil {
		return err
	}
	lib, err := newLibrary(p.Dir, guestLog, max(mostMemory(p), memory))
	if err != nil {
		return err
	}
	defer lib.close()
	if p, err = c.fillIn(p, lib, wires); err != nil {
		return err
	}
	resolved, err := plan.Resolve(ctx, p, wires.env(lib))
	if err != nil {
		return err
	}
	if err := checkFiles(p); err != nil {
		return err
	}
	for _, n := range p.Nodes {
		if n.Source != nil && n.Source.Infer && !c.Quiet {
			fmt.Fprintf(s.err, "inferred schema, to be kept in the pipeline:\n%s", schemaYAML(resolved.Node(n.ID)))
		}
	}
	if !c.Quiet && isTerminal(s.in) && readsStdin(p) {
		fmt.Fprintln(s.err, "reading from the terminal, a record a line; Ctrl-D ends it")
	}
	return c.job(ctx, s, log, guestLog, p, resolved, lib)
}

// plan reads the pipeline, or makes one of a bundle and the flags.
func (c *runCmd) plan() (*plan.Plan, error) {
	if isPipeline(c.File) {
		if flag := c.bundleFlag(); flag != "" {
			return nil, fault.New(fault.Usage, "it is for bundles, and %s is a pipeline", c.File).At("%s", flag).
				WithHint("change the pipeline; ${NAME} in it is replaced by an environment variable")
		}
		return readPipeline(c.File)
	}
	if info, err := os.Stat(c.File); err != nil || !info.IsDir() {
		if ext := filepath.Ext(c.File); !slices.Contains(bundleEndings, ext) {
			return nil, fault.New(fault.Usage, "cannot run a %q file", ext).At("%s", c.File).
				WithHint("give a pipeline (.yaml) or a bundle (.py, .wasm, .zip, .tar.gz, a folder)")
		}
	}
	return bundlePlan(c)
}

// bundleFlag returns a flag that was given and says something about a bundle's run, or "".
func (c *runCmd) bundleFlag() string {
	for _, f := range []struct{ name, value, standard string }{
		{"--function", strings.Join(c.Function, ","), ""}, {"--input", c.Input, "-"}, {"--output", c.Output, "-"},
		{"--schema", c.Schema, ""}, {"--on-error", c.OnError, "fail"},
		{"--memory", c.Memory, ""}, {"--timeout", c.Timeout.String(), "0s"}, {"--state", c.State, ""},
	} {
		if f.value != f.standard {
			return f.name
		}
	}
	return ""
}

func (c *runCmd) job(ctx context.Context, s *streams, log, guestLog *slog.Logger, p *plan.Plan, resolved *plan.Resolved, lib *library) error {
	dir := filepath.Join(c.DataDir, "jobs", p.Name)
	if c.Fresh {
		if err := forget(dir); err != nil {
			return err
		}
	}
	resumed := false
	job := runtime.New(runtime.Options{
		Plan:   resolved,
		Bundle: lib.bundle,
		OpenStore: func() (state.Store, error) {
			if c.Ephemeral || !durable(p) {
				return memstate.New(), nil
			}
			store, err := badgerdb.Open(badgerdb.Options{Dir: dir, Profile: badgerdb.Small, Log: log})
			if err != nil {
				return nil, err
			}
			if last, ok, err := store.Last(); err == nil && ok && !resumed {
				resumed = true
				if !c.Quiet {
					fmt.Fprintf(s.err, "%s: going on from epoch %d (--fresh starts from the beginning)\n", p.Name, last.Epoch)
				}
			}
			return store, nil
		},
		Log: log,
		GuestLog: func(node string, level int, line string) {
			guestLog.Log(ctx, slog.Level(level), line, "from", node)
		},
	})
	if c.Metrics != "" {
		url, stop, err := serveMetrics(c.Metrics, p.Name, job)
		if err != nil {
			return err
		}
		defer stop()
		if !c.Quiet {
			fmt.Fprintln(s.err, "metrics at", url)
		}
	}
	ctx, stopSignals := onSignals(ctx, s, job, c.Quiet)
	defer stopSignals()
	hide := func() {}
	if !c.Quiet && isTerminal(s.err) && !(isTerminal(s.out) && writesStdout(p)) {
		hide = progress(s.err, job)
	}
	start := time.Now()
	err := job.Run(ctx)
	elapsed := time.Since(start)
	hide()
	if errors.Is(err, errStopped) {
		return stopped()
	}
	if !c.Quiet && job.Stats() != nil {
		summary(s.err, p, job, elapsed, c.Stats)
	}
	if err != nil {
		return err
	}
	if job.Ended() && !c.Ephemeral {
		// The job is done: another run is a new one.
		return forget(dir)
	}
	return nil
}

// forget removes a job's state. It takes the folder out of the way in one step, for a store that is half removed could
// not be opened again.
func forget(dir string) error {
	gone := dir + ".removed"
	err := os.RemoveAll(gone) // of an earlier run that was killed
	if err == nil {
		err = os.Rename(dir, gone)
	}
	if err == nil {
		err = os.RemoveAll(gone)
	}
	if err != nil && !os.IsNotExist(err) {
		return fault.New(fault.State, "the job's state cannot be removed: %v", err).At("%s", dir)
	}
	return nil
}

// errStopped is the cause of a context that a second Ctrl-C ended.
var errStopped = errors.New("stopped")

// stopWait is how long a job that is to stop may take. Something may not let go of it: an output that nobody reads, a disk
// that hangs.
const stopWait = 2 * time.Second

// sameSignal is how long after the first signal others are taken for the same: supervisors, and timeout(1), signal the
// process and then its group.
const sameSignal = 250 * time.Millisecond

// onSignals drains the job at the first SIGINT or SIGTERM and stops it at the second; when it does not stop in stopWait, it
// ends the process as a crash would, of which every job comes back.
func onSignals(ctx context.Context, s *streams, job interface{ Stop() }, quiet bool) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		var first time.Time
		for {
			select {
			case <-over:
				return
			case <-signals:
			}
			if !first.IsZero() {
				if time.Since(first) < sameSignal {
					continue
				}
				cancel(errStopped)
				select {
				case <-over:
				case <-signals:
					abandon(s)
				case <-time.After(stopWait):
					abandon(s)
				}
				return
			}
			first = time.Now()
			if !quiet {
				fmt.Fprintln(s.err, "\nfinishing what has been read; Ctrl-C again stops at once")
			}
			job.Stop()
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(over)
		<-done
		cancel(nil)
	}
}

// abandon ends the process while the job is still at work.
func abandon(s *streams) {
	show(s.err, stopped())
	os.Exit(exitFailed)
}

func stopped() *fault.Fault {
	return fault.New(fault.Connect, "stopped before the end").
		WithHint("what was committed stays; run the same command again to go on from there")
}

// durable reports whether a run of the plan has anything to go on from after a crash.
func durable(p *plan.Plan) bool {
	for _, n := range p.Nodes {
		if n.Stateful() {
			return true
		}
		if n.Source != nil && n.Source.Connector != "stdin" {
			return true
		}
	}
	return false
}

func readsStdin(p *plan.Plan) bool {
	for _, n := range p.Nodes {
		if n.Source != nil && n.Source.Connector == "stdin" {
			return true
		}
	}
	return false
}

func writesStdout(p *plan.Plan) bool {
	for _, n := range p.Nodes {
		if n.Sink != nil && n.Sink.Connector == "stdout" {
			return true
		}
	}
	return false
}

func isPipeline(file string) bool {
	ext := strings.ToLower(filepath.Ext(file))
	return ext == ".yaml" || ext == ".yml"
}

package python

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

// Script runs a driver script: a file that builds plans and starts them with execute(), as often as it likes.
type Script struct {
	// Execute runs the job of a plan, JSON as docs/tasks.md has it, and returns the answer, JSON too. Tasks has the functions of the
	// script as it waits: its guests are clones of the script. They, and tasks, must be closed when Execute returns.
	Execute func(ctx context.Context, plan []byte, tasks udf.Bundle) (answer []byte, err error)
	// Args is what the script finds in sys.argv behind its own name.
	Args []string
	// Parallelism is how many subtasks an operator of its jobs has where nothing else is said; 0 means 1.
	Parallelism int
	// Log receives what the script prints; nil discards it.
	Log func(level int, line string)
	// Timeout is how long the script may compute, its waiting for jobs not counted; 0 means the runtime's LoadTimeout.
	Timeout time.Duration
	// Scratch is the folder for what is temporary, which the script and its tasks read and write; nil for none.
	Scratch *wasmhost.Scratch
	// MaxMemory is the most memory of the script in bytes; 0 means the default of 256 MiB.
	MaxMemory uint64
}

// Run executes a bundle's file as a script, from its first line to its last. Errors are those of [Runtime.Open]; where a script ended
// with an exit code other than 0, the cause is a [wasmhost.Exit].
func (r *Runtime) Run(ctx context.Context, b *bundle.Bundle, s Script) error {
	if b.Python == nil {
		return notPython(b)
	}
	t, p, err := r.ready(ctx)
	if err != nil {
		return err
	}
	files, err := wasmhost.BundleFiles(b.Files, libraries(p))
	if err != nil {
		return fault.From(err).In("%s", b.Name)
	}
	j := jobOf(b, true)
	if s.Scratch != nil {
		if err := files.Mount(s.Scratch); err != nil {
			return fault.From(err).In("%s", b.Name)
		}
		j.Temporary = s.Scratch.Path()
	}
	j.Args, j.Parallelism = s.Args, s.Parallelism
	text, err := json.Marshal(j)
	if err != nil {
		return fault.New(fault.Internal, "a job is no JSON: %v", err)
	}
	base, err := r.started(ctx, t, p)
	if err != nil {
		return err
	}
	if s.Timeout <= 0 {
		s.Timeout = r.options.LoadTimeout
	}
	seed, err := t.Seed(ctx, base, files, udf.Options{MaxMemory: s.MaxMemory, CallTimeout: s.Timeout, Log: s.Log})
	if err != nil {
		return fault.From(err).In("%s", b.Name)
	}
	defer seed.Close(ctx)
	jobs := &scriptJobs{ctx: ctx, execute: s.Execute}
	seed.OnExecute(func(ctx context.Context, plan []byte, picture func() (*wasmhost.Image, error)) ([]byte, error) {
		var ask jobAsk
		_ = json.Unmarshal(plan, &ask) // what is no JSON is no plan: Execute says so
		if ask.Ask == "link" {
			if s.Scratch == nil {
				return nil, fault.New(fault.Unsupported, "there is no folder for what is temporary")
			}
			return []byte("{}"), files.Link(ask.Name, s.Scratch, ask.Path)
		}
		if ask.Ask != "" {
			return jobs.answer(ctx, ask)
		}
		image, err := picture()
		if err != nil {
			return nil, err
		}
		tasks, err := t.Bundle(ctx, b.Name, b.Digest, image, true, files)
		if err != nil {
			return nil, err // the image is closed
		}
		if ask.Async {
			return jobs.start(plan, tasks)
		}
		defer tasks.Close(ctx)
		return s.Execute(ctx, plan, tasks)
	})
	var exit wasmhost.Exit
	err = seed.RunWith(ctx, exportLoad, text)
	failed := err != nil && (!errors.As(err, &exit) || exit != 0)
	unheard := jobs.end(failed)
	switch {
	case failed:
		return fault.From(told(err)).In("%s", b.Name)
	case unheard != nil:
		return fault.From(unheard).In("%s", b.Name)
	}
	return nil
}

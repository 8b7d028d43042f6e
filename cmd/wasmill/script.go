package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	goruntime "runtime"
	"strings"
	"sync"
	"time"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/script"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/wasmhost"
	"github.com/wasmill/wasmill/wasmhost/bundle"
	"github.com/wasmill/wasmill/wasmhost/python"
)

// A script is a .py that builds its jobs itself, by the DataStream API; other .py files hold functions.
var scriptPattern = regexp.MustCompile(`(?m)^[ \t]*(from|import)[ \t]+(pyflink|wasmill\.datastream|wasmill\.connectors)\b`)

// Modules that a file imports: what stands behind from or import.
var importPattern = regexp.MustCompile(`(?m)^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*)`)

// isScript reports whether a file is a script: it imports the API itself, or modules and packages beside it that do.
func isScript(path string) bool {
	if filepath.Ext(path) != ".py" {
		return false
	}
	return reachesStreams(filepath.Dir(path), path, map[string]bool{})
}

// reachesStreams reports whether a file imports the API itself or by what it imports of a folder. Files that were seen are not read again.
func reachesStreams(dir, path string, seen map[string]bool) bool {
	if seen[path] || len(seen) >= besideFiles {
		return false
	}
	seen[path] = true
	text, err := os.ReadFile(path)
	if err != nil || scriptPattern.Match(text) {
		return err == nil
	}
	for _, found := range importPattern.FindAllSubmatch(text, -1) {
		module := filepath.Join(dir, string(found[1]))
		if reachesStreams(dir, module+".py", seen) {
			return true
		}
		for depth, pattern := 0, "*.py"; depth < besideDepth; depth, pattern = depth+1, filepath.Join("*", pattern) {
			of, _ := filepath.Glob(filepath.Join(module, pattern)) // the pattern is well-formed, but for a folder's name with brackets
			for _, file := range of {
				if reachesStreams(dir, file, seen) {
					return true
				}
			}
		}
	}
	return false
}

// Limits of the guests of scripts where the flags say nothing: what they keep by key is in their memory.
const (
	scriptMemory  = 1 << 30
	scriptTimeout = 5 * time.Minute
	scriptScratch = 1 << 30 // bytes of temporary files
)

// scriptJob is what runs of a script's jobs: the one that it waits for, and those that it has begun and goes on beside.
type scriptJob struct {
	mu   sync.Mutex
	stop map[chan struct{}]struct{} // guarded by mu
	over bool                       // guarded by mu: no further job is started
}

// Stop drains the jobs.
func (j *scriptJob) Stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over = true
	for stop := range j.stop {
		close(stop)
	}
	j.stop = nil
}

func (j *scriptJob) begin() (chan struct{}, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.over {
		return nil, errStopped
	}
	stop := make(chan struct{})
	if j.stop == nil {
		j.stop = map[chan struct{}]struct{}{}
	}
	j.stop[stop] = struct{}{}
	return stop, nil
}

func (j *scriptJob) stopped() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.over
}

func (j *scriptJob) end(stop chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.stop, stop)
}

// script runs a script from its first line to its last, and the jobs that it starts.
func (c *runCmd) script(ctx context.Context, s *streams, log *slog.Logger, w *wires) error {
	for _, f := range []struct{ name, value, standard string }{
		{"--function", strings.Join(c.Function, ","), ""}, {"--input", c.Input, "-"}, {"--output", c.Output, "-"}, {"--schema", c.Schema, ""},
		{"--on-error", c.OnError, "fail"},
	} {
		if f.value != f.standard {
			return fault.New(fault.Usage, "it is for functions, and %s is a script with jobs of its own", c.File).At("%s", f.name)
		}
	}
	memory := uint64(scriptMemory)
	if call, err := c.call(); err != nil {
		return err
	} else if call.MaxMemory > 0 {
		memory = call.MaxMemory
	}
	timeout := scriptTimeout
	if c.Timeout > 0 {
		timeout = c.Timeout
	}
	b, err := scriptBundle(c.File)
	if err != nil {
		return err
	}
	lib, err := newLibrary(".", log, 0)
	if err != nil {
		return err
	}
	defer lib.close()
	job := &scriptJob{}
	ctx, stopSignals := onSignals(ctx, s, job, c.Quiet)
	defer stopSignals()
	out := &lineWriter{out: s.out}
	print := func(level int, line string) {
		if level >= int(slog.LevelWarn) {
			fmt.Fprintln(s.err, line)
			return
		}
		out.line(line)
	}
	scratch, err := wasmhost.NewScratch(scriptScratch)
	if err != nil {
		return err
	}
	defer scratch.Close()
	states := c.scriptStates(b, s, log)
	err = lib.scripts.Run(ctx, b, python.Script{
		Args: c.Args, Parallelism: goruntime.NumCPU(), Log: print, Timeout: timeout, MaxMemory: memory, Scratch: scratch,
		Execute: func(ctx context.Context, plan []byte, tasks udf.Bundle) ([]byte, error) {
			stop, err := job.begin()
			if err != nil {
				return nil, err
			}
			defer job.end(stop)
			state, err := states.open(plan)
			if err != nil {
				return nil, err
			}
			if state.ended {
				return []byte("{}"), nil
			}
			defer state.store.Close()
			answer, err := script.Run(ctx, plan, script.Options{
				Bundle: tasks, Guest: udf.Options{MaxMemory: memory, CallTimeout: timeout, Log: print},
				Store: state.store, Durable: state.durable, AllowDropped: c.AllowNonRestoredState, Script: states.script,
				Connectors: w.connectors(), Formats: formats(), Name: state.name, Dir: filepath.Dir(c.File), Stdout: out, Log: log,
			}, stop)
			if err != nil && ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if job.stopped() {
				return nil, errStopped // the script does not go on as if its job had come to its end
			}
			return answer, nil // the script is told what went wrong, and may go on
		},
	})
	switch {
	case errors.Is(context.Cause(ctx), errStopped):
		return stopped()
	case job.stopped():
		return nil // at the user's wish, with all that was read written
	case err == nil:
		return states.forget()
	}
	var code wasmhost.Exit
	if errors.As(err, &code) {
		return exit(code)
	}
	return err
}

// lineWriter takes lines of several goroutines, each whole.
type lineWriter struct {
	mu  sync.Mutex
	out interface{ Write([]byte) (int, error) }
}

// Write implements io.Writer.
func (w *lineWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(b)
}

func (w *lineWriter) line(text string) { _, _ = w.Write([]byte(text + "\n")) }

// Limits of what a script sees of the folder that it lies in.
const (
	besideFile  = 16 << 20
	besideAll   = 128 << 20
	besideFiles = 2000
	besideDepth = 8
)

// scriptBundle makes a bundle of a script and of what lies beside it: modules, packages and data that it opens by relative paths. Hidden
// files and folders, machine code and what is very large are left out, and links are not followed.
func scriptBundle(path string) (*bundle.Bundle, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Usage, "the script cannot be read: %v", err).At("%s", path)
	}
	root, main := filepath.Dir(path), filepath.Base(path)
	files, total := map[string][]byte{main: text}, int64(len(text))
	err = filepath.WalkDir(root, func(at string, e fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(root, at)
		if err != nil || relErr != nil || rel == "." {
			return nil // what cannot be read is not there
		}
		if strings.HasPrefix(e.Name(), ".") || e.Name() == "__pycache__" || e.Name() == "node_modules" {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() {
			if strings.Count(rel, string(filepath.Separator)) >= besideDepth {
				return fs.SkipDir
			}
			return nil
		}
		info, err := e.Info()
		if err != nil || !e.Type().IsRegular() || rel == main || info.Size() > besideFile || total+info.Size() > besideAll {
			return nil
		}
		if len(files) >= besideFiles {
			return fs.SkipAll
		}
		content, err := os.ReadFile(at)
		if err == nil {
			files[filepath.ToSlash(rel)] = content
			total += int64(len(content))
		}
		return nil
	})
	if err != nil {
		return nil, fault.New(fault.Usage, "the folder of the script cannot be read: %v", err).At("%s", root)
	}
	return &bundle.Bundle{Name: main, Digest: main, Files: files, Python: &bundle.Python{Main: main}}, nil
}

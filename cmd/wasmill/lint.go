package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/pipeline"
	"github.com/wasmill/wasmill/engine/plan"
)

// readPipeline reads a pipeline with the environment's variables.
func readPipeline(file string) (*plan.Plan, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		if os.IsNotExist(err) {
			return nil, fault.New(fault.Usage, "there is no such file").At("%s", file).WithHint("%s", nearFiles(file, ".yaml", ".yml"))
		}
		return nil, fault.New(fault.Usage, "cannot be read: %v", err).At("%s", file)
	}
	p, err := pipeline.Parse(file, data, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	p.Dir = filepath.Dir(file)
	return p, nil
}

// resolve reads a pipeline, or makes one of a bundle, and looks up all that it names.
func resolve(ctx context.Context, s *streams, file string) (*plan.Resolved, func(), error) {
	c := &runCmd{File: file, Input: "-", Output: "-", OnError: string(plan.Fail)}
	p, err := c.plan()
	if err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	lib, err := newLibrary(p.Dir, log, mostMemory(p))
	if err != nil {
		return nil, nil, err
	}
	wires := newWires(s, slog.New(slog.DiscardHandler), &natsFlags{}, "")
	done := func() {
		wires.close()
		lib.close()
	}
	if p, err = c.fillIn(p, lib, wires); err != nil {
		done()
		return nil, nil, err
	}
	env := wires.env(lib)
	if !isPipeline(file) {
		env.Sample = nil // the input is only known to a run
	}
	resolved, err := plan.Resolve(ctx, p, env)
	if err != nil {
		done()
		return nil, nil, err
	}
	return resolved, done, nil
}

type lintCmd struct {
	Files []string `arg:"" help:"Pipelines, and bundles that run without one."`
}

func (c *lintCmd) Run(ctx context.Context, s *streams) error {
	var faults fault.List
	for _, file := range c.Files {
		_, done, err := resolve(ctx, s, file)
		if err != nil {
			faults.Append(err)
			continue
		}
		done()
		fmt.Fprintf(s.out, "%s: fine\n", file)
	}
	if err := faults.Err(); err != nil {
		return err
	}
	return nil
}

type explainCmd struct {
	File string `arg:"" help:"A pipeline, or a bundle."`
	JSON bool   `help:"Print it as JSON, for programs."`
}

func (c *explainCmd) Run(ctx context.Context, s *streams) error {
	resolved, done, err := resolve(ctx, s, c.File)
	if err != nil {
		return err
	}
	defer done()
	if c.JSON {
		text, err := plan.Explain(resolved).JSON()
		if err != nil {
			return err
		}
		fmt.Fprintln(s.out, strings.TrimRight(string(text), "\n"))
		return nil
	}
	fmt.Fprintln(s.out, strings.TrimRight(plan.Explain(resolved).String(), "\n"))
	return nil
}

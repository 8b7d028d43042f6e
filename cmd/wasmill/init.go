package main

import (
	"fmt"

	"github.com/wasmill/wasmill/cmd/wasmill/scaffold"
)

type initCmd struct {
	Name string `arg:"" help:"The name of the function's bundle; a folder of that name is made."`
	Lang string `help:"The language of the function: go, c, rust or python." enum:"go,c,rust,python" default:"go"`
	Kind string `help:"What the function is: a map of rows, or a process function with state and timers." enum:"map,process" default:"map"`
}

func (c *initCmd) Run(s *streams) error {
	files, err := scaffold.Write(c.Name, c.Lang, c.Kind, c.Name)
	if err != nil {
		return err
	}
	for _, f := range files {
		fmt.Fprintln(s.out, "wrote", f)
	}
	build := "make && "
	if c.Lang == "python" {
		build = ""
	}
	fmt.Fprintf(s.out, "\nnow: cd %s && %swasmill run pipeline.yaml\n", c.Name, build)
	return nil
}

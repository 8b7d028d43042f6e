// Command wasmill runs streams of events through sandboxed functions.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/wasmhost"
)

// version is set by the linker.
var version = "dev"

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage, or a faulty file
)

func main() {
	if wasmhost.CompileChild() {
		return
	}
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// streams are the command's standard input and outputs.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

type cli struct {
	Run     runCmd     `cmd:"" help:"Run a pipeline, or a bundle's function between an input and an output."`
	Lint    lintCmd    `cmd:"" help:"Check a pipeline and report every fault with its line and column."`
	Explain explainCmd `cmd:"" help:"Show how a pipeline would run: tasks, columns, types."`
	Init    initCmd    `cmd:"" help:"Write a function, a pipeline and sample data to start from."`
	Bundle  bundleCmd  `cmd:"" help:"Look into bundles."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

type versionCmd struct{}

func (versionCmd) Run(s *streams) error {
	fmt.Fprintln(s.out, "wasmill", version)
	return nil
}

// exit ends the parser without ending the process. As an error it is a script's exit code, which says it all.
type exit int

// Error implements error.
func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) (code int) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case exit:
			code = int(e)
		default:
			panic(e)
		}
	}()
	s := &streams{in: in, out: out, err: errOut}
	var c cli
	parser, err := kong.New(&c,
		kong.Name("wasmill"),
		kong.Description("A stream processor for user code that nobody has to trust."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(out, errOut),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(s),
	)
	if err != nil {
		fmt.Fprintln(errOut, "wasmill:", err)
		return exitFailed
	}
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "help": // help COMMAND is COMMAND --help
		args = append(slices.Clone(args[1:]), "--help")
	}
	k, err := parser.Parse(args)
	if err != nil {
		show(errOut, fault.New(fault.Usage, "%v", err).WithHint("wasmill --help lists the commands and their options"))
		return exitUsage
	}
	if err := k.Run(); err != nil {
		var code exit
		if errors.As(err, &code) {
			return int(code)
		}
		show(errOut, err)
		return exitCode(err)
	}
	return exitDone
}

// exitCode tells what the user wrote wrongly from what went wrong.
func exitCode(err error) int {
	var list fault.List
	if errors.As(err, &list) && len(list) > 0 {
		err = list[0]
	}
	switch fault.CodeOf(err) {
	case fault.Usage, fault.Schema, fault.Bundle, fault.Admission, fault.Unsupported:
		return exitUsage
	}
	return exitFailed
}

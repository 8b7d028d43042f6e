package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
	"github.com/wasmill/wasmill/state"
	"github.com/wasmill/wasmill/wasmhost/bundle"
)

type bundleCmd struct {
	Inspect inspectCmd `cmd:"" help:"Print a bundle's functions, columns, size, imports."`
}

type inspectCmd struct {
	File string `arg:"" help:"A .py or .wasm file, or a .zip, a .tar.gz or a folder with one of them."`
}

func (c *inspectCmd) Run(ctx context.Context, s *streams) error {
	upload, err := bundle.Open(c.File)
	if err != nil {
		return err
	}
	var module *bundle.Module
	if upload.Python == nil {
		if module, err = bundle.Inspect(upload.Wasm); err != nil {
			return fault.From(err).In("%s", c.File)
		}
	}
	fmt.Fprintf(s.out, "name       %s", upload.Name)
	if upload.Version != "" {
		fmt.Fprintf(s.out, " %s", upload.Version)
	}
	fmt.Fprintf(s.out, "\ndigest     sha256:%s\n", upload.Digest)
	if upload.Description != "" {
		fmt.Fprintf(s.out, "about      %s\n", printable(upload.Description))
	}
	if module != nil {
		describeModule(s, upload, module)
	} else {
		fmt.Fprintf(s.out, "size       %s bytes\npython     %s\n", count(uint64(upload.Size)), printable(upload.Python.Main))
		for _, p := range upload.Python.Paths {
			fmt.Fprintf(s.out, "imports    %s/\n", printable(p))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(upload.Files)) {
		fmt.Fprintf(s.out, "file       %s, %s bytes\n", printable(path), count(uint64(len(upload.Files[path]))))
	}
	lib, err := newLibrary(".", slog.New(slog.DiscardHandler), 0)
	if err != nil {
		return err
	}
	defer lib.close()
	b, err := lib.open(ctx, upload)
	if err != nil {
		return inFile(err, upload.Name, c.File)
	}
	defer b.Close(ctx)
	describeFunctions(s, b.Functions())
	return nil
}

func describeModule(s *streams, upload *bundle.Bundle, module *bundle.Module) {
	fmt.Fprintf(s.out, "size       %s bytes, module %s, code %s\n", count(uint64(upload.Size)), count(uint64(len(upload.Wasm))), count(uint64(module.Code)))
	if m := module.Memory; m != nil {
		fmt.Fprintf(s.out, "memory     %s KiB at start", count(m.Min*64))
		if m.HasMax {
			fmt.Fprintf(s.out, ", %s KiB at most", count(m.Max*64))
		}
		fmt.Fprintln(s.out)
	}
	for _, p := range module.Producers {
		fmt.Fprintf(s.out, "%-10s %s %s\n", printable(p.Field), printable(p.Name), printable(p.Version))
	}
	fmt.Fprintf(s.out, "imports    %d\n", len(module.Imports))
	for _, i := range module.Imports {
		fmt.Fprintf(s.out, "  %s.%s %s\n", printable(i.Module), printable(i.Name), i.Type)
	}
}

// describeFunctions prints each function once, with all the kinds that it can be used as.
func describeFunctions(s *streams, functions []udf.Signature) {
	kinds := make(map[string][]string)
	for _, f := range functions {
		kinds[f.Name] = append(kinds[f.Name], string(f.Kind))
	}
	fmt.Fprintf(s.out, "functions  %d\n", len(kinds))
	for _, f := range functions {
		if kinds[f.Name] == nil {
			continue
		}
		describe(s, f, strings.Join(kinds[f.Name], " or "))
		kinds[f.Name] = nil
	}
}

func describe(s *streams, f udf.Signature, kinds string) {
	fmt.Fprintf(s.out, "  %s (%s)", f.Name, kinds)
	if f.Doc != "" {
		fmt.Fprintf(s.out, ": %s", printable(f.Doc))
	}
	in, out := "any columns", "the same columns"
	switch {
	case f.In != nil:
		in = schema.FormatSchema(f.In)
	case schema.IsDocument(f.Out):
		in = "any columns, or JSON documents"
	}
	switch {
	case schema.IsDocument(f.Out):
		out = "JSON documents"
	case f.Out != nil:
		out = schema.FormatSchema(f.Out)
	}
	fmt.Fprintf(s.out, "\n    in   %s\n    out  %s\n", in, out)
	for _, d := range f.State {
		text := d.Type
		if d.Kind != "" && d.Kind != state.KindValue {
			text = fmt.Sprintf("%s<%s>", d.Kind, d.Type)
		}
		if d.TTL != nil {
			text += fmt.Sprintf(", expires %v after its last use (%s)", d.TTL.After, d.TTL.Update)
		}
		fmt.Fprintf(s.out, "    state %s: %s\n", d.Name, text)
	}
	for _, side := range f.Sides {
		fmt.Fprintf(s.out, "    side output %s: %s\n", printable(side.Tag), schema.FormatSchema(side.Out))
	}
}

package main

import (
	"slices"
	"strings"

	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/schema"
	"github.com/wasmill/wasmill/engine/udf"
)

// chooseFunctions returns the functions that a bundle's run puts one behind the other: those wanted, each "NAME" or
// "KIND:NAME", in that order; without a kind a function is what the bundle lists first for its name. Where none are wanted it is the bundle's only one, or those that say by their name what they
// are (map, filter, flat_map), in the bundle's order.
func chooseFunctions(functions []udf.Signature, wanted []string) ([]udf.Signature, error) {
	var names []string
	var byName []udf.Signature
	for _, f := range functions {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
		if f.Name == string(f.Kind) {
			byName = append(byName, f)
		}
	}
	if len(wanted) == 0 {
		switch {
		case len(byName) > 0:
			return byName, stateless(byName)
		case len(names) != 1:
			return nil, fault.New(fault.Usage, "the bundle has %d functions: which one?", len(names)).
				WithHint("choose one with --function, or several that run one behind the other: %s", strings.Join(names, ", "))
		}
		wanted = names
	}
	var chosen []udf.Signature
	for _, w := range wanted {
		kind, name, ok := strings.Cut(strings.TrimSpace(w), ":")
		if !ok {
			kind, name = "", kind
		}
		f := udf.Find(functions, name, udf.Kind(kind))
		switch {
		case f != nil:
			chosen = append(chosen, *f)
		case slices.Contains(names, name):
			return nil, fault.New(fault.Usage, "there is no %s function `%s`", kind, name).WithHint("%s", kindsOf(functions, name))
		default:
			return nil, fault.New(fault.Usage, "there is no function `%s`", name).WithHint("%s", fault.DidYouMean(name, names))
		}
	}
	return chosen, stateless(chosen)
}

func kindsOf(functions []udf.Signature, name string) string {
	var kinds []string
	for _, f := range functions {
		if f.Name == name {
			kinds = append(kinds, string(f.Kind)+":"+name)
		}
	}
	return "there is " + strings.Join(kinds, ", ")
}

func stateless(functions []udf.Signature) error {
	for _, f := range functions {
		if f.Kind.Keyed() {
			return fault.New(fault.Usage, "function `%s` keeps state by key, so it needs a pipeline with a key_by", f.Name).
				WithHint("wasmill init shows the shape of a pipeline")
		}
	}
	return nil
}

// columnsRead returns the columns that a chain of functions reads of the input, nil where each takes what there is: those of
// the first that makes rows of its own, and of filters and scalars before it.
func columnsRead(chain []udf.Signature) []plan.Field {
	var fields []plan.Field
	var made []string // by scalars, not read of the input
	for _, f := range chain {
		if f.In != nil && !schema.IsDocument(f.In) {
			for _, c := range f.In.Fields() {
				if slices.Contains(made, c.Name) || slices.ContainsFunc(fields, func(p plan.Field) bool { return p.Name == c.Name }) {
					continue // read before: types that differ are found when the plan is resolved
				}
				fields = append(fields, plan.Field{Name: c.Name, Type: schema.FormatField(c)})
			}
		}
		switch f.Kind {
		case udf.Filter:
		case udf.Scalar:
			made = append(made, f.Out.Field(0).Name)
		default:
			return fields
		}
	}
	return fields
}

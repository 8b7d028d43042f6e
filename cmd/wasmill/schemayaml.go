package main

import (
	"fmt"
	"strings"

	"github.com/wasmill/wasmill/engine/plan"
	"github.com/wasmill/wasmill/engine/schema"
)

// schemaYAML writes a source's columns as a pipeline would declare them.
func schemaYAML(n *plan.ResolvedNode) string {
	var b strings.Builder
	b.WriteString("  schema:\n")
	for _, f := range n.Source.Schema.Fields() {
		fmt.Fprintf(&b, "    %s: %q\n", f.Name, schema.FormatNullable(f.Type, f.Nullable))
	}
	return b.String()
}

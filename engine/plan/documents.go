package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/fault"
	"github.com/wasmill/wasmill/engine/schema"
)

func hasDocuments(s *arrow.Schema) bool { return slices.ContainsFunc(s.Fields(), schema.IsJSON) }

// documentColumns refuses document columns in a declared schema, but where the one column is the whole record.
func (r *resolver) documentColumns(n *Node, declared *arrow.Schema, f codec.Format) bool {
	ok := true
	for i, c := range declared.Fields() {
		if !schema.IsJSON(c) || schema.IsDocument(declared) && f.Documents {
			continue
		}
		ok = false
		path := fmt.Sprintf("source.schema[%d].type", i)
		if !f.Documents {
			r.add(n, fault.Schema, path, "the format `%s` has no documents, so no column can be json", f.Name)
			continue
		}
		r.add(n, fault.Schema, path, "a column of type json is the whole record, so it is the only one").Hint =
			"declare what is in it, as struct<...> for instance; without `schema` each record is a document"
	}
	return ok
}

// columnsHint says how the documents that a node passes on could be columns, with the columns wanted where they are known.
func (r *resolver) columnsHint(id string, wanted *arrow.Schema) string {
	n := r.byID[id].Node
	for n.Call == nil && n.Source == nil || n.Kind == KindFilter || n.Kind == KindScalar {
		n = r.byID[n.Inputs[0]].Node
	}
	if n.Call != nil {
		return fmt.Sprintf("`%s` returns JSON documents: annotate what it returns, and there are columns", n.Call.Function)
	}
	columns := "NAME: TYPE, ..."
	if wanted != nil && len(wanted.Fields()) > 0 && len(wanted.Fields()) <= 8 {
		list := make([]string, len(wanted.Fields()))
		for i, f := range wanted.Fields() {
			list[i] = f.Name + ": " + schema.Format(f.Type)
		}
		columns = strings.Join(list, ", ")
	}
	return fmt.Sprintf("the input has no schema, so each event is one JSON document: declare its columns, `schema: {%s}`", columns)
}

// documentSink checks that an output that gets documents can write them. What it said of columns that are not there gets the hint
// that says how there are some; before is how many faults there were until then.
func (r *resolver) documentSink(n *ResolvedNode, before int) {
	if !hasDocuments(n.In[0]) {
		return
	}
	for _, f := range r.faults[before:] {
		f.Hint = r.columnsHint(n.Node.Inputs[0], nil)
	}
	if schema.IsDocument(n.In[0]) && !n.Sink.Format.Documents {
		r.add(n.Node, fault.Schema, "sink.format", "the format `%s` needs columns, and these rows are JSON documents", n.Sink.Format.Name).Hint =
			r.columnsHint(n.Node.Inputs[0], nil)
	}
}

// typeName writes a column's type without regard to nulls.
func typeName(f arrow.Field) string {
	f.Nullable = true
	return schema.FormatField(f)
}

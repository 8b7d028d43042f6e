package runtime

import (
	"context"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/engine/operator"
	"github.com/wasmill/wasmill/engine/plan"
)

// lookup builds what enriches rows from a table.
func (c *chain) lookup(n *plan.ResolvedNode) *operator.Lookup {
	found := n.Lookup
	l := &operator.Lookup{
		Policy: c.policy(n, n.Node.Lookup.OnError), Where: c.where(n), Keys: found.Keys, From: found.From, Out: n.Out,
		OpenTable: func(ctx context.Context) (connectors.Table, error) {
			job := c.connectorJob(n.Node.ID)
			job.Rows, job.Cut = found.Format.Rows, found.Format.Cutter(n.Node.Lookup.FormatConfig)
			return found.Lookup.Open(ctx, job, found.Query)
		},
	}
	l.Miss(n.Node.Lookup.Missing)
	fields := make([]arrow.Field, len(found.Keys))
	for i, at := range found.Keys {
		fields[i] = n.In[0].Field(at)
	}
	l.KeySchema = arrow.NewSchema(fields, nil)
	return l
}

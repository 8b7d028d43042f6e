package plan

import (
	"context"

	"github.com/wasmill/wasmill/connectors"
	"github.com/wasmill/wasmill/connectors/codec"
	"github.com/wasmill/wasmill/engine/udf"
)

// Env is what a plan is resolved against.
type Env struct {
	// Functions returns the functions of a bundle, whose path is as in [Call]: relative to Plan.Dir. It is called once for
	// each bundle. Faults without a position get that of the call.
	Functions func(ctx context.Context, bundle string) ([]udf.Signature, error)
	// Refused returns why something in a bundle that looks like a function of that name is none, "" for nothing. Nil: never.
	Refused func(bundle, function string) string
	// Connectors and Formats hold all there are, by name.
	Connectors map[string]connectors.Connector
	Formats    map[string]codec.Format
	// Sample returns the first bytes of an input, whole records, for a schema that is to be inferred. It is called for such
	// inputs only. Nil: nothing can be inferred, and a plan that needs it is refused.
	Sample func(ctx context.Context, node *Node, source connectors.Source) ([]byte, error)
}

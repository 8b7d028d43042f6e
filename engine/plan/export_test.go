package plan

import "context"

// SinkColumns returns the columns that come to each output of a plan without faults when nothing is pruned.
func SinkColumns(ctx context.Context, p *Plan, env Env) map[string][]string {
	r := &resolver{ctx: ctx, plan: p, env: env, bundles: make(map[string]*bundle), byID: make(map[string]*ResolvedNode)}
	columns := make(map[string][]string)
	for i := range p.Nodes {
		n := &ResolvedNode{Node: &p.Nodes[i]}
		r.nodes, r.byID[n.Node.ID] = append(r.nodes, n), n
		r.lookUp(n)
	}
	r.flow()
	for _, n := range r.nodes {
		if n.Node.Kind == KindSink {
			for _, f := range fieldsOf(n.In[0]) {
				columns[n.Node.ID] = append(columns[n.Node.ID], f.Name+": "+f.Type)
			}
		}
	}
	return columns
}

package plan

// stages cuts the nodes into chains: before each union, before each key_by whose keys are owned by several tasks, and wherever
// the number of tasks changes. Nodes that read one node at its width run in its chain.
func stages(p *Plan, nodes []*ResolvedNode) []*Stage {
	widths := p.widths()
	stageOf := make(map[string]*Stage)
	var all []*Stage
	for _, n := range nodes {
		id, width := n.Node.ID, widths[n.Node.ID]
		if len(n.Node.Inputs) == 1 {
			from := n.Node.Inputs[0]
			keyed := n.Node.Kind == KindKeyBy && width > 1
			if width == widths[from] && !keyed {
				s := stageOf[from]
				s.Nodes = append(s.Nodes, n)
				stageOf[id] = s
				continue
			}
		}
		s := &Stage{Nodes: []*ResolvedNode{n}, Parallelism: width}
		for _, from := range n.Node.Inputs {
			in := Input{From: from, Exchange: Rebalance}
			if n.Node.Kind == KindKeyBy && width > 1 {
				in.Exchange, in.Keys = Hash, n.Node.KeyBy.Columns
			}
			s.Inputs = append(s.Inputs, in)
		}
		stageOf[id] = s
		all = append(all, s)
	}
	return all
}

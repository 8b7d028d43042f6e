package plan

// widths returns the number of tasks of each node: its own or the plan's. The nodes from a key_by to the keyed_maps that use its
// keys run at one width, which any of them may say; a window over all keys runs in one task, and a side output in those of its
// input. The plan's edges must be sound.
func (p *Plan) widths() map[string]int {
	byID := make(map[string]*Node, len(p.Nodes))
	widths := make(map[string]int, len(p.Nodes))
	said := make(map[string]int) // by key_by
	for i := range p.Nodes {
		n := &p.Nodes[i]
		byID[n.ID] = n
		widths[n.ID] = firstPositive(n.Parallelism, p.Parallelism, 1)
		if n.Kind == KindWindow && n.Window.All {
			widths[n.ID] = 1
		}
		if n.keyed() {
			path := p.keyedPath(n, byID)
			for _, m := range path {
				said[path[0].ID] = firstPositive(said[path[0].ID], m.Parallelism)
			}
		}
	}
	for i := range p.Nodes {
		if n := &p.Nodes[i]; n.keyed() {
			path := p.keyedPath(n, byID)
			if path[0].Kind != KindKeyBy {
				continue
			}
			for _, m := range path {
				widths[m.ID] = firstPositive(said[path[0].ID], p.Parallelism, 1)
			}
		}
	}
	for i := range p.Nodes {
		if n := &p.Nodes[i]; n.Kind == KindSideOutput {
			widths[n.ID] = widths[n.Inputs[0]]
		}
	}
	return widths
}

// keyedPath returns the nodes from the one that a keyed node's rows have their keys from, a key_by in a valid plan, to itself.
func (p *Plan) keyedPath(n *Node, byID map[string]*Node) []*Node {
	path := []*Node{n}
	for {
		from := byID[path[0].Inputs[0]]
		path = append([]*Node{from}, path...)
		if from.Kind != KindProject {
			return path
		}
	}
}

func firstPositive(values ...int) int {
	for _, v := range values {
		if v > 0 {
			return v
		}
	}
	return 0
}

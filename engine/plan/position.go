package plan

import "strings"

// Position returns where a member of a node stands in the user's file, as "file:line:column", from the longest known prefix of
// path ("" is the node itself). Node "" stands for the plan, with the paths of members outside of the nodes. It returns "" when
// nothing is known.
func (p *Plan) Position(node, path string) string {
	if node == "" {
		return position(p.File, p.Positions, path)
	}
	for i := range p.Nodes {
		if p.Nodes[i].ID == node {
			return position(p.File, p.Nodes[i].Positions, path)
		}
	}
	return ""
}

func position(file string, positions map[string]string, path string) string {
	for {
		if at, ok := positions[path]; ok {
			if file == "" {
				return at
			}
			return file + ":" + at
		}
		if path == "" {
			return ""
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

package model

import (
	"slices"

	yaml "go.yaml.in/yaml/v4"
)

type removeNode struct{ pool, node string }

func (e removeNode) wanted(c *Cluster) (*Cluster, error) {
	i, j, err := c.nodeAt(e.pool, e.node)
	if err != nil {
		return nil, err
	}
	if nodes := c.Pools[i].Nodes; len(nodes) > 1 {
		return c.withNodes(i, slices.Delete(slices.Clone(nodes), j, j+1)), nil
	}
	return nil, Problems{c.Problem(item(item("pools", i)+".nodes", j), e.node+" is the only node of pool "+e.pool,
		"add another one first, or set state: disabled")}
}

func (e removeNode) write(d *draft) ([]byte, error) {
	i, j, err := d.cluster.nodeAt(e.pool, e.node)
	if err != nil {
		return nil, err
	}
	list, err := d.nodes(i)
	if err != nil {
		return nil, err
	}
	n, field := list.Content[j], item(item("pools", i)+".nodes", j)
	if err := d.wholly(&yaml.Node{Content: []*yaml.Node{n}}, field); err != nil {
		return nil, err
	}
	if list.Style&yaml.FlowStyle != 0 {
		cuts, err := d.cutEntry(list, j, 1, false)
		if err != nil {
			return nil, err
		}
		return d.with(cuts...), nil
	}
	return d.takeEntry(list, j)
}

// takeEntry takes an entry out of a list in blocks, with its own comments.
func (d *draft) takeEntry(list *yaml.Node, j int) ([]byte, error) {
	n := list.Content[j]
	dash, err := d.dash(n)
	if err != nil {
		return nil, err
	}
	end, err := d.end(n)
	if err != nil {
		return nil, err
	}
	from := d.ownComments(list, j)
	end = d.below(end, dash-d.lineStart(dash))
	to := d.nextLine(end)
	switch gap := to == len(d.text) || d.blank(to); {
	case gap && j == 0:
		for d.blank(to) {
			end, to = to, d.nextLine(to)
		}
	case gap:
		for d.blank(from - 1) {
			from = d.lineStart(from - 1)
		}
	}
	return d.with(d.wholeLines(from, d.lineEnd(end))), nil
}

// below is the end of an entry with the comments below its keys, farther in than its
// dash.
func (d *draft) below(end, indent int) int {
	for next := d.nextLine(end); next < len(d.text) && d.commentIndent(next) > indent; next = d.nextLine(next) {
		end = next
	}
	return end
}

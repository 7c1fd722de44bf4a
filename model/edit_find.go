package model

import "fmt"

// nodeAt finds a node by the names of its pool and itself.
func (c *Cluster) nodeAt(pool, node string) (i, j int, err error) {
	if i, err = c.poolAt(pool); err != nil {
		return 0, 0, err
	}
	nodes := c.Pools[i].Nodes
	j, several := only(len(nodes), func(j int) bool { return nodes[j].Name == node })
	field := item("pools", i) + ".nodes"
	switch {
	case several:
		return 0, 0, Problems{c.Problem(item(field, j), fmt.Sprintf("there are two nodes called %q", node), "rename one of them by hand")}
	case j < 0:
		var known []string
		for _, n := range nodes {
			known = append(known, n.Name)
		}
		return 0, 0, Problems{c.Problem(field, fmt.Sprintf("there is no node %q in pool %s", node, pool), suggest(node, known))}
	}
	return i, j, nil
}

func (c *Cluster) poolAt(pool string) (int, error) {
	i, several := only(len(c.Pools), func(i int) bool { return c.Pools[i].Name == pool })
	switch {
	case several:
		return 0, Problems{c.Problem(item("pools", i), fmt.Sprintf("there are two pools called %q", pool), "rename one of them by hand")}
	case i < 0:
		var known []string
		for _, p := range c.Pools {
			known = append(known, p.Name)
		}
		return 0, Problems{c.Problem("pools", fmt.Sprintf("there is no pool %q", pool), suggest(pool, known))}
	}
	return i, nil
}

// only is the index of the one that fits, or of the second where there are several.
func only(n int, fits func(int) bool) (at int, several bool) {
	at = -1
	for i := range n {
		if fits(i) {
			several = at >= 0
			at = i
		}
		if several {
			break
		}
	}
	return at, several
}

package model

import (
	"fmt"

	yaml "go.yaml.in/yaml/v4"
)

// draft is the text of a file with the tree that was read of it. The library tells
// where each node of the tree begins; where it ends is found here.
type draft struct {
	text    []byte
	cluster *Cluster
	root    *yaml.Node
	lines   []int // where each line begins
	aliases map[*yaml.Node]*yaml.Node
}

func newDraft(file string, text []byte, c *Cluster) (*draft, error) {
	root, problem := document(text)
	if problem != nil {
		problem.File = file
		return nil, Problems{*problem}
	}
	d := &draft{text: text, cluster: c, root: root, lines: lineStarts(text), aliases: map[*yaml.Node]*yaml.Node{}}
	d.findAliases(root)
	return d, nil
}

// findAliases remembers what is named elsewhere. The tree may have circles only
// through aliases, which are not followed.
func (d *draft) findAliases(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		d.aliases[n.Alias] = n
		return
	}
	for _, c := range n.Content {
		d.findAliases(c)
	}
}

// refuse says that the text at a node is not for a program to change.
func (d *draft) refuse(n *yaml.Node, field, what, hint string) error {
	return Problems{{File: d.cluster.file, Line: n.Line, Column: n.Column, Field: field, What: what, Hint: hint}}
}

// own makes sure that a node stands here and is meant by nothing else.
func (d *draft) own(n *yaml.Node, field string) error {
	if n.Kind == yaml.AliasNode {
		return d.refuse(n, field, fmt.Sprintf("comes from the anchor &%s in line %d", n.Value, n.Alias.Line),
			fmt.Sprintf("what changes there changes for all that name *%s: write it out here, or %s", n.Value, byHand))
	}
	if alias := d.aliases[n]; alias != nil {
		return d.refuse(n, field, fmt.Sprintf("is named by *%s in line %d as well, which would change with it", alias.Value, alias.Line),
			"write it out there, or "+byHand)
	}
	return nil
}

// wholly makes sure that nothing in a node is named from elsewhere.
func (d *draft) wholly(n *yaml.Node, field string) error {
	for _, c := range n.Content {
		if alias := d.aliases[c]; alias != nil {
			return d.refuse(c, field, fmt.Sprintf("has the anchor &%s that line %d names", alias.Value, alias.Line), "write it out there first")
		}
		if err := d.wholly(c, field); err != nil {
			return err
		}
	}
	return nil
}

// nodes is the list of a pool's nodes.
func (d *draft) nodes(i int) (*yaml.Node, error) {
	pools := value(d.root, "pools")
	if err := d.own(pools, "pools"); err != nil {
		return nil, err
	}
	pool, field := pools.Content[i], item("pools", i)
	if err := d.own(pool, field); err != nil {
		return nil, err
	}
	list := value(pool, "nodes")
	field += ".nodes"
	if list == nil {
		return nil, d.refuse(pool, field, "the pool has no nodes", "begin the list by hand")
	}
	if err := d.own(list, field); err != nil {
		return nil, err
	}
	if list.Kind != yaml.SequenceNode {
		return nil, d.refuse(list, field, "is no list", "begin it by hand")
	}
	return list, nil
}

// node is a node's keys and values, and the list in which they stand.
func (d *draft) node(i, j int) (list, n *yaml.Node, err error) {
	if list, err = d.nodes(i); err != nil {
		return nil, nil, err
	}
	n = list.Content[j]
	field := item(item("pools", i)+".nodes", j)
	if err = d.own(n, field); err != nil {
		return nil, nil, err
	}
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		return nil, nil, d.refuse(n, field, "has no keys", byHand)
	}
	if merge := value(n, "<<"); merge != nil {
		return nil, nil, d.refuse(merge, field, "is made of another node by a merge key (<<), which usher does not read", "write its keys out")
	}
	return list, n, nil
}

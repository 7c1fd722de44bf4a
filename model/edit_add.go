package model

import (
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

type addNode struct {
	pool string
	node Node
}

func (e addNode) wanted(c *Cluster) (*Cluster, error) {
	i, err := c.poolAt(e.pool)
	if err != nil {
		return nil, err
	}
	field := item("pools", i) + ".nodes"
	if at := slices.IndexFunc(c.Pools[i].Nodes, func(n Node) bool { return n.Name == e.node.Name }); at >= 0 {
		return nil, Problems{c.Problem(item(field, at), "pool "+e.pool+" has a node "+e.node.Name+" already", "give the new one another name")}
	}
	n := e.node
	completeNode(&n)
	return c.withNodes(i, append(slices.Clone(c.Pools[i].Nodes), n)), nil
}

func (e addNode) write(d *draft) ([]byte, error) {
	i, err := d.cluster.poolAt(e.pool)
	if err != nil {
		return nil, err
	}
	list, err := d.nodes(i)
	if err != nil {
		return nil, err
	}
	if list.Style&yaml.FlowStyle != 0 {
		return e.intoBrackets(d, list)
	}
	last := list.Content[len(list.Content)-1]
	end, err := d.end(last)
	if err != nil {
		return nil, err
	}
	dash, err := d.dash(last)
	if err != nil {
		return nil, err
	}
	indent := dash - d.lineStart(dash)
	entry, err := e.entry(d, list, indent)
	at := d.lineEnd(d.below(end, indent))
	nl := d.newline(at)
	gap := nl
	if len(list.Content) > 1 && d.blank(d.comments(d.lineStart(dash))-1) {
		gap += nl // the others have an empty line between them
	}
	entry = strings.Repeat(" ", indent) + strings.ReplaceAll(entry, "\n", nl)
	return d.with(cut{at, at, gap + entry}), err
}

// intoBrackets puts the node into a list in brackets: in the line of the last one,
// or in one of its own as that.
func (e addNode) intoBrackets(d *draft, list *yaml.Node) ([]byte, error) {
	if len(list.Content) == 0 {
		at := d.bare(list) + 1
		return d.with(cut{at, at, flowStyle.flow(e.node)}), nil
	}
	last := list.Content[len(list.Content)-1]
	end, err := d.end(last)
	if err != nil {
		return nil, err
	}
	style, err := d.style(list)
	if err != nil {
		return nil, err
	}
	line := d.lineStart(d.start(last))
	before := d.between(line, d.start(last))
	comma := d.skip(end, " \t")
	trailing := comma < len(d.text) && d.text[comma] == ','
	if strings.Trim(before, " \t") != "" {
		sep, err := d.separator(list.Content, 1)
		return d.with(cut{end, end, sep + style.flow(e.node)}), err
	}
	text := d.newline(end) + before + style.flow(e.node)
	if trailing {
		end, text = comma+1, text+","
	}
	rest := d.skip(end, " \t")
	if rest < len(d.text) && d.text[rest] != '#' { // the bracket, or the end of the line
		rest = end
	} else {
		rest = d.lineEnd(end)
	}
	if trailing {
		return d.with(cut{rest, rest, text}), nil
	}
	return d.with(cut{end, end, ","}, cut{rest, rest, text}), nil
}

// entry is the node as an entry of a list in blocks, its dash included.
func (e addNode) entry(d *draft, list *yaml.Node, indent int) (string, error) {
	style, err := d.style(list)
	if err != nil {
		return "", err
	}
	if !style.block {
		return "- " + style.flow(e.node), nil
	}
	text := "-" + strings.Repeat(" ", style.column-indent-1)
	for i, v := range e.node.values() {
		if i > 0 {
			text += "\n" + strings.Repeat(" ", style.column)
		}
		text += style.pair(v[0], v[1])
	}
	return text, nil
}

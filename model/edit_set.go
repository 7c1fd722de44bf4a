package model

import (
	"slices"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

type setNode struct{ pool, node, key, value string }

func (e setNode) wanted(c *Cluster) (*Cluster, error) {
	i, j, err := c.nodeAt(e.pool, e.node)
	if err != nil {
		return nil, err
	}
	nodes := slices.Clone(c.Pools[i].Nodes)
	field := item(item("pools", i)+".nodes", j) + "." + e.key
	if what, hint := setValue(&nodes[j], e.key, e.value); what != "" {
		return nil, Problems{c.Problem(field, what, hint)}
	}
	return c.withNodes(i, nodes), nil
}

func (e setNode) write(d *draft) ([]byte, error) {
	i, j, err := d.cluster.nodeAt(e.pool, e.node)
	if err != nil {
		return nil, err
	}
	_, n, err := d.node(i, j)
	if err != nil {
		return nil, err
	}
	field := item(item("pools", i)+".nodes", j) + "." + e.key
	at := slices.IndexFunc(pairs(n), func(p pair) bool { return p.key.Value == e.key })
	switch {
	case at >= 0 && e.value == "":
		return d.takeKey(n, at, field)
	case at >= 0:
		return d.replace(pairs(n)[at].value, field, e.value)
	case e.value == "" || e.isDefault(d.cluster.Pools[i].Nodes[j]):
		return d.text, nil
	}
	return d.addKey(n, field, e.key, e.value)
}

// isDefault tells whether a node has the value already, without a key for it.
func (e setNode) isDefault(n Node) bool {
	next := n
	what, _ := setValue(&next, e.key, e.value)
	return what == "" && next == n
}

// pair is a key and its value.
type pair struct{ key, value *yaml.Node }

func pairs(n *yaml.Node) (all []pair) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		all = append(all, pair{n.Content[i], n.Content[i+1]})
	}
	return all
}

// replace puts another value in the place of one, in its quotes.
func (d *draft) replace(n *yaml.Node, field, text string) ([]byte, error) {
	if err := d.own(n, field); err != nil {
		return nil, err
	}
	from := d.start(n)
	if n.Kind != yaml.ScalarNode || n.Value == "" && !quoted(n) || d.bare(n) != from {
		return nil, d.refuse(n, field, "is not a plain value", byHand)
	}
	to, err := d.end(n)
	if err != nil {
		return nil, err
	}
	if d.between(from, to) == text {
		return d.text, nil
	}
	return d.with(cut{from, to, inStyle(n.Style, text)}), nil
}

func quoted(n *yaml.Node) bool {
	return n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
}

// inStyle writes a text in the quotes of another one, or in quotes where it needs
// some.
func inStyle(style yaml.Style, text string) string {
	switch {
	case style&yaml.SingleQuotedStyle != 0:
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	case style&yaml.DoubleQuotedStyle != 0 || !safe(text):
		return strconv.Quote(text)
	}
	return text
}

// addKey puts a key behind the last one of a node.
func (d *draft) addKey(n *yaml.Node, field, key, text string) ([]byte, error) {
	all := pairs(n)
	last := all[len(all)-1]
	end, err := d.end(last.value)
	if err != nil {
		return nil, err
	}
	if last.value.Kind == yaml.ScalarNode && last.value.Value == "" && !quoted(last.value) {
		return nil, d.refuse(last.value, field, "would stand behind a key without a value", byHand)
	}
	entry := inStyle(last.key.Style, key) + ": " + text
	if !safe(text) {
		entry = inStyle(last.key.Style, key) + ": " + inStyle(0, text)
	}
	if n.Style&yaml.FlowStyle != 0 {
		sep, err := d.separator(n.Content, 2)
		return d.with(cut{end, end, sep + entry}), err
	}
	at := d.lineEnd(end)
	return d.with(cut{at, at, d.newline(at) + strings.Repeat(" ", last.key.Column-1) + entry}), nil
}

// separator is what stands between the last two entries of something in brackets,
// each of so many nodes, if that is a comma and blanks.
func (d *draft) separator(all []*yaml.Node, each int) (string, error) {
	if len(all) < 2*each {
		return ", ", nil
	}
	from, err := d.end(all[len(all)-each-1])
	if err != nil {
		return "", err
	}
	sep := d.between(from, d.start(all[len(all)-each]))
	if strings.Trim(sep, " \t") != "," {
		sep = ", "
	}
	return sep, nil
}

// takeKey takes a key and its value away. A comment in its line stays.
func (d *draft) takeKey(n *yaml.Node, i int, field string) ([]byte, error) {
	all := pairs(n)
	if err := d.wholly(&yaml.Node{Content: []*yaml.Node{all[i].value}}, field); err != nil {
		return nil, err
	}
	if n.Style&yaml.FlowStyle != 0 {
		cuts, err := d.cutEntry(n, i, 2, true)
		if err != nil {
			return nil, err
		}
		return d.with(cuts...), nil
	}
	from := d.start(all[i].key)
	to, err := d.end(all[i].value)
	if err != nil {
		return nil, err
	}
	if rest := d.skip(to, " \t"); rest == d.lineEnd(to) {
		to = rest
	}
	line := d.lineStart(from)
	switch alone := strings.Trim(d.between(line, from), " ") == ""; {
	case alone && to == d.lineEnd(to):
		return d.with(d.wholeLines(line, to)), nil
	case !alone && to == d.lineEnd(to) && i == 0 && len(all) > 1:
		next := d.start(all[1].key)
		if strings.TrimSpace(d.between(to, next)) == "" {
			return d.with(cut{from, next, ""}), nil // the next key takes its place
		}
	}
	return d.with(cut{from, d.skip(to, " \t"), ""}), nil // a comment stays
}

// wholeLines takes away the lines from one place to another. At the end of a file
// without a last newline that of the line above goes instead.
func (d *draft) wholeLines(from, to int) cut {
	c := cut{from, d.nextLine(to), ""}
	if c.to == len(d.text) && d.lineEnd(to) == len(d.text) && from > 0 {
		c.from = d.lineEnd(d.lineStart(from - 1))
	}
	return c
}

package model

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

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

// lineStarts counts lines as the library does: YAML 1.1 has five kinds of breaks.
func lineStarts(text []byte) []int {
	starts := []int{0}
	if bytes.HasPrefix(text, []byte("\ufeff")) {
		starts[0] = 3
	}
	for i := 0; i < len(text); i++ {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == '\r' && i+1 < len(text) && text[i+1] == '\n':
			i++
			starts = append(starts, i+1)
		case strings.ContainsRune("\r\n\u0085\u2028\u2029", r):
			i += size - 1
			starts = append(starts, i+1)
		}
	}
	return starts
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

// start is where a node begins, its anchor and tag included.
func (d *draft) start(n *yaml.Node) int {
	at := d.lines[min(max(n.Line, 1), len(d.lines))-1]
	for range n.Column - 1 {
		_, size := utf8.DecodeRune(d.text[at:])
		at += size
	}
	return at
}

// bare is where a node begins, behind its anchor and tag.
func (d *draft) bare(n *yaml.Node) int {
	at := d.start(n)
	for at < len(d.text) && (d.text[at] == '&' || d.text[at] == '!') {
		for at < len(d.text) && !strings.ContainsRune(" \t\r\n", rune(d.text[at])) {
			at++
		}
		at = d.skip(at, " \t\r\n")
	}
	return at
}

// end is where a node ends, without the comment behind it.
func (d *draft) end(n *yaml.Node) (int, error) {
	at := d.bare(n)
	switch {
	case n.Kind == yaml.AliasNode:
		return d.after(n, at, "*"+n.Value)
	case n.Kind == yaml.ScalarNode:
		return d.scalarEnd(n, at)
	case n.Style&yaml.FlowStyle != 0 && (at >= len(d.text) || d.text[at] != '[' && d.text[at] != '{'):
		return 0, d.strange(n) // a single pair in a list needs no bracket
	case len(n.Content) > 0:
		last, err := d.end(n.Content[len(n.Content)-1])
		if err != nil || n.Style&yaml.FlowStyle == 0 {
			return last, err
		}
		at = last
	default:
		at++ // the bracket
	}
	for at < len(d.text) {
		switch c := d.text[at]; {
		case strings.IndexByte(" \t\r\n,", c) >= 0:
			at++
		case c == '#':
			at = d.lineEnd(at)
		case c == ']' || c == '}':
			return at + 1, nil
		default:
			return 0, d.strange(n)
		}
	}
	return 0, d.strange(n)
}

func (d *draft) strange(n *yaml.Node) error {
	return d.refuse(n, "", "is written in a way that only a person should change", byHand)
}

func (d *draft) after(n *yaml.Node, at int, text string) (int, error) {
	if !bytes.HasPrefix(d.text[at:], []byte(text)) {
		return 0, d.strange(n)
	}
	return at + len(text), nil
}

func (d *draft) scalarEnd(n *yaml.Node, at int) (int, error) {
	quote := byte(0)
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		quote = '"'
	case n.Style&yaml.SingleQuotedStyle != 0:
		quote = '\''
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return 0, d.strange(n)
	default:
		return d.after(n, at, n.Value)
	}
	if at >= len(d.text) || d.text[at] != quote {
		return 0, d.strange(n)
	}
	for at++; at < len(d.text); at++ {
		switch c := d.text[at]; {
		case c == '\\' && quote == '"':
			at++
		case c == quote && quote == '\'' && at+1 < len(d.text) && d.text[at+1] == quote:
			at++
		case c == quote:
			return at + 1, nil
		}
	}
	return 0, d.strange(n)
}

// skip is the first place from at on that has none of the characters.
func (d *draft) skip(at int, chars string) int {
	for at < len(d.text) && strings.IndexByte(chars, d.text[at]) >= 0 {
		at++
	}
	return at
}

// between is the text from one place to another, none where that is in front of it.
func (d *draft) between(from, to int) string { return string(d.text[from:max(from, to)]) }

// lineStart is where the line begins that has a place.
func (d *draft) lineStart(at int) int {
	i, found := slices.BinarySearch(d.lines, at)
	if !found {
		i--
	}
	return d.lines[max(i, 0)]
}

// nextLine is where the next line begins, or the end of the text.
func (d *draft) nextLine(at int) int {
	i, found := slices.BinarySearch(d.lines, at)
	if found {
		i++
	}
	if i >= len(d.lines) {
		return len(d.text)
	}
	return d.lines[i]
}

// lineEnd is where the line of a place ends, in front of its break.
func (d *draft) lineEnd(at int) int {
	next := d.nextLine(at)
	line := bytes.TrimRight(d.text[at:next], "\r\n")
	for _, odd := range []string{"\u0085", "\u2028", "\u2029"} {
		line = bytes.TrimSuffix(line, []byte(odd))
	}
	return at + len(line)
}

// newline is the break of the line of a place, or the file's where it has none.
func (d *draft) newline(at int) string {
	if nl := d.between(d.lineEnd(at), d.nextLine(at)); nl != "" {
		return nl
	}
	if len(d.lines) > 1 {
		return d.newline(d.lines[0])
	}
	return "\n"
}

// cut is a piece of the text and what stands in its place.
type cut struct {
	from, to int
	text     string
}

// with is the text with the pieces replaced.
func (d *draft) with(cuts ...cut) []byte {
	slices.SortFunc(cuts, func(a, b cut) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, c := range cuts {
		out = append(append(out, d.between(at, c.from)...), c.text...)
		at = max(at, c.to)
	}
	return append(out, d.text[at:]...)
}

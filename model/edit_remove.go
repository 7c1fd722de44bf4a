package model

import (
	"regexp"
	"slices"
	"strings"

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

// ownComments is where the lines of an entry begin, with the comments right above it.
// What stands above the first is about the list, unless it has the node's name or
// the others have their comments as well.
func (d *draft) ownComments(list *yaml.Node, j int) int {
	line := d.entryLine(list, j)
	from := d.comments(line)
	if j > 0 || mentions(d.between(from, line), list.Content[0]) {
		return from
	}
	for i := 1; i < len(list.Content); i++ {
		if line := d.entryLine(list, i); d.comments(line) == line {
			return d.entryLine(list, 0)
		}
	}
	return from
}

// mentions tells whether a text has the name of a node as a word.
func mentions(text string, n *yaml.Node) bool {
	name := value(n, "name")
	return name != nil && regexp.MustCompile(`(^|[^\w.-])`+regexp.QuoteMeta(name.Value)+`($|[^\w-])`).MatchString(text)
}

// entryLine is where the line begins in which an entry does.
func (d *draft) entryLine(list *yaml.Node, j int) int {
	if dash, err := d.dash(list.Content[j]); err == nil && list.Style&yaml.FlowStyle == 0 {
		return d.lineStart(dash)
	}
	return d.lineStart(d.start(list.Content[j]))
}

var dashAlone = regexp.MustCompile(`^ *-[ \t]*(#.*)?$`)

// dash is where the dash of an entry stands: in its line, or in one above it.
func (d *draft) dash(n *yaml.Node) (int, error) {
	at := d.start(n)
	line := d.lineStart(at)
	if before := d.between(line, at); strings.TrimSpace(before) == "-" {
		return line + strings.IndexByte(before, '-'), nil
	}
	for strings.TrimSpace(d.between(line, at)) == "" && line > d.lines[0] {
		line = d.lineStart(line - 1)
		text := d.between(line, d.lineEnd(line))
		if dashAlone.MatchString(text) {
			return line + strings.IndexByte(text, '-'), nil
		}
		if !d.blank(line) && d.commentIndent(line) < 0 {
			break
		}
		at = line
	}
	return 0, d.strange(n)
}

// comments is where the comments begin that stand right above a line, as far in as
// that; the line itself where there are none.
func (d *draft) comments(line int) int {
	indent := d.skip(line, " ") - line
	for line > d.lines[0] {
		above := d.lineStart(line - 1)
		if d.commentIndent(above) != indent {
			break
		}
		line = above
	}
	return line
}

// commentIndent is how far in the comment of a line begins that has nothing else,
// -1 where there is none.
func (d *draft) commentIndent(line int) int {
	if at := d.skip(line, " \t"); at < len(d.text) && d.text[at] == '#' {
		return at - line
	}
	return -1
}

// blank tells whether the line of a place is empty. In front of the text none is.
func (d *draft) blank(at int) bool {
	if at < d.lines[0] || at >= len(d.text) {
		return false
	}
	line := d.lineStart(at)
	return strings.TrimSpace(d.between(line, d.lineEnd(line))) == ""
}

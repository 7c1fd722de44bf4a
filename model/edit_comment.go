package model

import (
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

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

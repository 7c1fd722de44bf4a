package model

import (
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// cutEntry takes the i-th entry, each of so many nodes, out of brackets, with the
// comma that is too many then. A comment in its line stays where told so; else
// its own comments go with it, if it has its lines for itself.
func (d *draft) cutEntry(n *yaml.Node, i, each int, keep bool) ([]cut, error) {
	from := d.start(n.Content[i*each])
	to, err := d.end(n.Content[(i+1)*each-1])
	if err != nil {
		return nil, err
	}
	if comma := d.skip(to, " \t"); comma < len(d.text) && d.text[comma] == ',' {
		return []cut{d.cutTo(n, i, from, comma+1, keep)}, nil
	}
	if strings.IndexByte("#\r\n", d.text[min(d.skip(to, " \t"), len(d.text)-1)]) >= 0 && d.commaFollows(to) {
		return nil, d.strange(n.Content[i*each])
	}
	if i == 0 {
		return []cut{{from, to, ""}}, nil
	}
	before, err := d.end(n.Content[i*each-1])
	if err != nil {
		return nil, err
	}
	gap := d.between(before, from)
	comma := before + strings.IndexByte(gap, ',') // in front of all comments, as nearly everybody writes
	switch {
	case comma < before:
		return nil, d.strange(n.Content[i*each])
	case strings.TrimLeft(gap[:comma-before], " \t") != "":
		return nil, d.strange(n.Content[i*each])
	case !strings.Contains(gap, "#"):
		return []cut{{before, d.behind(to, keep), ""}}, nil
	case d.skip(to, " \t") != d.lineEnd(to) && d.text[d.skip(to, " \t")] != '#':
		return []cut{{comma, comma + 1, ""}, {from, to, ""}}, nil // the bracket is in the same line
	}
	return []cut{{comma, comma + 1, ""}, d.cutTo(n, i, from, to, keep)}, nil
}

// commaFollows tells whether a comma comes first behind blanks and comments.
func (d *draft) commaFollows(at int) bool {
	for at = d.skip(at, " \t\r\n"); at < len(d.text) && d.text[at] == '#'; {
		at = d.skip(d.lineEnd(at), " \t\r\n")
	}
	return at < len(d.text) && d.text[at] == ','
}

// behind is a place, or the end of the comment behind it.
func (d *draft) behind(at int, keep bool) int {
	if rest := d.skip(at, " \t"); !keep && rest < len(d.text) && d.text[rest] == '#' {
		return d.lineEnd(at)
	}
	return at
}

// cutTo takes away what stands from one place to another: the lines as a whole, if
// nothing else is in them.
func (d *draft) cutTo(n *yaml.Node, i, from, to int, keep bool) cut {
	line, rest := d.lineStart(from), d.skip(to, " \t")
	alone := strings.Trim(d.between(line, from), " \t") == ""
	comment := rest < len(d.text) && d.text[rest] == '#'
	switch {
	case alone && (rest == d.lineEnd(to) || comment && !keep):
		if !keep {
			line = d.ownComments(n, i)
		}
		return d.wholeLines(line, d.lineEnd(to))
	case rest == d.lineEnd(to):
		return cut{from, to, ""}
	}
	return cut{from, rest, ""}
}

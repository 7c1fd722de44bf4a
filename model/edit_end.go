package model

import (
	"bytes"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
)

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

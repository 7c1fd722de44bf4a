package model

import (
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// style is how the nodes of a pool are written.
type style struct {
	block                bool
	column               int // of the keys in blocks, from 0
	open, between, close string
	keys                 yaml.Style
	values               map[string]yaml.Style
	colons               map[string]string // what stands between key and value
}

var flowStyle = style{open: "{", between: ", ", close: "}"}

// style finds out how the last node is written that stands here itself.
func (d *draft) style(list *yaml.Node) (style, error) {
	i := len(list.Content) - 1
	for i >= 0 && (list.Content[i].Kind != yaml.MappingNode || len(list.Content[i].Content) == 0) {
		i--
	}
	if i < 0 {
		return flowStyle, nil
	}
	n := list.Content[i]
	s := flowStyle
	s.values, s.colons = map[string]yaml.Style{}, map[string]string{}
	s.keys = n.Content[0].Style
	for _, p := range pairs(n) {
		end, err := d.end(p.key)
		if err != nil {
			return s, err
		}
		s.values[p.key.Value] = p.value.Style
		if colon := d.between(end, d.start(p.value)); strings.TrimSpace(colon) == ":" && !strings.ContainsAny(colon, "\r\n") {
			s.colons[p.key.Value] = colon
		}
	}
	if s.block = n.Style&yaml.FlowStyle == 0; s.block {
		s.column = n.Content[0].Column - 1
		return s, nil
	}
	return s, d.brackets(n, &s)
}

// brackets finds the blanks in a node's brackets.
func (d *draft) brackets(n *yaml.Node, s *style) error {
	blanks := func(from, to int) string {
		if text := d.between(from, to); strings.Trim(text, " ") == "" {
			return text
		}
		return ""
	}
	first, last := d.start(n.Content[0]), n.Content[len(n.Content)-1]
	end, err := d.end(last)
	if err != nil {
		return err
	}
	whole, err := d.end(n)
	if err != nil {
		return err
	}
	s.open += blanks(d.bare(n)+1, first)
	s.close = blanks(end, whole-1) + s.close
	s.between, err = d.separator(n.Content, 2)
	return err
}

// flow writes a node in brackets.
func (s style) flow(n Node) string {
	var all []string
	for _, v := range n.values() {
		all = append(all, s.pair(v[0], v[1]))
	}
	return s.open + strings.Join(all, s.between) + s.close
}

// pair writes a key and its value as the others have it, or else in the quotes of
// the name.
func (s style) pair(key, value string) string {
	as, ok := s.values[key]
	if text := slices.Contains([]string{"name", "address", "state", "redirect"}, key); !ok && text && s.keys&yaml.DoubleQuotedStyle != 0 {
		as = yaml.DoubleQuotedStyle
	}
	colon := s.colons[key]
	if colon == "" {
		colon = ": "
	}
	if as&yaml.TaggedStyle != 0 {
		as = 0
	}
	return inStyle(s.keys, key) + colon + inStyle(as, value)
}

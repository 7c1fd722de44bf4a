package model

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

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

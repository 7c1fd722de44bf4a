package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one fault of a cluster file: what is wrong, where, and what to do.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`   // from 1; 0 is the file as a whole
	Column int    `json:"column,omitempty"` // from 1, in characters
	Field  string `json:"field,omitempty"`  // such as pools[0].nodes[1].weight
	What   string `json:"what"`
	Hint   string `json:"hint,omitempty"`
}

// String is the problem as a compiler says it, the hint on a line of its own.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Place())
	if p.Field != "" {
		fmt.Fprintf(&b, ": %s", p.Field)
	}
	fmt.Fprintf(&b, ": %s", p.What)
	if p.Hint != "" {
		fmt.Fprintf(&b, "\n    hint: %s", p.Hint)
	}
	return b.String()
}

// Place is FILE:LINE:COLUMN, or the file alone where all of it is meant.
func (p Problem) Place() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problems are all faults of a file.
type Problems []Problem

// Error is every problem, a line (and its hint) each.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Sort puts the problems in the order in which a person meets them in the file.
func (ps Problems) Sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Field, b.Field))
	})
}

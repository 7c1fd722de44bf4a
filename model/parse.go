package model

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
)

// What a file may be, so that a hostile one costs neither time nor memory.
const (
	maxBytes = 8 << 20
	maxNodes = 2_000_000 // after aliases are followed
	maxDepth = 64
)

// Parse reads a cluster file. The problems are all of it, sorted by place. The
// cluster is nil where the text could not be read at all; with other problems
// it is there, so that more can be found, but must not be served.
func Parse(file string, data []byte) (*Cluster, Problems) {
	c := &Cluster{file: file, places: make(places, bytes.Count(data, []byte(":")))}
	c.places[""] = place{1, 1}
	root, problem := document(data)
	if problem != nil {
		problem.File = file
		return nil, Problems{*problem}
	}
	d := newDecoder(c)
	d.decode(root, reflect.ValueOf(c).Elem(), "")
	d.presets()
	complete(c)
	d.problems = append(d.problems, check(c, d)...)
	d.problems.Sort()
	return c, d.problems
}

// document is the file's only document, a mapping.
func document(data []byte) (*yaml.Node, *Problem) {
	if p := readable(data); p != nil {
		return nil, p
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, &Problem{Line: 1, Column: 1, What: "the file is empty", Hint: "`usher init` writes one to start from"}
	case err != nil:
		return nil, syntax(err)
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, &Problem{Line: second.Line, Column: 1, What: "a second document begins here",
			Hint: "put everything into one document, without a line of ---"}
	case !errors.Is(err, io.EOF):
		return nil, syntax(err)
	}
	root := &doc
	if doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		root = doc.Content[0]
	}
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, &Problem{Line: 1, Column: 1, What: "the file is empty", Hint: "`usher init` writes one to start from"}
	}
	if root.Kind != yaml.MappingNode {
		return nil, &Problem{Line: root.Line, Column: root.Column, What: "the file is " + kindName(root) + ", not keys and values",
			Hint: "it begins with listeners:, pools: and certificates:"}
	}
	return root, nil
}

func readable(data []byte) *Problem {
	if len(data) > maxBytes {
		return &Problem{What: fmt.Sprintf("the file has %d bytes; %d is the most", len(data), maxBytes)}
	}
	for i, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) {
			return &Problem{Line: i + 1, Column: 1, What: "the line is not UTF-8", Hint: "save the file as UTF-8"}
		}
		if at := bytes.IndexByte(line, 0); at >= 0 {
			return &Problem{Line: i + 1, Column: at + 1, What: "a NUL byte stands here", Hint: "save the file as plain text in UTF-8"}
		}
	}
	return nil
}

// syntax finds the place of what is not YAML: where an open bracket or quote
// began, if its end was not found, for that is what a person has to mend.
func syntax(err error) *Problem {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return &Problem{Line: 1, Column: 1, What: "not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	at, what := load.Mark, load.Message
	if load.ContextMark.Line > 0 && (strings.Contains(what, "end of stream") || strings.Contains(what, "expected ',' or")) {
		at = load.ContextMark
		what += " for what begins here"
	}
	return &Problem{Line: max(1, at.Line), Column: max(1, at.Column), What: "not YAML: " + what, Hint: syntaxHint(what)}
}

func syntaxHint(what string) string {
	switch {
	case strings.Contains(what, "cannot start any token"):
		return "indent with spaces, never with tabs; quote values that begin with @, ` or %"
	case strings.Contains(what, "mapping values are not allowed"):
		return "look for a value with `: ` in it (quote it), or for a line that is indented too far"
	case strings.Contains(what, "end of stream"):
		return "look for a quote or a bracket that is never closed"
	case strings.Contains(what, "violates indentation"):
		return "indent with spaces, never with tabs"
	case strings.Contains(what, "did not find expected"):
		return "look at the indentation of this line and the one above, and for a missing bracket"
	}
	return ""
}

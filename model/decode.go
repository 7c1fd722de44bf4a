package model

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// decoder fills the types from the tree of a file, strictly, and remembers
// where every field stands. The library's own strictness ends where a type
// decodes itself, and at the first fault.
type decoder struct {
	cluster  *Cluster
	problems Problems
	shapes   shapes
	nodes    int
	depth    int
	faulty   map[string]bool // fields that have a problem already
}

func newDecoder(c *Cluster) *decoder { return &decoder{cluster: c, shapes: shapes{}} }

func (d *decoder) fault(n *yaml.Node, field, what, hint string) {
	if d.faulty == nil {
		d.faulty = map[string]bool{}
	}
	d.faulty[field] = true
	d.problems = append(d.problems, Problem{File: d.cluster.file, Line: n.Line, Column: n.Column, Field: field, What: what, Hint: hint})
}

// bad tells whether a field, or something in it, has a problem already.
func (d *decoder) bad(field string) bool { return d.faulty[field] }

// decode puts a node into a value.
func (d *decoder) decode(n *yaml.Node, into reflect.Value, field string) {
	d.nodes++
	d.depth++
	defer func() { d.depth-- }()
	if d.nodes > maxNodes || d.depth > maxDepth {
		if !d.bad("") {
			d.fault(n, "", "the file is too large once its aliases are followed", "repeat less")
			d.faulty[""] = true
		}
		return
	}
	if field != "" {
		if _, ok := d.cluster.places[field]; !ok {
			d.cluster.places[field] = place{n.Line, n.Column}
		}
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		d.fault(n, field, "has no value", "give it one, or leave the key out")
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.decode(n, into.Elem(), field)
	case reflect.Slice:
		d.list(n, into, field)
	case reflect.Map:
		d.texts(n, into, field)
	case reflect.Struct:
		d.structure(n, into, field)
	default:
		d.scalar(n, into, field)
	}
}

// structure reads keys and values, a type that is a single value, or the single
// value that stands for a key of its own.
func (d *decoder) structure(n *yaml.Node, into reflect.Value, field string) {
	s := d.shapes.of(into.Type())
	if s.single {
		d.scalar(n, into, field)
		return
	}
	if s.short >= 0 && n.Kind == yaml.ScalarNode {
		d.decode(n, into.Field(s.short), join(field, into.Type().Field(s.short).Tag.Get("yaml")))
		return
	}
	d.mapping(n, into, field, s)
}

// single are the structs that a single value is read into.
var single = map[reflect.Type]bool{
	reflect.TypeFor[Address](): true, reflect.TypeFor[Network](): true, reflect.TypeFor[StatusRange](): true,
}

// short is the field that a single value in the place of the keys is for.
func short(t reflect.Type) int {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("scalar") != "" {
			return i
		}
	}
	return -1
}

// maybeAlone tells whether one entry of a list may stand without the list.
func maybeAlone(list reflect.Type) bool {
	return list == reflect.TypeFor[[]Sticky]() || list == reflect.TypeFor[[]StatusRange]()
}

// texts reads names and texts.
func (d *decoder) texts(n *yaml.Node, into reflect.Value, field string) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, field, "is "+kindName(n)+", where names and texts belong", "such as {X-Name: value}")
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		if value(&yaml.Node{Content: n.Content[:i]}, n.Content[i].Value) != nil {
			d.fault(n.Content[i], join(field, n.Content[i].Value), "stands here a second time", "keep one of them")
			continue
		}
		text := reflect.New(into.Type().Elem()).Elem()
		d.decode(n.Content[i+1], text, join(field, n.Content[i].Value))
		into.SetMapIndex(reflect.ValueOf(n.Content[i].Value), text)
	}
}

func (d *decoder) list(n *yaml.Node, into reflect.Value, field string) {
	if n.Kind != yaml.SequenceNode && maybeAlone(into.Type()) {
		into.Set(reflect.MakeSlice(into.Type(), 1, 1))
		d.decode(n, into.Index(0), field)
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.fault(n, field, "is "+kindName(n)+", where a list belongs", "begin each entry with `- `, or write [a, b]")
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(n.Content), len(n.Content)))
	for i, value := range n.Content {
		d.decode(value, into.Index(i), item(field, i))
	}
}

func (d *decoder) mapping(n *yaml.Node, into reflect.Value, field string, s *shape) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, field, "is "+kindName(n)+", where keys and values belong", "its keys are "+strings.Join(keys(into.Type()), ", "))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		path := join(field, key.Value)
		if line, twice := seen[key.Value]; twice {
			d.fault(key, path, fmt.Sprintf("stands here a second time; the first is in line %d", line), "keep one of them")
			continue
		}
		seen[key.Value] = key.Line
		at := s.key(key.Value)
		if at < 0 {
			d.fault(key, path, "there is no such key", suggest(key.Value, keys(into.Type())))
			continue
		}
		d.decode(value, into.Field(at), path)
	}
}

func join(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}

// keys are the YAML names of a type's fields.
func keys(t reflect.Type) []string {
	var all []string
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "" {
			all = append(all, name)
		}
	}
	return all
}

func fieldOf(t reflect.Type, key string) int {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("yaml") == key && key != "" {
			return i
		}
	}
	return -1
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "keys and values"
	case yaml.AliasNode:
		return "an alias"
	default:
		return "the single value " + strconv.Quote(n.Value)
	}
}

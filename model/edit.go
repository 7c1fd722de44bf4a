package model

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// Edit is one change of a cluster file that leaves the rest of its text as it is:
// comments, order, quotes and line ends. It is made by SetNode, AddNode and
// RemoveNode, and carried out by Apply.
type Edit interface {
	// wanted is what the file shall say afterwards, made of what it says now.
	wanted(c *Cluster) (*Cluster, error)
	// write changes the text.
	write(d *draft) ([]byte, error)
}

// SetNode gives a node's key (state, weight, address, set or redirect) a value as
// one writes it; an empty one takes the key away, so that its default counts.
func SetNode(pool, node, key, value string) Edit { return setNode{pool, node, key, value} }

// AddNode puts a node behind the others of its pool, written as they are. What is
// zero is left out.
func AddNode(pool string, n Node) Edit { return addNode{pool, n} }

// RemoveNode takes a node out of its pool, with the comments that are its own:
// those in its lines, and those that stand right above it.
func RemoveNode(pool, node string) Edit { return removeNode{pool, node} }

// Apply makes the edits in the text of a cluster file, one after the other. The
// result is read again and says just what the text said, with the edits. What
// can't be done without touching more, such as a node that comes from an
// anchor, is an error (Problems, with the place) that says what a person has to
// do. Whether the result has faults is for Parse to say.
func Apply(file string, text []byte, edits ...Edit) ([]byte, error) {
	c, problems := Parse(file, text)
	if c == nil {
		return nil, problems
	}
	for _, e := range edits {
		next, now, err := apply(file, text, c, e)
		if err != nil {
			return nil, err
		}
		text, c = next, now
	}
	return text, nil
}

func apply(file string, text []byte, was *Cluster, e Edit) ([]byte, *Cluster, error) {
	wanted, err := e.wanted(was)
	if err != nil {
		return nil, nil, err
	}
	d, err := newDraft(file, text, was)
	if err != nil {
		return nil, nil, err
	}
	next, err := e.write(d)
	if err != nil {
		return nil, nil, err
	}
	now, _ := Parse(file, next)
	if now == nil || !now.Says(wanted) {
		return nil, nil, Problems{{File: file, What: "the change would touch more than it should, as the file is written", Hint: byHand}}
	}
	return next, now, nil
}

const byHand = "edit the file by hand"

// Says tells whether two cluster files mean the same, wherever it stands.
func (c *Cluster) Says(other *Cluster) bool {
	a, b := c.unplaced(), other.unplaced()
	return reflect.DeepEqual(a, b)
}

// unplaced is the cluster without what depends on how it is written.
func (c *Cluster) unplaced() Cluster {
	u := Cluster{Listeners: slices.Clone(c.Listeners), Pools: slices.Clone(c.Pools), Certificates: c.Certificates}
	for i := range u.Listeners {
		l := &u.Listeners[i]
		l.Routes = slices.Clone(l.Routes)
		for j := range l.Routes {
			l.Routes[j].field = ""
		}
	}
	return u
}

// withNodes is a copy with other nodes in one pool.
func (c *Cluster) withNodes(i int, nodes []Node) *Cluster {
	next := *c
	next.Pools = slices.Clone(c.Pools)
	next.Pools[i].Nodes = nodes
	return &next
}

// values writes a node as keys and values of a file, in the order in which they
// are documented. What is zero is left out.
func (n Node) values() (all [][2]string) {
	v := reflect.ValueOf(n)
	for i := range v.NumField() {
		if !v.Field(i).IsZero() {
			all = append(all, [2]string{v.Type().Field(i).Tag.Get("yaml"), fmt.Sprint(v.Field(i).Interface())})
		}
	}
	return all
}

// nodeKeys are the keys of a node that may change.
var nodeKeys = []string{"state", "weight", "address", "set", "redirect"}

// setValue puts a text into the field of a node that a key names, or says what is
// wrong with it and what to do.
func setValue(n *Node, key, text string) (what, hint string) {
	if !slices.Contains(nodeKeys, key) {
		return fmt.Sprintf("%q can't be set", key), suggest(key, nodeKeys)
	}
	into := reflect.ValueOf(n).Elem()
	into = into.Field(fieldOf(into.Type(), key))
	into.SetZero()
	switch {
	case text != "":
		what, hint = set(&yaml.Node{Kind: yaml.ScalarNode, Value: text}, into)
	case key == "address":
		what, hint = "a node needs an address", "write HOST:PORT"
	}
	completeNode(n)
	return what, hint
}

// safe tells whether a text may stand without quotes, anywhere.
func safe(text string) bool {
	for _, r := range text {
		if !strings.ContainsRune("_./:-", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return text != "" && !strings.ContainsAny(text[:1], ".:-/") && !strings.HasSuffix(text, ":")
}

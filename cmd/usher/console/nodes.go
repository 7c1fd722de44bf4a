package console

import (
	"strings"

	"usher/cmd/usher/figures"
	"usher/cmd/usher/status"
)

// pool is a pool with what goes through it. Seen is nil where nobody counts.
type pool struct {
	Name  string
	Nodes []node
	Seen  *figures.Pool
	Up    int // nodes that serve, of those that are known
	Known int
	All   int // nodes, whatever the filter says
}

// node is a node with what goes through it.
type node struct {
	status.Node
	Pool   string
	Health string // a word
	Reason string // of that
	Mood   mood
	Seen   *figures.Node
}

// Moved counts the requests that a node or pool served for sessions of others.
func moved(f figures.Flow) string {
	return count(f.Requests[figures.Failover] + f.Requests[figures.Drained])
}

// Moved is that of the node.
func (n node) Moved() string { return moved(n.Seen.Flow) }

// Sticky and New are requests a second of sessions that have a node, and of those
// that have none.
func (n node) Sticky() float64 { return n.Seen.Rate[figures.Sticky] }

// New is the other of the two.
func (n node) New() float64 { return n.Seen.Rate[figures.Fresh] + n.Seen.Rate[figures.Unknown] }

// Moved is that of the pool.
func (p pool) Moved() string { return moved(p.Seen.Flow) }

// Mood is how the pool does.
func (p pool) Mood() mood {
	switch {
	case p.Known == 0:
		return dull
	case p.Up == 0:
		return bad
	case p.Up < p.Known:
		return warn
	}
	return good
}

func poolsOf(s *status.Status, seen *figures.Now) (all []pool) {
	known := map[string]*figures.Pool{}
	if seen != nil {
		for i := range seen.Pools {
			known[seen.Pools[i].Name] = &seen.Pools[i]
		}
	}
	for _, p := range s.Pools {
		all = append(all, poolOf(p, known[p.Name]))
	}
	return all
}

func poolOf(p status.Pool, seen *figures.Pool) pool {
	known := map[string]*figures.Node{}
	if seen != nil {
		for i := range seen.Nodes {
			known[seen.Nodes[i].Name] = &seen.Nodes[i]
		}
	}
	v := pool{Name: p.Name, Seen: seen, All: len(p.Nodes)}
	for _, n := range p.Nodes {
		of := nodeOf(p.Name, n, known[n.Name])
		if of.Mood == good || of.Mood == bad {
			v.Known++
		}
		if of.Mood == good {
			v.Up++
		}
		v.Nodes = append(v.Nodes, of)
	}
	return v
}

func nodeOf(pool string, n status.Node, seen *figures.Node) node {
	v := node{Node: n, Pool: pool, Seen: seen, Health: "not known", Mood: dull}
	if seen != nil {
		v.Health, v.Reason, v.Mood = string(seen.Health), seen.Reason, moodOf(seen.Health)
	}
	var reasons []string
	for _, text := range []string{v.Reason, n.Fault, n.Note} {
		if text != "" && !strings.Contains(strings.Join(reasons, "\n"), text) {
			reasons = append(reasons, text)
		}
	}
	v.Reason = strings.Join(reasons, "; ")
	if v.Mood == good && (n.Fault != "" || n.Note != "") {
		v.Mood = warn
	}
	return v
}

func moodOf(h figures.Health) mood {
	switch h {
	case figures.Healthy:
		return good
	case figures.Draining, figures.Pending, figures.Leaving:
		return busy
	case figures.Disabled:
		return dull
	case figures.Failing, figures.Ejected, figures.Absent:
		return bad
	}
	return dull
}

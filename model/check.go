package model

import (
	"fmt"
	"regexp"
	"strconv"
)

const maxName = 128 // characters of a name

// checker collects what is wrong with a decoded and completed cluster. A field
// that could not be read has been reported and is not judged again.
type checker struct {
	*Cluster
	unread   func(string) bool
	problems Problems
	said     map[Problem]bool
	shapes   shapes
}

func check(c *Cluster, d *decoder) Problems {
	k := &checker{Cluster: c, unread: d.bad, said: map[Problem]bool{}, shapes: d.shapes}
	k.required("listeners", len(c.Listeners) == 0, "the file has no listeners", "name at least one address where clients arrive")
	listeners, pools, certificates := names{}, names{}, names{}
	for i, cert := range c.Certificates {
		k.name(certificates, item("certificates", i), "certificate", cert.Name)
		k.certificate(item("certificates", i), cert)
	}
	for i, p := range c.Pools {
		k.name(pools, item("pools", i), "pool", p.Name)
		k.pool(item("pools", i), p, certificates)
	}
	for i, l := range c.Listeners {
		k.name(listeners, item("listeners", i), "listener", l.Name)
		k.listener(item("listeners", i), l, pools, certificates)
	}
	for i, p := range c.Pools {
		k.drainTimeout(item("pools", i)+".drain_timeout", p)
	}
	k.sockets()
	return k.problems
}

func item(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// fault reports a field, unless it has been reported already.
func (k *checker) fault(field, what, hint string) {
	if p := k.Problem(field, what, hint); !k.unread(field) && !k.said[p] {
		k.said[p] = true // a preset may have made several routes of one
		k.problems = append(k.problems, p)
	}
}

func (k *checker) required(field string, missing bool, what, hint string) {
	if missing {
		k.fault(field, what, hint)
	}
}

// names are those that were seen, with the field of the first.
type names map[string]string

func (n names) all() []string {
	var all []string
	for name := range n {
		all = append(all, name)
	}
	return all
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// name checks a name and that it stands once among its kind.
func (k *checker) name(seen names, field, kind, name string) {
	field += ".name"
	first, twice := seen[name]
	switch {
	case name == "":
		k.fault(field, "the "+kind+" has no name", "give it one, such as name: "+example(kind))
		return
	case len(name) > maxName || !namePattern.MatchString(name):
		k.fault(field, fmt.Sprintf("%.140q is not a name", name), fmt.Sprintf("names are letters, digits, _, . and -, not . or - first, and at most %d characters", maxName))
	case twice:
		k.fault(field, fmt.Sprintf("there are two %ss called %q", kind, name),
			fmt.Sprintf("the first is in line %d; rename one of them", k.places.nearest(first).line))
	}
	if !twice {
		seen[name] = field
	}
}

func example(kind string) string {
	return map[string]string{"listener": "https", "pool": "identity", "certificate": "server", "node": "isNode1"}[kind]
}

// among checks a reference.
func (k *checker) among(known names, field, kind, name string) {
	if _, ok := known[name]; ok || name == "" {
		return
	}
	hint := suggest(name, sorted(known.all()))
	if len(known) == 0 {
		hint = "the file has no " + kind + "s"
	}
	k.fault(field, fmt.Sprintf("there is no %s %q", kind, name), hint)
}

package httpd

import (
	"slices"
	"strings"
)

// directive is one line of a configuration, or a section with all that stands in
// it. What stands in a condition that holds, or in an included file, follows the
// line itself.
type directive struct {
	place
	name    string // as it is written, without brackets
	lower   string // as httpd compares it
	text    string // all behind the name, variables in their place
	args    []string
	section bool
	body    []*directive
	parent  *directive
	idle    *idle
	rows    []Row
}

// idle is why nothing of a section counts.
type idle struct {
	verdict Verdict
	note    string
}

// is tells whether it has one of the names, in lower case.
func (d *directive) is(keys ...string) bool { return slices.Contains(keys, d.lower) }

// arg is one of the arguments, empty where there are fewer.
func (d *directive) arg(i int) string {
	if i < len(d.args) {
		return d.args[i]
	}
	return ""
}

// on tells whether a switch is on.
func (d *directive) on() bool { return strings.EqualFold(d.arg(0), "on") }

// add puts a directive into a section.
func (d *directive) add(b *directive) {
	b.parent = d
	if b.idle == nil {
		b.idle = d.idle
	}
	d.body = append(d.body, b)
}

// why is why nothing of it counts: because of itself, or of a section around it.
func (d *directive) why() *idle {
	for p := d; p != nil; p = p.parent {
		if p.idle != nil {
			return p.idle
		}
	}
	return nil
}

// those are the directives of a section that have one of the names and count.
func (d *directive) those(keys ...string) (all []*directive) {
	for _, b := range d.body {
		if b.idle == nil && b.is(keys...) {
			all = append(all, b)
		}
	}
	return all
}

// last is the directive of a section that counts, for those of which the last one
// does.
func (d *directive) last(keys ...string) *directive {
	all := d.those(keys...)
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// walk visits all directives below.
func (d *directive) walk(visit func(*directive)) {
	for _, b := range d.body {
		visit(b)
		b.walk(visit)
	}
}

// said tells whether anything has been said of it.
func (d *directive) said() bool { return len(d.rows) > 0 }

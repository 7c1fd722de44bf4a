package httpd

import "fmt"

// lost are comments on what was not carried of a section, in the order of its
// lines. What has a place of its own is not repeated.
func (t *translation) lost(d *directive) (all []string) {
	for _, b := range d.body {
		if b.is("virtualhost") && b.section || b.is("proxy") && b.section && t.isPool(b) {
			continue
		}
		for _, r := range b.rows {
			if r.Verdict == NotCarried && r.What != "" && !t.hasComment(b) {
				all = append(all, fmt.Sprintf("not carried: %s:%d: %s: %s", r.File, r.Line, r.What, r.Note))
			}
		}
		all = append(all, t.lost(b)...)
	}
	return all
}

// isPool tells whether a section became one of the pools.
func (t *translation) isPool(d *directive) bool {
	for _, p := range t.pools {
		if p.from == d {
			return true
		}
	}
	return false
}

// hasComment tells whether what was lost is said beside a route or a node.
func (t *translation) hasComment(d *directive) bool {
	for _, l := range t.listeners {
		for _, r := range l.routes {
			if r.from == d && r.comment != "" {
				return true
			}
		}
	}
	return d.is("balancermember", "sethandler")
}

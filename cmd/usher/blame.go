package main

import (
	"fmt"
	"strings"

	"usher/model"
	"usher/xds"
)

// blame finds the line of the file that a refusal comes from: Envoy names the
// resource, and a resource is named as its listener or pool is.
func (l *loop) blame(r xds.Refusal) model.Problem {
	what := "Envoy refused its " + r.Kind + ": " + r.Words
	const hint = "what was last accepted is served; mend the file and save it again"
	if field := culprit(l.now.cluster, r); field != "" {
		return l.now.cluster.Problem(field, what, hint)
	}
	return model.Problem{File: l.config, What: what, Hint: hint}
}

func culprit(c *model.Cluster, r xds.Refusal) string {
	switch r.Kind {
	case xds.Listeners.String(), xds.Routes.String():
		for i, l := range c.Listeners {
			if strings.Contains(r.Words, l.Address.String()) {
				return fmt.Sprintf("listeners[%d].address", i)
			}
		}
		for i, l := range c.Listeners {
			if mentions(r.Words, l.Name) {
				return fmt.Sprintf("listeners[%d].name", i)
			}
		}
	case xds.Clusters.String(), xds.Endpoints.String():
		for i, p := range c.Pools {
			if mentions(r.Words, p.Name) {
				return fmt.Sprintf("pools[%d].name", i)
			}
		}
	case xds.Secrets.String():
		for i, s := range c.Certificates {
			if mentions(r.Words, s.Name) {
				return fmt.Sprintf("certificates[%d].name", i)
			}
		}
	}
	return ""
}

// mentions looks for a name as a word of its own.
func mentions(words, name string) bool {
	for _, w := range strings.FieldsFunc(words, func(r rune) bool { return strings.ContainsRune(" '\"(),:/", r) }) {
		if w == name {
			return true
		}
	}
	return false
}

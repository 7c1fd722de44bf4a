package main

import (
	"fmt"
	"strings"

	"usher/model"
	"usher/xds"
)

// place notes where refusals come from, each at its Envoy.
func (l *loop) place(all []xds.Refusal) {
	for _, r := range all {
		if r.Place == "" {
			p := l.blame(r)
			l.server.Place(r, p.Place())
		}
	}
}

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
			if xds.Mentions(r.Words, l.Name) {
				return fmt.Sprintf("listeners[%d].name", i)
			}
		}
	case xds.Clusters.String(), xds.Endpoints.String():
		for i, p := range c.Pools {
			if xds.Mentions(r.Words, p.Name) {
				return fmt.Sprintf("pools[%d].name", i)
			}
		}
	case xds.Secrets.String():
		for i, s := range c.Certificates {
			if xds.Mentions(r.Words, s.Name) {
				return fmt.Sprintf("certificates[%d].name", i)
			}
		}
	}
	return ""
}

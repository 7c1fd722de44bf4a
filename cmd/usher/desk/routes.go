package desk

import (
	"fmt"
	"slices"

	"usher/model"
)

func (w *words) listener(a, b model.Listener, was, now *model.Cluster) {
	at := "listener " + a.Name + ": "
	before, after := said(a.Routes, was), said(b.Routes, now)
	a.Routes, b.Routes = nil, nil
	w.fields(at, a, b)
	var inner words
	matched(&inner, "route", before, after, routeName, func(r model.Route) string { return " → " + target(r) }, func(a, b model.Route) {
		inner.route("route "+routeName(a)+": ", a, b)
	})
	for _, text := range inner {
		w.say("%s%s", at, text)
	}
}

// route says where a route leads now, and what else is new about it.
func (w *words) route(at string, a, b model.Route) {
	if was, is := target(a), target(b); was != is {
		w.say("%s%s (was %s)", at, is, was)
		b.Pool, b.Deny, b.Redirect, b.Respond = a.Pool, a.Deny, a.Redirect, a.Respond
	}
	if a.Upgrades == nil || b.Upgrades == nil { // only what forwards has any
		a.Upgrades, b.Upgrades = nil, nil
	}
	w.fields(at, a, b)
}

// said are routes without what they take from their pools.
func said(routes []model.Route, c *model.Cluster) []model.Route {
	routes = slices.Clone(routes)
	for i := range routes {
		r := &routes[i]
		of := model.Pool{Timeout: model.DefaultTimeout, OnFailure: model.Failover}
		if p := poolOf(c, r.Pool); p != nil {
			of = *p
		}
		if r.Timeout == of.Timeout {
			r.Timeout = 0
		}
		if r.OnFailure == of.OnFailure {
			r.OnFailure = ""
		}
	}
	return routes
}

func routeName(r model.Route) string {
	switch {
	case r.Exact != "":
		return "= " + r.Exact
	case r.Regex != "":
		return "~ " + string(r.Regex)
	}
	return r.Path
}

// target is where a route leads.
func target(r model.Route) string {
	switch {
	case r.Deny:
		return "deny"
	case r.Redirect != nil:
		return "redirect " + r.Redirect.To
	case r.Respond != nil:
		return fmt.Sprintf("answer %d", r.Respond.Status)
	}
	return "pool " + r.Pool
}

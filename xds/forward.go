package xds

import (
	"slices"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	h2mv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
)

// streamIdle ends a request on which nothing moves; a little more than the
// default time-out of a route, so that the latter speaks first. It costs a request
// 5,500 of 219,000 instructions, more than any other setting, for it is wound up
// again whenever something moves; the route's time-out costs 2,200. Nothing else
// ends an upload that has stopped; a time-out of 0s in the file switches both off.
const streamIdle = 330 * time.Second

// forward are Envoy's routes for one of the file that goes to a pool.
func (s socket) forward(l model.Listener, r model.Route, p backend, retry *routev3.RetryPolicy) []*routev3.Route {
	secure := l.TLS != nil
	route := s.toPool(l, r, p, retry)
	action := route.GetRoute()
	switch {
	case r.Sticky.Off() || len(p.Sticky) == 0:
		return []*routev3.Route{s.seated(route, p, plain(p.form(r.Balance)), secure)}
	case p.Balance.Hashes():
		action.HashPolicy = hashPolicy(p.Pool, secure)
		return byMark(s.seated(route, p, seat{outcome: outcomeHash}, secure), p.Pool, secure)
	case p.StatefulSession() != nil:
		enable(route, sessionFilter, statefulSession(*p.StatefulSession(), r.OnFailure, secure))
		return []*routev3.Route{s.seated(route, p, plain(p), secure)}
	}
	var all []*routev3.Route
	by := seating{p, r.OnFailure == model.Error, s.told(), s.first().AccessLog != nil}
	names := ""
	if p.large() {
		names = p.namesVersion(s.material)
	}
	for _, seat := range by.seats() {
		r := s.seated(proto.Clone(route).(*routev3.Route), p, seat, secure)
		if seat.plan != "" {
			planned(r, seat.plan, names)
		}
		all = append(all, r)
	}
	return all
}

// toPool is what all seats of a route have in common.
func (s socket) toPool(l model.Listener, r model.Route, p backend, retry *routev3.RetryPolicy) *routev3.Route {
	route := &routev3.Route{
		Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_SafeRegex{SafeRegex: regex(pathPattern(r))}},
		Action: &routev3.Route_Route{Route: &routev3.RouteAction{
			ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: p.form(r.Balance).Name},
			Timeout:          durationpb.New(r.Timeout.Std()),
			IdleTimeout:      idleTimeout(r.Timeout.Std()),
			RetryPolicy:      retry,
			RegexRewrite:     rewrite(r, r.Rewrite),
			UpgradeConfigs:   upgrades(r.Upgrades),
		}},
	}
	if r.Path == "/" {
		route.Match.PathSpecifier = &routev3.RouteMatch_Prefix{Prefix: "/"}
	}
	switch p.Host {
	case model.HostKeep:
	case model.HostNode:
		route.GetRoute().HostRewriteSpecifier = &routev3.RouteAction_AutoHostRewrite{AutoHostRewrite: yes()}
	default:
		route.GetRoute().HostRewriteSpecifier = &routev3.RouteAction_HostRewriteLiteral{HostRewriteLiteral: p.Host}
	}
	onlyFrom(route, r.Allow)
	s.material.mapped(route, l, r, p.Pool)
	return route
}

// plain is the seat of requests that belong to no session.
func plain(p backend) seat {
	by := seat{outcome: outcomeNone}
	if p.ranked() {
		by.wants = looksFor(p.tiers()...)
	}
	return by
}

// seated makes a route that of a seat.
func (s socket) seated(r *routev3.Route, p backend, by seat, secure bool) *routev3.Route {
	r.Match.Headers = append(r.Match.Headers, by.headers...)
	r.Match.Cookies = append(r.Match.Cookies, by.cookies...)
	r.GetRoute().MetadataMatch = by.wants
	rules := by.rules
	if s.first().AccessLog != nil && r.GetRoute().RegexRewrite != nil {
		rules = append(slices.Clone(rules), asIs(":path", pathKey))
	}
	if len(rules) > 0 {
		enable(r, h2mFilter, &h2mv3.Config{RequestRules: rules})
	}
	r.ResponseHeadersToAdd = append(r.ResponseHeadersToAdd, by.setCookie(secure)...)
	if s.told() {
		name(r, p, by)
	}
	return r
}

// name says in the route's name and metadata what log and counters tell of its
// requests: the name costs less to read, and the log wants more.
func name(r *routev3.Route, p backend, by seat) {
	r.Name = p.Name + "/" + by.outcome
	said := map[string]any{"pool": p.Name}
	if by.asked != "" {
		r.Name += "/" + by.asked
		said[askedKey] = by.asked
	}
	if by.outcome != outcomeKnown && by.outcome != outcomeConflict {
		said[whyKey] = by.outcome
	}
	r.Metadata = metadata(usherNamespace, said)
}

// idleTimeout follows a route's time-out where streamIdle would end its
// requests earlier; nil leaves the listener's.
func idleTimeout(timeout time.Duration) *durationpb.Duration {
	switch {
	case timeout == 0:
		return durationpb.New(0)
	case timeout >= streamIdle:
		return durationpb.New(timeout + 30*time.Second)
	}
	return nil
}

// upgrades are what a client may turn its connection into. The listener names
// none, so that a route's list is all that there is.
func upgrades(types []string) (all []*routev3.RouteAction_UpgradeConfig) {
	for _, t := range types {
		all = append(all, &routev3.RouteAction_UpgradeConfig{UpgradeType: t, Enabled: wrapperspb.Bool(true)})
	}
	return all
}

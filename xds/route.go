package xds

import (
	"regexp"
	"slices"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"usher/model"
	"usher/xds/pki/acme"
)

const (
	// streamIdle ends a request on which nothing moves; a little more than the
	// default time-out of a route, so that the latter speaks first.
	streamIdle = 330 * time.Second
	// idempotent are the methods of RFC 9110, 9.2.2, whose requests may be sent
	// a second time. CONNECT and the rest may not.
	idempotent = "GET|HEAD|OPTIONS|TRACE|PUT|DELETE"
	// dotParameter is a dot segment or an empty one with a path parameter: a
	// servlet container drops the parameter first, and climbs or merges slashes
	// then, past any prefix. An empty one at the end is harmless, and what a
	// session id at the root looks like (/;jsessionid=…).
	dotParameter = `.*/(?:\.\.?;.*|;[^/]*/.*)`
)

// routes is the route table of a socket: a virtual host for each listener.
func (s socket) routes(pools map[string]model.Pool, open []acme.Challenge) *routev3.RouteConfiguration {
	rc := &routev3.RouteConfiguration{
		Name:                     s.name(),
		IgnorePortInHostMatching: true,
		// The client's own are removed before (withoutClaims in listener.go).
		RequestHeadersToAdd: []*corev3.HeaderValueOption{header("x-forwarded-host", "%REQ(:authority)%")},
	}
	if t := s.client(); t != nil {
		rc.RequestHeadersToAdd = append(rc.RequestHeadersToAdd, header(t.Header, clientFormats[t.Format]))
	}
	for _, l := range s {
		rc.VirtualHosts = append(rc.VirtualHosts, virtualHost(l, pools, open))
	}
	return rc
}

// header sets a header, whatever was there; an empty value adds none.
func header(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: name, Value: value},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}

func virtualHost(l model.Listener, pools map[string]model.Pool, open []acme.Challenge) *routev3.VirtualHost {
	vh := &routev3.VirtualHost{Name: l.Name, Domains: l.Hosts, ResponseHeadersToAdd: strictTransport(l)}
	if l.Redirect != "" {
		vh.Routes = redirect(l)
	}
	for _, r := range l.Routes {
		if r.Deny {
			vh.Routes = append(vh.Routes, deny(denied(r.Path)))
			continue
		}
		if r.ClientCertificate == model.ClientRequire {
			vh.Routes = append(vh.Routes, unverified(r.Path))
		}
		vh.Routes = append(vh.Routes, forward(r, pools[r.Pool], l.TLS != nil)...)
	}
	if slices.ContainsFunc(l.Routes, guarded) {
		vh.Routes = append([]*routev3.Route{deny(dotParameter)}, vh.Routes...)
	}
	vh.Routes = append(proofs(l, open), vh.Routes...)
	return vh
}

// guarded tells whether a path is closed to some, who must not slip past it.
func guarded(r model.Route) bool { return r.Deny || r.ClientCertificate == model.ClientRequire }

func deny(pattern string) *routev3.Route { return refuse(pattern, 404) }

func refuse(pattern string, status uint32) *routev3.Route {
	return &routev3.Route{
		Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_SafeRegex{SafeRegex: regex(pattern)}},
		Action: &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{Status: status}},
	}
}

// denied matches a path and all below it, each segment with or without path
// parameters, which a servlet container ignores when it matches.
func denied(path string) string {
	pattern := ""
	for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		pattern += "/" + quoteRegex(segment)
		if segment != "" {
			pattern += `(?:;[^/]*)?`
		}
	}
	if path == "/" {
		return "/.*"
	}
	return pattern + "(?:/.*)?"
}

// forward is one route of the file: a first one for methods that may be
// repeated, and one for the rest.
func forward(r model.Route, p model.Pool, secure bool) []*routev3.Route {
	again, once := below(r.Path), below(r.Path)
	again.Headers = []*routev3.HeaderMatcher{matches(":method", idempotent)}
	return append(
		byMark(toPool(again, r, p, secure, repeatable(p)), p, secure),
		byMark(toPool(once, r, p, secure, unsent()), p, secure)...,
	)
}

func toPool(m *routev3.RouteMatch, r model.Route, p model.Pool, secure bool, retry *routev3.RetryPolicy) *routev3.Route {
	action := &routev3.RouteAction{
		ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: p.Name},
		Timeout:          durationpb.New(r.Timeout.Std()),
		IdleTimeout:      idleTimeout(r.Timeout.Std()),
		RetryPolicy:      retry,
		HashPolicy:       hashPolicy(p, secure),
	}
	route := &routev3.Route{Match: m, Action: &routev3.Route_Route{Route: action}}
	if bySubset(p) {
		action.MetadataMatch = lbMetadata(fallbacks())
		route.TypedPerFilterConfig = map[string]*anypb.Any{h2mFilter: pack(routeRules(p.Sticky.JVMRoute))}
	}
	return route
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

// below matches whole segments: /app is /app and /app/x, not /apple.
func below(path string) *routev3.RouteMatch {
	if strings.HasSuffix(path, "/") {
		return &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: path}}
	}
	return &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_PathSeparatedPrefix{PathSeparatedPrefix: path}}
}

func regex(pattern string) *matcherv3.RegexMatcher { return &matcherv3.RegexMatcher{Regex: pattern} }

// quoteRegex makes a text match itself; Go's syntax and Envoy's are both RE2.
func quoteRegex(s string) string { return regexp.QuoteMeta(s) }

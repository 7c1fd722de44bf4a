package xds

import (
	"slices"
	"strings"

	xdscorev3 "github.com/cncf/xds/go/xds/core/v3"
	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"

	"usher/model"
)

// idempotent are the methods of RFC 9110, 9.2.2, whose requests may be sent a
// second time. CONNECT and the rest may not.
const idempotent = "GET|HEAD|OPTIONS|TRACE|PUT|DELETE"

// routes is the route table of a socket: a virtual host for each listener.
func (s socket) routes() *routev3.RouteConfiguration {
	rc := &routev3.RouteConfiguration{
		Name:                     s.name(),
		IgnorePortInHostMatching: true,
	}
	if !s.first().Forwarded.Off() {
		// 2,900 of 219,000 instructions; For 4,000, Port 1,800.
		rc.RequestHeadersToAdd = append(rc.RequestHeadersToAdd, forwarded("x-forwarded-host", "%REQ(:authority)%"))
	}
	if t := s.client(); t != nil {
		rc.RequestHeadersToAdd = append(rc.RequestHeadersToAdd, header(t.Header, clientFormats[t.Format]))
	}
	for _, l := range s.listeners {
		rc.VirtualHosts = append(rc.VirtualHosts, s.virtualHost(l))
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

// forwarded sets a header that a trusted proxy may have set already. What
// anybody else says is removed before (withoutClaims in forwarded.go).
func forwarded(name, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: name, Value: value},
		AppendAction: corev3.HeaderValueOption_ADD_IF_ABSENT,
	}
}

func (s socket) virtualHost(l model.Listener) *routev3.VirtualHost {
	vh := &routev3.VirtualHost{Name: l.Name, Domains: l.Hosts, ResponseHeadersToAdd: strictTransport(l)}
	if l.ForwardedServer {
		vh.RequestHeadersToAdd = []*corev3.HeaderValueOption{header("x-forwarded-server", l.FirstHost())}
	}
	if l.Redirect != "" {
		vh.Routes = append(proofs(l, s.material.Challenges), redirect(l)...)
		return vh
	}
	vh.Metadata = s.names(l)
	t, old := s.pathTable(l)
	t.head = but(vh, "matcher") // what may be large in it is shared
	vh.Matcher = t.tree(s.entries(l, t, old), old)
	if t.host = vh; t.same(old) {
		t.host = old.host
	}
	if s.now != nil {
		s.now.tables[l.Name] = t
	}
	return t.host
}

// entry is one route of the file as Envoy's, for methods whose requests may be
// sent again and for the rest.
type entry struct {
	id         *identity // nil where it never is the same again
	key        string    // "/" and the first segment of its paths, where it is costly; "" is looked at for every path
	again, all []*routev3.Route
	make       func(*entry) // fills them in
}

// made has the routes of an entry made.
func (e *entry) made() *entry {
	if e.make != nil {
		e.make(e)
		e.make = nil
	}
	return e
}

// entries are those of a listener, in the order in which they count.
func (s socket) entries(l model.Listener, t, old *pathTable) (all []*entry) {
	for _, r := range proofs(l, s.material.Challenges) {
		all = append(all, &entry{all: []*routev3.Route{r}})
	}
	if slices.ContainsFunc(l.Routes, bounded) {
		e := &entry{make: func(e *entry) { e.all = []*routev3.Route{refuse(dotParameter, 404)} }}
		e.id, _ = t.recall(&identity{route: model.Route{Regex: dotParameter}}, old)
		all = append(all, e)
	}
	for _, r := range l.Routes {
		id := &identity{route: r}
		if s.now != nil {
			id.pool = s.now.pools[r.Pool]
		}
		e, same := &entry{make: func(e *entry) { s.fill(e, l, r) }}, false
		if e.id, same = t.recall(id, old); !same && r.Forwards() && slices.ContainsFunc(e.made().all, costly) {
			id.key = firstSegment(r)
		}
		e.key = e.id.key
		all = append(all, e)
	}
	return all
}

// fill makes the routes of one of the file.
func (s socket) fill(e *entry, l model.Listener, r model.Route) {
	if r.ClientCertificate == model.ClientRequire {
		e.all = append(e.all, unverified(pathPattern(r)))
	}
	if !r.Forwards() {
		e.all = append(e.all, s.answer(r))
		return
	}
	p := s.pools[r.Pool]
	if p.Attempts > 0 { // else the method tells nothing apart, and is not looked at
		e.again = append(slices.Clone(e.all), s.forward(l, r, p, repeatable(p.Pool))...)
	}
	e.all = append(e.all, s.forward(l, r, p, unsent(p.Pool))...)
}

// bounded tells whether a request for another path could climb into a route's, or
// out of it to what the route does not show of its nodes.
func bounded(r model.Route) bool {
	return r.Guarded() || r.Forwards() && (r.Path != "/" || r.Rewrite != "")
}

// costly tells whether it is hard to see that a route does not fit: Envoy looks at
// its headers and cookies before its path, and reads the cookies anew for each.
func costly(r *routev3.Route) bool { return len(r.Match.Headers)+len(r.Match.Cookies) > 0 }

// firstSegment is what all paths of a route begin with, as a text; "" where that
// has several spellings.
func firstSegment(r model.Route) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.Path+r.Exact, "/"), "/")
	if r.Regex != "" || strings.Trim(first, unreserved) != "" || first == "" {
		return ""
	}
	return "/" + first
}

// tree is the matcher of a virtual host. Twenty paths with sessions would cost a
// request more than all the rest, so the first segment of the path finds the few
// costly routes that may count, and the method those with the right retries. A
// text longer than the segment (/apple for /app) finds them as well, and then
// matches none of them but those for any path.
func (t *pathTable) tree(entries []*entry, old *pathTable) *xdsmatcherv3.Matcher {
	of := map[string][]*entry{} // in one walk, whatever their number: the list of each begins with the rest so far
	var rest []*entry
	for _, e := range entries {
		if e.key == "" {
			rest = append(rest, e)
			for key := range of {
				of[key] = append(of[key], e)
			}
			continue
		}
		if of[e.key] == nil {
			of[e.key] = slices.Clone(rest)
		}
		of[e.key] = append(of[e.key], e)
	}
	otherwise := t.branch("", rest, old)
	if len(of) == 0 {
		return onlyThen(otherwise)
	}
	tree := map[string]*xdsmatcherv3.Matcher_OnMatch{}
	for key, entries := range of {
		tree[key] = t.branch(key, entries, old)
	}
	return &xdsmatcherv3.Matcher{MatcherType: prefixes(tree), OnNoMatch: otherwise}
}

// prefixes matches a path by what it begins with.
func prefixes(tree map[string]*xdsmatcherv3.Matcher_OnMatch) *xdsmatcherv3.Matcher_MatcherTree_ {
	return &xdsmatcherv3.Matcher_MatcherTree_{MatcherTree: &xdsmatcherv3.Matcher_MatcherTree{
		Input:    headerInput(":path"),
		TreeType: &xdsmatcherv3.Matcher_MatcherTree_PrefixMatchMap{PrefixMatchMap: &xdsmatcherv3.Matcher_MatcherTree_MatchMap{Map: tree}},
	}}
}

// byMethod parts what may be sent again from what may not, where it matters.
func byMethod(entries []*entry) *xdsmatcherv3.Matcher_OnMatch {
	var again, all []*routev3.Route
	differ := false
	for _, e := range entries {
		e.made()
		differ = differ || e.again != nil
		all = append(all, e.all...)
		if e.again != nil {
			again = append(again, e.again...)
		} else {
			again = append(again, e.all...)
		}
	}
	if !differ {
		return routeList(all)
	}
	return &xdsmatcherv3.Matcher_OnMatch{OnMatch: &xdsmatcherv3.Matcher_OnMatch_Matcher{Matcher: &xdsmatcherv3.Matcher{
		MatcherType: &xdsmatcherv3.Matcher_MatcherList_{MatcherList: &xdsmatcherv3.Matcher_MatcherList{
			Matchers: []*xdsmatcherv3.Matcher_MatcherList_FieldMatcher{{
				Predicate: headerMatches(":method", idempotent),
				OnMatch:   routeList(again),
			}},
		}},
		OnNoMatch: routeList(all),
	}}}
}

// onlyThen is a matcher for what happens in any case.
func onlyThen(then *xdsmatcherv3.Matcher_OnMatch) *xdsmatcherv3.Matcher {
	if m := then.GetMatcher(); m != nil {
		return m
	}
	return &xdsmatcherv3.Matcher{OnNoMatch: then}
}

func routeList(routes []*routev3.Route) *xdsmatcherv3.Matcher_OnMatch {
	return &xdsmatcherv3.Matcher_OnMatch{OnMatch: &xdsmatcherv3.Matcher_OnMatch_Action{
		Action: extension("routes", &routev3.RouteList{Routes: routes}),
	}}
}

func headerInput(name string) *xdscorev3.TypedExtensionConfig {
	return extension("header", &matcherv3.HttpRequestHeaderMatchInput{HeaderName: name})
}

func headerMatches(name, pattern string) *xdsmatcherv3.Matcher_MatcherList_Predicate {
	return &xdsmatcherv3.Matcher_MatcherList_Predicate{MatchType: &xdsmatcherv3.Matcher_MatcherList_Predicate_SinglePredicate_{
		SinglePredicate: &xdsmatcherv3.Matcher_MatcherList_Predicate_SinglePredicate{
			Input: headerInput(name),
			Matcher: &xdsmatcherv3.Matcher_MatcherList_Predicate_SinglePredicate_ValueMatch{ValueMatch: &xdsmatcherv3.StringMatcher{
				MatchPattern: &xdsmatcherv3.StringMatcher_SafeRegex{SafeRegex: &xdsmatcherv3.RegexMatcher{
					EngineType: &xdsmatcherv3.RegexMatcher_GoogleRe2{GoogleRe2: &xdsmatcherv3.RegexMatcher_GoogleRE2{}},
					Regex:      pattern,
				}},
			}},
		},
	}}
}

func extension(name string, config proto.Message) *xdscorev3.TypedExtensionConfig {
	return &xdscorev3.TypedExtensionConfig{Name: name, TypedConfig: pack(config)}
}

package xds

import (
	_ "embed"
	"net"
	"slices"
	"strconv"
	"strings"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	statsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stats/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
)

// Envoy has nothing that rewrites the headers of an answer but Lua, which costs a
// request some 8 % of its instructions: it runs only on routes to a pool with
// `reverse`, and is in the configuration only where there is one.

//go:embed reverse.lua
var reverseScript string

const (
	luaFilter    = "envoy.filters.http.lua"
	reverseName  = "reverse"
	publicHeader = "x-usher-public" // from the route to the script, which removes it
	leakKey      = "leak"
)

func reverseFilter() *luav3.Lua {
	return &luav3.Lua{SourceCodes: map[string]*corev3.DataSource{
		reverseName: {Specifier: &corev3.DataSource_InlineString{InlineString: reverseScript}},
	}}
}

// mapped lets the script see to the answers of a route.
func (m Material) mapped(r *routev3.Route, l model.Listener, by model.Route, p model.Pool) {
	if p.Reverse == nil {
		return
	}
	enable(r, luaFilter, &luav3.LuaPerRoute{
		Override:      &luav3.LuaPerRoute_Name{Name: reverseName},
		FilterContext: m.site(l, by, p),
	})
	// The node's Host may be another one, X-Forwarded-Host is always the client's.
	r.ResponseHeadersToAdd = append(r.ResponseHeadersToAdd, header(publicHeader, "%REQ(x-forwarded-proto)%://%REQ(x-forwarded-host)%"))
}

// site is what the script knows of a pool behind a route.
func (m Material) site(l model.Listener, by model.Route, p model.Pool) *structpb.Struct {
	nodes, hosts := map[string]any{}, map[string]any{}
	add := func(host string, port uint16) {
		hosts[strings.ToLower(host)] = true
		nodes[net.JoinHostPort(strings.ToLower(host), strconv.Itoa(int(port)))] = true
	}
	for _, n := range p.Nodes {
		add(n.Address.Host, n.Address.Port)
		for _, ip := range m.Names[n.Address] {
			add(ip.String(), n.Address.Port)
		}
		for _, h := range p.Reverse.Hosts {
			if a, err := model.ParseAddress(h); err == nil {
				add(a.Host, a.Port)
			} else {
				for _, port := range []uint16{n.Address.Port, 80, 443} {
					add(strings.Trim(h, "[]"), port)
				}
			}
		}
	}
	for _, h := range l.Hosts {
		delete(hosts, h) // what clients call the balancer names no node
	}
	s, err := structpb.NewStruct(map[string]any{
		"pool": p.Name, "nodes": nodes, "hosts": hosts, "own": ownCookies(p), "paths": outside(l, by, p),
		"cookie_paths": swaps(p.Reverse.CookiePath), "cookie_domains": swaps(p.Reverse.CookieDomain),
	})
	if err != nil {
		panic("xds: reverse: " + err.Error()) // texts and switches only
	}
	return s
}

// ownCookies are those that the balancer sets itself, for every path. That of
// stateful_session comes behind the script.
func ownCookies(p model.Pool) map[string]any {
	own := map[string]any{}
	if c := p.RouteCookie(); c != nil {
		own[c.Name] = true
	}
	if c := p.HashCookie(); c != nil {
		own[c.Name], own[c.Name+markSuffix] = true, true
	}
	return own
}

// outside are what the pool's paths are called by clients: as the request has it,
// then as the other routes of the listener do, in the file's order.
func outside(l model.Listener, by model.Route, p model.Pool) []any {
	all := []any{}
	add := func(from, to string) { all = append(all, map[string]any{"from": from, "to": to}) }
	for _, r := range append([]model.Route{by}, l.Routes...) {
		switch {
		case r.Pool != p.Name, r.Regex != "" && r.Rewrite != "":
		case r.Regex != "" || slices.Contains(strings.Split(r.Path, "/"), "*"):
			add("/", "/")
		case r.Rewrite == "":
			add(r.Path+r.Exact, r.Path+r.Exact)
		case strings.HasSuffix(r.Rewrite, "/") && !strings.HasSuffix(r.Path+r.Exact, "/"):
			add(r.Rewrite, r.Path+r.Exact+"/")
		default:
			add(r.Rewrite, r.Path+r.Exact)
		}
	}
	return all
}

func swaps(of []model.Swap) []any {
	all := []any{}
	for _, s := range of {
		all = append(all, map[string]any{"from": s.From, "to": s.To})
	}
	return all
}

// leaks counts the answers that name a node after all, by the header.
func leaks() *accesslogv3.AccessLog {
	log := accessLog("envoy.access_loggers.stats", count(leakCount,
		&statsv3.Config_Tag{Name: "header", ValueFormat: "%DYNAMIC_METADATA(" + usherNamespace + ":" + leakKey + ")%"},
		&statsv3.Config_Tag{Name: TagNode, ValueFormat: nodeOf}))
	log.Filter = &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_MetadataFilter{MetadataFilter: &accesslogv3.MetadataFilter{
		Matcher: &matcherv3.MetadataMatcher{
			Filter: usherNamespace,
			Path:   []*matcherv3.MetadataMatcher_PathSegment{{Segment: &matcherv3.MetadataMatcher_PathSegment_Key{Key: leakKey}}},
			Value:  &matcherv3.ValueMatcher{MatchPattern: &matcherv3.ValueMatcher_PresentMatch{PresentMatch: true}},
		},
		MatchIfKeyNotFound: wrapperspb.Bool(false),
	}}}
	return log
}

package xds

import (
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	h2mv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"usher/model"
)

// Stickiness by jvmRoute: a filter puts the name at the end of the session id
// into the request's metadata, every endpoint carries a list of the names that
// it answers to, and Envoy's subset load balancer brings the two together. A
// node's own name is in its list, and the tier it serves for everyone else.
// The list of fallbacks is the order in which a request looks for a node.
const (
	routeKey    = "route"
	tierActive  = "@active"
	tierStandby = "@standby"
	lbNamespace = "envoy.lb"
	h2mFilter   = "envoy.filters.http.header_to_metadata"
)

// bySubset tells whether a pool finds nodes by name.
func bySubset(p model.Pool) bool { return p.Sticky != nil && p.Sticky.JVMRoute != "" }

// tiers are the names that a node answers to; none keeps it out.
func tiers(p model.Pool, n model.Node) []string {
	switch n.State {
	case model.Active:
		return []string{n.Name, tierActive}
	case model.Standby:
		return []string{n.Name, tierStandby}
	case model.Drain:
		if p.Sticky != nil {
			return []string{n.Name} // its sessions stay, nobody new comes
		}
		return nil // no session to keep: what is in flight ends by itself
	case model.Disabled:
		return nil
	}
	return nil
}

// priority sets a standby apart where no fallback list does.
func priority(p model.Pool, n model.Node) uint32 {
	if n.State == model.Standby && !bySubset(p) {
		return 1
	}
	return 0
}

func subsets(p model.Pool) *clusterv3.Cluster_LbSubsetConfig {
	if !bySubset(p) {
		return nil
	}
	return &clusterv3.Cluster_LbSubsetConfig{
		FallbackPolicy:         clusterv3.Cluster_LbSubsetConfig_NO_FALLBACK,
		MetadataFallbackPolicy: clusterv3.Cluster_LbSubsetConfig_FALLBACK_LIST,
		ListAsAny:              true,
		SubsetSelectors:        []*clusterv3.Cluster_LbSubsetConfig_LbSubsetSelector{{Keys: []string{routeKey}}},
	}
}

// fallbacks is the order in which a request looks for its node: the one it
// names, then any active one, then a standby. A later entry is merged with the
// wanted route and so has to name another value of the same key.
func fallbacks() map[string]any {
	return map[string]any{"fallback_list": []any{
		map[string]any{},
		map[string]any{routeKey: tierActive},
		map[string]any{routeKey: tierStandby},
	}}
}

// Patterns that find the name. Each matches every text, because a pattern that
// doesn't leaves the value as it was, which would make a route of it; an empty
// result writes nothing. A name that begins with @ is nobody's: a client could
// choose a tier otherwise.
const cookieRoute = `^[^.]*(?:\.@.*|\.(.*))?$`

func pathRoute(parameter string) string {
	return `^(?:[^?]*;` + parameter + `=[^.;?/]*\.([^@;?/][^;?/]*).*|.*)$`
}

// routeRules read the name from the cookie and then from the path: the later
// rule wins, as in httpd.
func routeRules(cookie string) *h2mv3.Config {
	return &h2mv3.Config{RequestRules: []*h2mv3.Config_Rule{
		{Cookie: cookie, OnHeaderPresent: rewrite(cookieRoute)},
		{Header: ":path", OnHeaderPresent: rewrite(pathRoute(pathParameter(cookie)))},
	}}
}

// pathParameter is the name that Tomcat gives the session id in a URL: the
// cookie's own, except for the default name, which is in lower case there.
func pathParameter(cookie string) string {
	if cookie == "JSESSIONID" {
		return strings.ToLower(cookie)
	}
	return quoteRegex(cookie)
}

func rewrite(pattern string) *h2mv3.Config_KeyValuePair {
	return &h2mv3.Config_KeyValuePair{
		MetadataNamespace: lbNamespace,
		Key:               routeKey,
		RegexValueRewrite: &matcherv3.RegexMatchAndSubstitute{Pattern: regex(pattern), Substitution: `\1`},
	}
}

// hashPolicy makes the balancer's own cookie where a client has none and
// hashes it: the answer that sets it already comes from its node.
func hashPolicy(p model.Pool, secure bool) []*routev3.RouteAction_HashPolicy {
	if p.Sticky == nil || p.Sticky.Cookie == nil {
		return nil
	}
	cookie := &routev3.RouteAction_HashPolicy_Cookie{
		Name: p.Sticky.Cookie.Name,
		Ttl:  seconds(p.Sticky.Cookie.TTL.Std()),
		Path: "/",
	}
	if secure {
		cookie.Attributes = []*routev3.RouteAction_HashPolicy_CookieAttribute{{Name: "Secure"}}
	}
	return []*routev3.RouteAction_HashPolicy{{
		PolicySpecifier: &routev3.RouteAction_HashPolicy_Cookie_{Cookie: cookie},
	}}
}

func lbFields(fields map[string]any) map[string]*structpb.Struct {
	s, err := structpb.NewStruct(fields)
	if err != nil {
		panic("xds: load balancer metadata: " + err.Error()) // only strings, lists and maps are put in
	}
	return map[string]*structpb.Struct{lbNamespace: s}
}

func list(names []string) []any {
	l := make([]any, len(names))
	for i, n := range names {
		l[i] = n
	}
	return l
}

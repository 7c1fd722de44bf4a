package xds

import (
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"usher/model"
)

const (
	defaultPort = 443 // of https URLs; not said in them
	// withoutPort is a Host that Envoy need not put another port into; it takes
	// :80 away by itself.
	withoutPort = `[^:]*(?::80)?|\[.*\](?::80)?`
)

// redirect sends everybody to HTTPS for good. A client may make a GET of
// whatever it sent before when it reads 301, but not when it reads 308 (RFC
// 9110, 15.4.2 and 15.4.9), which some old ones don't know.
func redirect(l model.Listener) (all []*routev3.Route) {
	for _, named := range []bool{true, false} {
		if named && l.RedirectPort != defaultPort {
			continue // the port is said, whatever the client has said
		}
		reading, rest := everything(), everything()
		reading.Headers = []*routev3.HeaderMatcher{matches(":method", "GET|HEAD")}
		port := uint32(l.RedirectPort)
		if named {
			reading.Headers = append(reading.Headers, matches(":authority", withoutPort))
			rest.Headers = append(rest.Headers, matches(":authority", withoutPort))
			port = 0
		}
		all = append(all,
			toHTTPS(reading, port, routev3.RedirectAction_MOVED_PERMANENTLY),
			toHTTPS(rest, port, routev3.RedirectAction_PERMANENT_REDIRECT))
	}
	return all
}

func everything() *routev3.RouteMatch {
	return &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}}
}

func toHTTPS(m *routev3.RouteMatch, port uint32, code routev3.RedirectAction_RedirectResponseCode) *routev3.Route {
	return &routev3.Route{Match: m, Action: &routev3.Route_Redirect{Redirect: &routev3.RedirectAction{
		SchemeRewriteSpecifier: &routev3.RedirectAction_HttpsRedirect{HttpsRedirect: true},
		PortRedirect:           port,
		ResponseCode:           code,
	}}}
}

func matches(name, pattern string) *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{
		Name: name,
		HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: &matcherv3.StringMatcher{
			MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: regex(pattern)},
		}},
	}
}

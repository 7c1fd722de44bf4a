package xds

import (
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"usher/model"
)

// hashPolicy is what is hashed, in the file's order: the first that a request has
// decides. The balancer's own cookie is made where a client has none, so that
// the answer that sets it already comes from its node.
func hashPolicy(p model.Pool, secure bool) (all []*routev3.RouteAction_HashPolicy) {
	for _, s := range p.Sticky {
		h := &routev3.RouteAction_HashPolicy{Terminal: len(p.Sticky) > 1}
		switch {
		case s.Cookie != nil:
			h.PolicySpecifier = &routev3.RouteAction_HashPolicy_Cookie_{Cookie: hashCookie(*s.Cookie, secure)}
		case s.Header != "":
			h.PolicySpecifier = &routev3.RouteAction_HashPolicy_Header_{Header: &routev3.RouteAction_HashPolicy_Header{HeaderName: s.Header}}
		case s.Query != "":
			h.PolicySpecifier = &routev3.RouteAction_HashPolicy_QueryParameter_{QueryParameter: &routev3.RouteAction_HashPolicy_QueryParameter{Name: s.Query}}
		case s.SourceIP:
			h.PolicySpecifier = &routev3.RouteAction_HashPolicy_ConnectionProperties_{ConnectionProperties: &routev3.RouteAction_HashPolicy_ConnectionProperties{SourceIp: true}}
		}
		all = append(all, h)
	}
	return all
}

func hashCookie(c model.Cookie, secure bool) *routev3.RouteAction_HashPolicy_Cookie {
	cookie := &routev3.RouteAction_HashPolicy_Cookie{Name: c.Name, Ttl: seconds(c.TTL.Std()), Path: "/"}
	if secure {
		cookie.Attributes = []*routev3.RouteAction_HashPolicy_CookieAttribute{{Name: "Secure"}}
	}
	return cookie
}

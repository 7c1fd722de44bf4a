package xds

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	sessionv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/stateful_session/v3"
	cookiev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/stateful_session/cookie/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/type/http/v3"

	"usher/model"
)

const sessionFilter = "envoy.filters.http.stateful_session"

// statefulSession is Envoy's own way: a cookie with the node's address.
func statefulSession(c model.Cookie, then model.OnFailure, secure bool) *sessionv3.StatefulSessionPerRoute {
	cookie := &httpv3.Cookie{Name: c.Name, Path: "/", Ttl: seconds(c.TTL.Std()), Attributes: []*httpv3.CookieAttribute{{Name: "HttpOnly"}}}
	if secure {
		cookie.Attributes = append(cookie.Attributes, &httpv3.CookieAttribute{Name: "Secure"})
	}
	return &sessionv3.StatefulSessionPerRoute{Override: &sessionv3.StatefulSessionPerRoute_StatefulSession{
		StatefulSession: &sessionv3.StatefulSession{
			Strict: then == model.Error,
			SessionState: &corev3.TypedExtensionConfig{
				Name:        "envoy.http.stateful_session.cookie",
				TypedConfig: pack(&cookiev3.CookieBasedSessionState{Cookie: cookie}),
			},
		},
	}}
}

package xds

import (
	"strings"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	celv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/filters/cel/v3"
	h2mv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"usher/model"
)

// answer is a route of the file that no node is asked for.
func (s socket) answer(r model.Route) *routev3.Route {
	route := &routev3.Route{Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_SafeRegex{SafeRegex: regex(pathPattern(r))}}}
	switch {
	case r.Redirect != nil:
		route.Action = &routev3.Route_Redirect{Redirect: elsewhere(r)}
		if s.first().AccessLog != nil {
			enable(route, h2mFilter, &h2mv3.Config{RequestRules: []*h2mv3.Config_Rule{asIs(":path", pathKey)}})
		}
	case r.Respond != nil:
		route.Action = &routev3.Route_DirectResponse{DirectResponse: respond(*r.Respond)}
		if r.Respond.Body != "" {
			route.ResponseHeadersToAdd = []*corev3.HeaderValueOption{header("content-type", r.Respond.ContentType)}
		}
	default:
		return refuse(pathPattern(r), 404)
	}
	onlyFrom(route, r.Allow)
	return route
}

func refuse(pattern string, status uint32) *routev3.Route {
	return &routev3.Route{
		Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_SafeRegex{SafeRegex: regex(pattern)}},
		Action: &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{Status: status}},
	}
}

// notFound makes of Envoy's 400 for a path with an escaped slash, or one that
// can't be, the 404 that httpd gives.
var notFound = &hcmv3.LocalReplyConfig{Mappers: []*hcmv3.ResponseMapper{{
	Filter: &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_ExtensionFilter{ExtensionFilter: &accesslogv3.ExtensionFilter{
		Name: "envoy.access_loggers.extension_filters.cel",
		ConfigType: &accesslogv3.ExtensionFilter_TypedConfig{TypedConfig: pack(&celv3.ExpressionFilter{
			Expression: "response.code_details == 'path_normalization_failed'",
		})},
	}}},
	StatusCode: u32(404),
}}}

func respond(r model.Respond) *routev3.DirectResponseAction {
	a := &routev3.DirectResponseAction{Status: uint32(r.Status)}
	if r.Body != "" {
		a.Body = &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: r.Body}}
	}
	return a
}

var redirectCodes = map[model.Status]routev3.RedirectAction_RedirectResponseCode{
	301: routev3.RedirectAction_MOVED_PERMANENTLY,
	302: routev3.RedirectAction_FOUND,
	303: routev3.RedirectAction_SEE_OTHER,
	307: routev3.RedirectAction_TEMPORARY_REDIRECT,
	308: routev3.RedirectAction_PERMANENT_REDIRECT,
}

// elsewhere sends a client to another URL, with what stands behind the route's
// path (httpd: Redirect). A query of its own takes the place of that and of the
// client's.
func elsewhere(r model.Route) *routev3.RedirectAction {
	a := &routev3.RedirectAction{ResponseCode: redirectCodes[r.Redirect.Status]}
	to := r.Redirect.To
	if scheme, rest, ok := strings.Cut(to, "://"); ok && !strings.HasPrefix(to, "/") { // a path may have a URL in its query
		host, path := rest, "/"
		if end := strings.IndexAny(rest, "/?#"); end >= 0 {
			host, path = rest[:end], "/"+strings.TrimPrefix(rest[end:], "/")
		}
		a.SchemeRewriteSpecifier = &routev3.RedirectAction_SchemeRedirect{SchemeRedirect: scheme}
		a.HostRedirect = host
		to = path
	}
	if strings.Contains(to, "?") {
		a.PathRewriteSpecifier = &routev3.RedirectAction_PathRedirect{PathRedirect: to}
	} else {
		a.PathRewriteSpecifier = &routev3.RedirectAction_RegexRewrite{RegexRewrite: rewrite(r, to)}
	}
	return a
}

package xds

import (
	"regexp"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"usher/model"
)

// location is where Envoy sends a client that has asked for a path at http://here.
func location(r *routev3.RedirectAction, path string) string {
	scheme, host := "http", "here"
	if s := r.GetSchemeRedirect(); s != "" {
		scheme = s
	}
	if r.HostRedirect != "" {
		host = r.HostRedirect
	}
	if p := r.GetPathRedirect(); p != "" {
		path = p
	}
	if by := r.GetRegexRewrite(); by != nil {
		to := strings.ReplaceAll(by.Substitution, `\1`, "${1}")
		path = regexp.MustCompile(by.Pattern.Regex).ReplaceAllString(path, to)
	}
	return scheme + "://" + host + path
}

func TestARedirectLeadsWhereTheFileSays(t *testing.T) {
	for _, c := range []struct {
		route         model.Route
		to            string
		path, located string
	}{
		{model.Route{Exact: "/"}, "/console", "/", "http://here/console"},
		{model.Route{Path: "/old"}, "/new", "/old/x", "http://here/new/x"},
		{model.Route{Path: "/old"}, "/new?from=old", "/old/x", "http://here/new?from=old"},
		{model.Route{Path: "/old"}, "https://there/new", "/old/x", "https://there/new/x"},
		{model.Route{Path: "/old"}, "https://there:8443/new/", "/old/x", "https://there:8443/new/x"},
		{model.Route{Path: "/old"}, "https://there", "/old/x", "https://there/x"},
		{model.Route{Path: "/"}, "https://there/", "/x", "https://there/x"},
		{model.Route{Path: "/"}, "https://there?from=old", "/x", "https://there/?from=old"},
		{model.Route{Path: "/"}, "https://there/?to=http://here/", "/x", "https://there/?to=http://here/"},
		{model.Route{Path: "/"}, "/?to=https://there/", "/x", "http://here/?to=https://there/"},
		{model.Route{Path: "/"}, "https://[2001:db8::1]:8443", "/x", "https://[2001:db8::1]:8443/x"},
		{model.Route{Regex: `/a/(\d+)`}, `https://there/b/\1`, "/a/7", "https://there/b/7"},
	} {
		c.route.Redirect = &model.RouteRedirect{To: c.to, Status: 302}
		if got := location(elsewhere(c.route), c.path); got != c.located {
			t.Errorf("%+v to %s leads from %s to %s, want %s", c.route, c.to, c.path, got, c.located)
		}
	}
}

func TestARedirectHasTheStatusOfTheFile(t *testing.T) {
	for status, want := range map[model.Status]routev3.RedirectAction_RedirectResponseCode{
		301: routev3.RedirectAction_MOVED_PERMANENTLY, 302: routev3.RedirectAction_FOUND, 303: routev3.RedirectAction_SEE_OTHER,
		307: routev3.RedirectAction_TEMPORARY_REDIRECT, 308: routev3.RedirectAction_PERMANENT_REDIRECT,
	} {
		if got := elsewhere(model.Route{Path: "/", Redirect: &model.RouteRedirect{To: "/x", Status: status}}).ResponseCode; got != want {
			t.Errorf("%d becomes %v", status, got)
		}
	}
}

package xds

import (
	"regexp"
	"strings"
	"testing"

	"usher/model"
)

// closedTo tells whether a route that is denied keeps a request from the nodes, as
// Envoy and the order of the routes have it.
func closedTo(r model.Route, target string) bool {
	path, ok := normalized(target)
	path, _, _ = strings.Cut(path, "?") // Envoy compares without the query
	return !ok || fullMatch(dotParameter, path) || fullMatch(pathPattern(r), path)
}

func TestAClosedPathIsClosedHoweverItIsWritten(t *testing.T) {
	r := model.Route{Path: "/carbon", Deny: true}
	for _, target := range []string{
		"/carbon", "/carbon/", "/carbon/admin", "/carbon?x", "/carbon;x", "/carbon;x/", "/carbon;x=1;y/admin", "/carbon;",
		"//carbon", "///carbon//admin", "/./carbon", "/x/../carbon", "/x/y/../../carbon", "/../carbon", "/x;y/../carbon",
		"/%63arbon", "/%2e/carbon", "/x/%2e%2e/carbon", "/x/.%2E/carbon", `/x\..\carbon`, `/\carbon`,
		"/x/..;/carbon", "/x/..;y=1/carbon", "/.;/carbon", "/.;x/carbon", "/;x/carbon", "/;/carbon", "/x/%2e%2e;/carbon", "/x/;y/..;/carbon",
		"/x/..;", "/x/.;", "/carbon/..;/x",
		"/carbon%2fadmin", "/x%2F..%2Fcarbon", "/x/..%2fcarbon", "/x/..%5ccarbon", "/carbon%00",
	} {
		if !closedTo(r, target) {
			t.Errorf("%s reaches a node", target)
		}
	}
}

func TestWhatOnlyLooksLikeAClosedPathIsOpen(t *testing.T) {
	r := model.Route{Path: "/carbon", Deny: true}
	for _, target := range []string{
		"/", "/x", "/carbonara", "/carbon.css", "/x/carbon", "/Carbon", "/x;carbon", "/x?/carbon", "/?;/carbon",
		"/;jsessionid=1.isNode1", "/x;jsessionid=1.isNode1", "/x/;jsessionid=1", "/x..;y/z", "/..x;y", "/.well-known;x/y", "/x/...;y/z",
		"/carbon/../x", "/carbon/%2e%2e/x", "/carbon%20x",
	} {
		if closedTo(r, target) {
			t.Errorf("%s does not reach a node", target)
		}
	}
}

func TestAPathIsMatchedInWholeSegments(t *testing.T) {
	for _, c := range []struct {
		route     model.Route
		yes, none string // paths
	}{
		{model.Route{Path: "/"}, "/ /x /;s /x/", ""},
		{model.Route{Path: "/app"}, "/app /app/ /app/x /app;s /app;s/x", "/apple / /x/app"},
		{model.Route{Path: "/app/"}, "/app/ /app/x /app;s/x", "/app /app;s /apple/"},
		{model.Route{Path: "/app/", Deny: true}, "/app /app/ /app;s", "/apple"},
		{model.Route{Path: "/app/", Allow: make([]model.Network, 1)}, "/app /app/x", "/apple"},
		{model.Route{Path: "/a.b"}, "/a.b /a.b/c", "/axb"},
		{model.Route{Path: "/t/*/scim2"}, "/t/x/scim2 /t/x;s/scim2/y /t;s/x/scim2;s", "/t/scim2 /t//scim2 /t/x/y/scim2 /t/x/scim"},
		{model.Route{Path: "/t/*"}, "/t/x /t/x/y", "/t /t/"},
		{model.Route{Path: "/a*"}, "/a* /a*/b", "/ab /aa"},
		{model.Route{Exact: "/"}, "/ /;s", "/x //"},
		{model.Route{Exact: "/alive"}, "/alive /alive;s", "/alive/ /alive/x /aliv"},
		{model.Route{Regex: `/a/(\d+)`}, "/a/1", "/a/ /a/1/ /b/a/1"},
		{model.Route{Regex: `/a|/b`, Deny: true}, "/a /b", "/a/x /c/b"},
	} {
		for path := range strings.FieldsSeq(c.yes) {
			if !fullMatch(pathPattern(c.route), path) {
				t.Errorf("%+v does not have %s", c.route, path)
			}
		}
		for path := range strings.FieldsSeq(c.none) {
			if fullMatch(pathPattern(c.route), path) {
				t.Errorf("%+v has %s", c.route, path)
			}
		}
	}
}

// rewritten is what Envoy makes of a path: \1 is a group, and the expression is
// looked for anywhere.
func rewritten(r model.Route, path string) string {
	by := rewrite(r, r.Rewrite)
	to := regexp.MustCompile(`\\\\|\\(\d)`).ReplaceAllStringFunc(strings.ReplaceAll(by.Substitution, "$", "$$"), func(s string) string {
		if s == `\\` {
			return `\`
		}
		return "${" + s[1:] + "}"
	})
	return regexp.MustCompile(by.Pattern.Regex).ReplaceAllString(path, to)
}

func TestARewriteKeepsWhatStandsBehindThePath(t *testing.T) {
	for _, c := range []struct {
		route      model.Route
		path, want string
	}{
		{model.Route{Path: "/app", Rewrite: "/inner"}, "/app", "/inner"},
		{model.Route{Path: "/app", Rewrite: "/inner"}, "/app/x?", "/inner/x?"},
		{model.Route{Path: "/app", Rewrite: "/inner"}, "/app;s=1/app", "/inner;s=1/app"},
		{model.Route{Path: "/app", Rewrite: "/inner/"}, "/app/x", "/inner/x"},
		{model.Route{Path: "/app", Rewrite: "/"}, "/app", "/"},
		{model.Route{Path: "/app", Rewrite: "/"}, "/app/x", "/x"},
		{model.Route{Path: "/app", Rewrite: "/"}, "/app;s", "/;s"},
		{model.Route{Path: "/app/", Rewrite: "/inner/"}, "/app/x", "/inner/x"},
		{model.Route{Path: "/app/", Rewrite: "/"}, "/app/", "/"},
		{model.Route{Path: "/", Rewrite: "/inner"}, "/x", "/inner/x"},
		{model.Route{Path: "/", Rewrite: "/inner"}, "/", "/inner/"},
		{model.Route{Path: "/a/b", Rewrite: `/c\1$2`}, "/a/b/d", `/c\1$2/d`},
		{model.Route{Path: "/a.b", Rewrite: "/c"}, "/a.b/a.b", "/c/a.b"},
		{model.Route{Exact: "/one", Rewrite: "/two"}, "/one", "/two"},
		{model.Route{Exact: "/one", Rewrite: "/two"}, "/one;s=1.a", "/two;s=1.a"},
		{model.Route{Exact: "/one", Rewrite: `/two\1`}, "/one", `/two\1`},
		{model.Route{Regex: `/a/(\d+)/(\w+)`, Rewrite: `/\2/\1`}, "/a/7/b", "/b/7"},
		{model.Route{Regex: `/a|/b`, Rewrite: "/c"}, "/b", "/c"},
	} {
		if got := rewritten(c.route, c.path); got != c.want {
			t.Errorf("%+v makes %s of %s, want %s", c.route, got, c.path, c.want)
		}
	}
	if by := rewrite(model.Route{Path: "/app"}, ""); by != nil {
		t.Errorf("%v where nothing is rewritten", by)
	}
}

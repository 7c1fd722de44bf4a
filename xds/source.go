package xds

import (
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	h2mv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"usher/model"
)

// source is where a request carries the name of its node: a cookie, or a path
// parameter.
type source struct {
	name      string
	inPath    bool
	separator string // "" where the whole value is the name
}

const h2mFilter = "envoy.filters.http.header_to_metadata"

// sources are those of a pool, in the order in which they count. A path goes
// before the cookie that it stands for, as in httpd.
func sources(p model.Pool) (all []source) {
	for _, s := range p.Sticky {
		separator := s.Separator
		if separator == model.NoText {
			separator = ""
		}
		if s.PathParameter != "" && s.PathParameter != model.NoText {
			all = append(all, source{s.PathParameter, true, separator})
		}
		if s.JVMRoute != "" {
			all = append(all, source{s.JVMRoute, false, separator})
		}
		if s.RouteCookie != nil {
			all = append(all, routeSource(*s.RouteCookie))
		}
	}
	return all
}

// routeSource is the balancer's own cookie, .NAME, as httpd's recipe has it.
func routeSource(c model.RouteCookie) source {
	return source{c.Name, false, model.DefaultSeparator}
}

// value matches a value with one of the names, which may be a group. The name is
// the text behind the first separator; ends are characters that end the value.
func (by source) value(names, ends string) string {
	if by.separator == "" {
		return "(?:" + names + ")"
	}
	s := quoteRegex(by.separator)
	return "[^" + ends + `\` + by.separator + "]*" + s + "(?:" + names + ")"
}

// match puts cookies or headers into a seat, whichever are of this source.
func (by source) match(s *seat, cookies []*routev3.CookieMatcher, headers []*routev3.HeaderMatcher) {
	if by.inPath {
		s.headers = headers
		return
	}
	s.cookies = cookies
}

// names match requests whose cookie names one of the nodes. Envoy looks at the
// first of several.
func (by source) names(nodes []string) []*routev3.CookieMatcher {
	return by.cookie(by.value(oneOf(nodes), ""))
}

// namesAny match requests whose cookie names something.
func (by source) namesAny() []*routev3.CookieMatcher { return by.cookie(by.value(".+", "")) }

func (by source) cookie(pattern string) []*routev3.CookieMatcher {
	return []*routev3.CookieMatcher{{Name: by.name, StringMatch: matchesRegex(pattern)}}
}

func matchesRegex(pattern string) *matcherv3.StringMatcher {
	return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: regex(pattern)}}
}

// shows match requests whose path names one of the nodes.
func (by source) shows(nodes []string) []*routev3.HeaderMatcher { return by.inside(oneOf(nodes)) }

func (by source) showsAny() []*routev3.HeaderMatcher { return by.inside("[^;?/]+") }

// inside looks for the parameter's name first, which spares nearly all requests the
// expression: 700 of 219,000 instructions.
func (by source) inside(names string) []*routev3.HeaderMatcher {
	has := &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Contains{Contains: ";" + by.name + "="}}
	return []*routev3.HeaderMatcher{
		{Name: ":path", HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: has}},
		matches(":path", by.path(names)),
	}
}

// mayName match requests that have this cookie or parameter, or one whose name
// ends as its does.
func (by source) mayName() []*routev3.HeaderMatcher {
	if by.inPath {
		return []*routev3.HeaderMatcher{contains(":path", ";"+by.name+"=")}
	}
	return []*routev3.HeaderMatcher{contains("cookie", by.name+"=")}
}

func contains(header, text string) *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{Name: header, HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{
		StringMatch: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Contains{Contains: text}},
	}}
}

// path matches a path with the parameter; the first that names a node counts.
func (by source) path(names string) string {
	return "[^?]*?;" + quoteRegex(by.name) + "=" + by.value(names, ";?/") + "(?:[;?/].*)?"
}

// twice match requests with several cookies of this name: those of a servlet
// container are scoped to the path of a web application, so that a browser may
// send two.
func (by source) twice() []*routev3.HeaderMatcher {
	name := quoteRegex(by.name)
	return []*routev3.HeaderMatcher{matches("cookie", "(?:.*[;,])? *"+name+"=.*[;,] *"+name+"=.*")}
}

// among match requests of which one of the cookies names one of the nodes.
func (by source) among(nodes []string) []*routev3.HeaderMatcher {
	return []*routev3.HeaderMatcher{matches("cookie", by.crumb(oneOf(nodes)))}
}

// crumb matches a Cookie header with this cookie; the first that names a node
// counts.
func (by source) crumb(names string) string {
	return "(?:.*?[;,])?? *" + quoteRegex(by.name) + "=" + by.value(names, ";,") + " *(?:[;,].*)?"
}

// first writes what the first cookie of this name names into the request's
// metadata.
func (by source) first(namespace, key string) *h2mv3.Config_Rule {
	return &h2mv3.Config_Rule{Cookie: by.name, OnHeaderPresent: extract("^"+by.value("(.*)", "")+"$", namespace, key)}
}

// rule writes the name of one of the nodes, or of whatever there is, into the
// request's metadata. A pattern that does not match leaves the value as it was,
// which would make a name of it: the seat's match has seen to it that one does.
func (by source) rule(nodes []string, namespace, key string) *h2mv3.Config_Rule {
	names := "(" + oneOf(nodes) + ")"
	if len(nodes) == 0 {
		names = "([^;,?/]+)"
	}
	if by.inPath {
		return &h2mv3.Config_Rule{Header: ":path", OnHeaderPresent: extract("^"+by.path(names)+"$", namespace, key)}
	}
	return &h2mv3.Config_Rule{Header: "cookie", OnHeaderPresent: extract("^"+by.crumb(names)+"$", namespace, key)}
}

// asIs notes a header as the client has sent it.
func asIs(name, key string) *h2mv3.Config_Rule {
	return &h2mv3.Config_Rule{Header: name, OnHeaderPresent: &h2mv3.Config_KeyValuePair{MetadataNamespace: usherNamespace, Key: key}}
}

func extract(pattern, namespace, key string) *h2mv3.Config_KeyValuePair {
	return &h2mv3.Config_KeyValuePair{
		MetadataNamespace: namespace,
		Key:               key,
		RegexValueRewrite: &matcherv3.RegexMatchAndSubstitute{Pattern: regex(pattern), Substitution: `\1`},
	}
}

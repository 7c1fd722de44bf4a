package xds

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"usher/model"
)

// dotParameter is a dot segment or an empty one with a path parameter: a
// servlet container drops the parameter first, and climbs or merges slashes
// then, past any prefix. An empty one at the end is harmless, and what a
// session id at the root looks like (/;jsessionid=…).
const dotParameter = `.*/(?:\.\.?;.*|;[^/]*/.*)`

func regex(pattern string) *matcherv3.RegexMatcher { return &matcherv3.RegexMatcher{Regex: pattern} }

// quoteRegex makes a text match itself; Go's syntax and Envoy's are both RE2.
func quoteRegex(s string) string { return regexp.QuoteMeta(s) }

// parameters stand behind a segment, and a servlet container ignores them when it
// matches.
const parameters = `(?:;[^/]*)?`

// segments match those of a path, each with or without path parameters; `*` is
// any one.
func segments(path string) string {
	pattern := ""
	for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		switch segment {
		case "":
		case "*":
			pattern += "/[^/]+"
		default:
			pattern += "/" + spellings(segment) + parameters
		}
	}
	return pattern
}

// unreserved are the characters that Envoy frees of their escapes, as RFC 3986,
// 6.2.2.2 has it.
const unreserved = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

// spellings match a text as a client may write it: whatever is not unreserved
// comes as it is or escaped, and a node reads both alike.
func spellings(text string) string {
	pattern := ""
	for i := range len(text) {
		c := text[i]
		switch {
		case strings.IndexByte(unreserved, c) >= 0:
			pattern += quoteRegex(text[i : i+1])
		case c >= utf8.RuneSelf: // never comes as it is
			pattern += fmt.Sprintf("%%(?i:%02x)", c)
		default:
			pattern += fmt.Sprintf("(?:%s|%%(?i:%02x))", quoteRegex(text[i:i+1]), c)
		}
	}
	return pattern
}

// below matches a path and all below it. A pattern that begins with ^ and a text is
// ruled out by comparing that text.
func below(path string) string {
	switch {
	case path == "/":
		return "^/.*$"
	case strings.HasSuffix(path, "/"):
		return "^" + segments(path) + "/.*$"
	}
	return "^" + segments(path) + "(?:/.*)?$"
}

// closed is below for a path that is closed to some: /path/ closes /path, too.
func closed(path string) string {
	if path == "/" {
		return below(path)
	}
	return below(strings.TrimSuffix(path, "/"))
}

// exactly matches one path and nothing below it.
func exactly(path string) string {
	if strings.HasSuffix(path, "/") {
		return "^" + segments(path) + "/" + parameters + "$"
	}
	return "^" + segments(path) + "$"
}

// pathPattern is what the path of a route's requests matches.
func pathPattern(r model.Route) string {
	switch {
	case r.Regex != "":
		return string(r.Regex)
	case r.Exact != "":
		return exactly(r.Exact)
	case r.Guarded():
		return closed(r.Path)
	}
	return below(r.Path)
}

// rewrite puts another path in the place of a route's own, with what stands behind
// it; nil leaves it.
func rewrite(r model.Route, to string) *matcherv3.RegexMatchAndSubstitute {
	if to == "" {
		return nil
	}
	if r.Regex != "" {
		return &matcherv3.RegexMatchAndSubstitute{Pattern: regex(anchored(string(r.Regex))), Substitution: to}
	}
	if r.Exact != "" {
		return &matcherv3.RegexMatchAndSubstitute{Pattern: regex("^[^;]*(;.*)?$"), Substitution: quoteSubstitution(to) + `\1`}
	}
	plain := "^" + strings.TrimSuffix(segments(r.Path), parameters) // those of the last one stay
	if root := strings.TrimSuffix(to, "/"); root != "" && !strings.HasSuffix(r.Path, "/") {
		return &matcherv3.RegexMatchAndSubstitute{Pattern: regex(plain + "(.*)$"), Substitution: quoteSubstitution(root) + `\1`}
	}
	return &matcherv3.RegexMatchAndSubstitute{Pattern: regex(plain + "/?(.*)$"), Substitution: quoteSubstitution(strings.TrimSuffix(to, "/")) + `/\1`}
}

// anchored makes an expression that is meant for a whole path match no part of it.
func anchored(pattern string) string { return "^(?:" + pattern + ")$" }

// quoteSubstitution makes a text stand for itself.
func quoteSubstitution(s string) string { return strings.ReplaceAll(s, `\`, `\\`) }

// oneOf matches any of the names.
func oneOf(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quoteRegex(n)
	}
	return strings.Join(quoted, "|")
}

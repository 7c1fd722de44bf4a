package httpd

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"usher/model"
)

// RewriteCond before a refusal: which paths and whom it is about.

// onPaths is what a rule lets in that has a condition on the path: whom it refuses, it
// does on the paths of the condition. It is nil where there is none, or where other
// conditions keep out but some.
func onPaths(d *directive, conditions, undecided []*directive) *refusal {
	var where *route
	var rest []*directive
	for _, c := range either(undecided) {
		if _, or := rewriteFlags(c.arg(2))["or"]; or {
			return nil
		}
		r := conditionPaths(c)
		if r == nil {
			rest = append(rest, c)
		} else if where == nil {
			r.from, where = d, r
		}
	}
	set, ok := lettingIn(rest)
	if where == nil || len(rest) > 0 && !ok && !slices.ContainsFunc(rest, exceptSome) {
		return nil
	}
	for _, c := range conditions {
		if ok || !slices.Contains(rest, c) {
			c.rows = nil
			c.say(Carried, "")
		}
	}
	return &refusal{from: d, where: where, only: access{from: set}, verdict: Approximated, note: fmt.Sprintf("it was put on all paths that %s matches", where.Regex)}
}

// either makes one condition of those on the path that [OR] joins, where nothing else
// is joined to them.
func either(conditions []*directive) []*directive {
	if len(conditions) < 2 || slices.ContainsFunc(conditions, func(c *directive) bool { return !strings.EqualFold(c.arg(0), "%{REQUEST_URI}") }) {
		return conditions
	}
	one := *conditions[len(conditions)-1]
	var patterns []string
	for i, c := range conditions {
		_, or := rewriteFlags(c.arg(2))["or"]
		if _, nocase := rewriteFlags(c.arg(2))["nc"]; nocase || or != (i < len(conditions)-1) || strings.HasPrefix(c.arg(1), "!") {
			return conditions
		}
		patterns = append(patterns, c.arg(1))
	}
	one.args = []string{one.arg(0), strings.Join(patterns, "|")}
	return []*directive{&one}
}

// conditionPaths are those of a condition on the path, nil where it is on something
// else, or no expression of RE2.
func conditionPaths(c *directive) *route {
	pattern, flags := c.arg(1), rewriteFlags(c.arg(2))
	if !strings.EqualFold(c.arg(0), "%{REQUEST_URI}") || strings.ContainsAny(pattern[:min(1, len(pattern))], "!=<>-") {
		return nil
	}
	if _, nocase := flags["nc"]; nocase {
		pattern = "(?i)" + pattern
	}
	regex, ok := wholePath(pattern)
	if !ok {
		return nil
	}
	r := &route{verdict: Carried}
	r.Regex = model.Regex(regex)
	return r
}

// exceptSome tells whether a condition holds for all clients but some.
func exceptSome(c *directive) bool {
	if _, or := rewriteFlags(c.arg(2))["or"]; or && (strings.EqualFold(c.arg(0), "%{REQUEST_URI}") || strings.EqualFold(c.arg(0), "%{REMOTE_ADDR}")) {
		return true // nobody knows for how many
	}
	return !aboutRequest(c.arg(0)) && (strings.HasPrefix(c.arg(1), "!") || strings.Contains(c.arg(1), "(?!"))
}

// aboutRequest tells whether a variable is what a client says, and not who it is.
func aboutRequest(variable string) bool {
	switch strings.ToUpper(strings.Trim(variable, "%{}")) {
	case "REQUEST_METHOD", "QUERY_STRING", "THE_REQUEST", "SERVER_PROTOCOL", "HTTP_HOST", "SERVER_NAME", "HTTP_USER_AGENT", "HTTP_REFERER", "HTTP_ACCEPT",
		"HTTP:HOST", "HTTP:USER-AGENT", "HTTP:REFERER", "HTTP:ACCEPT", "HTTP:CONTENT-TYPE", "HTTP:CONTENT-LENGTH", "HTTP:RANGE":
		return true
	}
	return false
}

// lettingIn are the addresses that conditions let in, where all of them are about
// addresses: those for which not all hold. One with [OR] holds where the next one does.
func lettingIn(conditions []*directive) (all netset, ok bool) {
	refused, either := everybody(), netset(nil)
	for _, c := range conditions {
		pattern, not := strings.CutPrefix(c.arg(1), "!")
		set, read := addressesOf(pattern)
		if !strings.EqualFold(c.arg(0), "%{REMOTE_ADDR}") || !read {
			return nil, false
		}
		if not {
			set = everybody().without(set)
		}
		either = either.or(set)
		if _, or := rewriteFlags(c.arg(2))["or"]; !or {
			refused, either = refused.and(either), nil
		}
	}
	all = everybody().without(refused)
	return all, len(conditions) > 0 && len(all) <= maxNetworks
}

// addressesOf reads =10.0.0.1, or an expression such as ^10\., ^(10\.1\.|192\.168\.)
// or ^10\.0\.0\.1$.
func addressesOf(pattern string) (all netset, ok bool) {
	if text, equal := strings.CutPrefix(pattern, "="); equal {
		ip, err := netip.ParseAddr(text)
		return netset{netip.PrefixFrom(ip, ip.BitLen())}, err == nil
	}
	text, anchored := strings.CutPrefix(pattern, "^")
	if inside, group := strings.CutPrefix(text, "("); group {
		tail := ""
		inside, tail, anchored = cutLast(strings.TrimPrefix(inside, "?:"), ")")
		text = strings.ReplaceAll(inside, "|", tail+"|") + tail
	} else if strings.Contains(text, "|") {
		text = strings.ReplaceAll(text, "|^", "|")
		anchored = anchored && strings.Count(pattern, "|^") == strings.Count(pattern, "|")
	}
	for one := range strings.SplitSeq(text, "|") {
		if !anchored || !wholeAddress.MatchString(one) && !partAddress.MatchString(one) {
			return nil, false
		}
		set, read := networksOf(strings.TrimSuffix(strings.ReplaceAll(one, `\.`, "."), "$"))
		if !read {
			return nil, false
		}
		all = all.or(set)
	}
	return all, true
}

func cutLast(text, separator string) (before, after string, found bool) {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(separator):], true
}

package model

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// bodiless are the statuses of answers that end with their headers (RFC 9110,
// 6.4.1): a body would be read as the next answer.
var bodiless = []Status{204, 205, 304}

const maxBody = 4096 // bytes of an answer of Envoy's own

// route checks one of a listener's routes; before are those that go before.
func (k *checker) route(r Route, before []Route, pools names) {
	k.action(r)
	k.among(pools, r.field+".pool", "pool", r.Pool)
	k.ranges(r.field, r)
	if !r.Forwards() {
		for _, key := range []string{"rewrite", "sticky", "balance", "on_failure", "upgrades", "timeout"} {
			k.required(join(r.field, key), k.has(join(r.field, key)) && !k.unread(r.field+".pool"), key+" of a path that no node is asked for", "it goes with pool; remove it")
		}
	} else {
		k.toPool(r)
	}
	k.required(r.field+".allow", r.Deny && k.has(r.field+".allow"), "a denied path lets nobody in", "name a pool in the place of deny")
	k.required(r.field+".allow", k.has(r.field+".allow") && len(r.Allow) == 0, "the list lets nobody in", "write deny: true, or remove it")
	if r.Redirect != nil {
		k.elsewhere(r.field+".redirect", r)
	}
	if r.Respond != nil {
		k.respond(r.field+".respond", *r.Respond)
	}
	k.where(r, before)
}

// given names the keys of a row that the route has.
func given(row ...any) (keys []string) {
	for i := 0; i+1 < len(row); i += 2 {
		if row[i+1].(bool) {
			keys = append(keys, row[i].(string))
		}
	}
	return keys
}

// action checks that it says once what becomes of its requests.
func (k *checker) action(r Route) {
	actions := given("deny", r.Deny, "pool", r.Pool != "", "redirect", r.Redirect != nil, "respond", r.Respond != nil)
	switch {
	case len(actions) > 1:
		k.fault(r.field, "both "+actions[0]+" and "+actions[1], "a route sends to a pool, is denied, redirects or responds; remove one")
	case len(actions) == 0 && !k.anyUnread(r.field, "deny", "pool", "redirect", "respond"):
		k.fault(r.field, "neither pool nor deny, redirect or respond", "add pool: NAME, or deny: true")
	}
}

// toPool checks how requests go to their pool.
func (k *checker) toPool(r Route) {
	p := k.poolNamed(r.Pool)
	sticks := len(p.Sticky) > 0 && !r.Sticky.Off()
	switch {
	case r.Balance == "":
	case r.Balance.Hashes():
		k.fault(r.field+".balance", string(r.Balance)+" has nothing to hash on a path alone", "choose round_robin, least_request or random, or give the path a pool of its own")
	case sticks:
		k.fault(r.field+".balance", "a balance of its own for requests that belong to sessions", "add sticky: false, or remove it")
	}
	if k.has(r.field+".on_failure") && !r.made && (!sticks || !p.Named() && p.StatefulSession() == nil) {
		k.fault(r.field+".on_failure", "no session of this path names its node", "remove it")
	}
	for i, u := range r.Upgrades {
		k.token(item(r.field+".upgrades", i), u, "the name of a protocol")
		k.required(item(r.field+".upgrades", i), slices.Contains(r.Upgrades[:i], u), fmt.Sprintf("%.140q stands in the list twice", u), "remove one")
	}
	if r.Rewrite != "" {
		k.rewrite(r.field+".rewrite", r)
	}
}

func (k *checker) rewrite(field string, r Route) {
	switch {
	case r.Regex != "":
		k.groups(field, r.Rewrite, r.Regex)
	case strings.Contains(r.Path+r.Exact+"/", "/*/"):
		k.fault(field, "no fixed text stands in the place of any segment", "write the path as a regex with a group")
	case !strings.HasPrefix(r.Rewrite, "/") || pathForbids.MatchString(r.Rewrite):
		k.fault(field, fmt.Sprintf("%q is not a plain path", r.Rewrite), "it begins with /; no query, no path parameters, no escapes, no blanks")
	}
}

var groupPattern = regexp.MustCompile(`\\.?`)

// groups checks that a text names only groups that the expression has.
func (k *checker) groups(field, text string, of Regex) {
	compiled, err := regexp.Compile(string(of))
	if err != nil {
		return // said before
	}
	for _, g := range groupPattern.FindAllString(text, -1) {
		if n, err := strconv.Atoi(g[1:]); err != nil || n > compiled.NumSubexp() {
			k.fault(field, fmt.Sprintf("%s is no group of the regex", g), fmt.Sprintf(`it has %d: \1 is the first`, compiled.NumSubexp()))
		}
	}
}

// elsewhere checks where a route sends its clients.
func (k *checker) elsewhere(field string, r Route) {
	to := r.Redirect.To
	u, err := url.Parse(to)
	switch {
	case k.anyUnread(field, "to"):
	case to == "":
		k.fault(field+".to", "a redirect to nowhere", "write a URL, or a path on the same host")
	case err != nil, u.Host == "" && !strings.HasPrefix(to, "/"), u.Host != "" && u.Scheme != "http" && u.Scheme != "https", u.User != nil, strings.ContainsAny(to, " \t\r\n%"), strings.HasPrefix(to, "//"):
		k.fault(field+".to", fmt.Sprintf("%.140q is neither a URL nor a path", to), "such as https://www.example.org/new or /new; without escapes and blanks")
	case r.Regex != "" && strings.Contains(to, "?") && strings.Contains(to, `\`):
		k.fault(field+".to", "a group of the regex beside a query", "Envoy puts a path with a query in as it stands; have a node redirect")
	case r.Regex != "":
		k.groups(field+".to", to, r.Regex)
	}
	if s := r.Redirect.Status; !k.unread(field+".status") && !slices.Contains([]Status{301, 302, 303, 307, 308}, s) {
		k.fault(field+".status", fmt.Sprintf("%d sends nobody elsewhere", s), "choose 301, 302, 303, 307 or 308")
	}
}

func (k *checker) respond(field string, r Respond) {
	k.required(field+".status", r.Status == 0 && !k.unread(field), "an answer without a status", "such as {status: 503}")
	k.ranges(field, r)
	k.required(field+".body", len(r.Body) > maxBody, fmt.Sprintf("a text of %d bytes; %d is the most", len(r.Body), maxBody), "longer pages belong to a node")
	k.required(field+".body", strings.Contains(r.Body, "%"), "a percent sign would be read as one of Envoy's variables", "remove it")
	k.required(field+".body", r.Body != "" && slices.Contains(bodiless, r.Status), fmt.Sprintf("an answer of %d has no body", r.Status), "remove it, or choose 200")
	k.required(field+".content_type", k.has(field+".content_type") && r.Body == "", "a content type of nothing", "add body: TEXT, or remove it")
	k.required(field+".content_type", strings.ContainsAny(r.ContentType, "\r\n%"), fmt.Sprintf("%.140q is not a content type", r.ContentType), "such as text/html; charset=utf-8")
}

// where checks the paths, and that the route can be reached.
func (k *checker) where(r Route, before []Route) {
	keys := given("path", r.Path != "", "exact", r.Exact != "", "regex", r.Regex != "")
	switch {
	case len(keys) > 1:
		k.fault(r.field, "both "+keys[0]+" and "+keys[1], "a route has one of path, exact and regex; remove one")
		return
	case len(keys) == 0:
		if !k.anyUnread(r.field, "exact", "regex") {
			k.fault(r.field+".path", "the route has no path", "/ is everything")
		}
		return
	}
	path := r.Path + r.Exact
	if r.Regex != "" || !k.path(join(r.field, keys[0]), path) {
		return
	}
	for _, b := range before {
		if b.Path != "" && covers(b.Path, path) || b.Exact != "" && b.Exact == r.Exact {
			k.fault(join(r.field, keys[0]), fmt.Sprintf("%q is never reached: %q before it covers it", path, b.Path+b.Exact), "the first match wins; move the narrower path up")
			return
		}
	}
}

func (k *checker) path(field, path string) bool {
	switch {
	case !strings.HasPrefix(path, "/"):
		k.fault(field, fmt.Sprintf("%q does not begin with /", path), "")
	case pathForbids.MatchString(path):
		k.fault(field, fmt.Sprintf("%q is not a plain path", path), "no query, no path parameters, no escapes, no blanks")
	case strings.Contains(path, "//") || strings.Contains(path+"/", "/../") || strings.Contains(path+"/", "/./"):
		k.fault(field, fmt.Sprintf("%q never matches", path), "requests are freed of //, /./ and /../ before; write the path without them")
	default:
		return true
	}
	return false
}

// segment is the first of a path.
func segment(path string) string {
	first, _, _ := strings.Cut(strings.Trim(path, "/"), "/")
	return first
}

// covers tells whether all below b is below a, where a segment * is any one.
func covers(a, b string) bool {
	if first := segment(a); first != "" && first != "*" && first != segment(b) {
		return false // most of the pairs of a long list, without cutting all of both
	}
	have, want := strings.Split(strings.Trim(b, "/"), "/"), strings.Split(strings.Trim(a, "/"), "/")
	if want[0] == "" {
		return true // the root
	}
	if len(want) > len(have) || len(want) == len(have) && strings.HasSuffix(a, "/") && !strings.HasSuffix(b, "/") {
		return false // /app/ is not /app
	}
	for i, w := range want {
		if w != "*" && w != have[i] {
			return false
		}
	}
	return true
}

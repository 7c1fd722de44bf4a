package httpd

import (
	"strings"

	"usher/model"
)

// rewriting reads the rules of mod_rewrite that send clients elsewhere, close paths
// or name a node. They go before ProxyPass.
func (t *translation) rewriting(l *listener, s *server) (routes []*route) {
	if engine := s.last("rewriteengine"); engine == nil || !engine.on() {
		return nil // a VirtualHost does not inherit the main server's
	} else {
		engine.say(Carried, "")
	}
	var conditions []*directive
	for _, d := range s.those("rewritecond", "rewriterule") {
		if d.is("rewritecond") {
			conditions = append(conditions, d)
			continue
		}
		if r := t.rewriteRule(l, s, d, conditions); r != nil {
			routes = append(routes, r)
		}
		conditions = nil
	}
	return routes
}

// rewriteRule is the route of one rule, nil where there is none.
func (t *translation) rewriteRule(l *listener, s *server, d *directive, conditions []*directive) *route {
	flags := rewriteFlags(d.arg(2))
	switch holds := t.hold(l, conditions); holds {
	case never:
		d.say(NotNeeded, "its conditions never hold on this listener")
		return nil
	case upgrading:
		t.upgrades = append(t.upgrades, d)
		return nil
	case unknown:
		d.say(NotCarried, "usher decides by path and host alone: write routes or listeners for what the conditions tell apart")
		return nil
	case always:
	}
	pattern, not := strings.CutPrefix(d.arg(0), "!")
	if not {
		d.say(NotCarried, "what does not match an expression is no path: order the routes, the first match wins")
		return nil
	}
	to := d.arg(1)
	if rest, ok := onEverything(pattern, to); ok {
		return t.does(s, at("/", d), rest, flags)
	}
	if _, nocase := flags["nc"]; nocase {
		pattern = "(?i)" + pattern
	}
	r := t.matching(d, pattern)
	if r == nil {
		return nil
	}
	return t.does(s, r, to, flags)
}

// wholes are expressions that all paths match, and what stands for the path in the
// text that takes its place.
var wholes = map[string]string{
	"": "%{REQUEST_URI}", "^": "%{REQUEST_URI}", "^/": "%{REQUEST_URI}", "/": "%{REQUEST_URI}", ".": "%{REQUEST_URI}", ".*": "%{REQUEST_URI}", "^.*": "%{REQUEST_URI}",
	".*$": "%{REQUEST_URI}", "^.*$": "%{REQUEST_URI}", "/.*": "%{REQUEST_URI}", "^/.*": "%{REQUEST_URI}", "^/.*$": "%{REQUEST_URI}",
	"/(.*)": "/$1", "^/(.*)": "/$1", "^/(.*)$": "/$1", "^/?(.*)": "/$1", "^/?(.*)$": "/$1", "/(.*)$": "/$1",
	"(.*)": "$1", "^(.*)": "$1", "^(.*)$": "$1", "(.*)$": "$1", "^(/.*)$": "$1", "(/.*)": "$1",
}

// onEverything is what stands before the path in a rule for all paths that keeps
// them: it is a prefix then, and what usher adds to it is the path.
func onEverything(pattern, to string) (before string, ok bool) {
	path, ok := wholes[pattern]
	if !ok {
		return "", false
	}
	to = strings.TrimSuffix(strings.TrimSuffix(to, "?%{QUERY_STRING}"), "?")
	for _, p := range []string{path, "%{REQUEST_URI}"} {
		if before, ok := strings.CutSuffix(to, p); ok && !strings.ContainsAny(before, "$") {
			return before + "/", true
		}
	}
	return "", false
}

// does is what becomes of the requests of a rule.
func (t *translation) does(s *server, r *route, to string, flags map[string]string) *route {
	d := r.from
	if _, ok := flags["f"]; ok {
		r.Deny, r.verdict, r.note = true, Approximated, "with 404 in the place of 403"
		return r
	}
	if _, ok := flags["g"]; ok {
		r.Respond = &model.Respond{Status: 410}
		return r
	}
	if status, ok := flags["r"]; ok || strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") {
		if _, proxied := flags["p"]; !proxied {
			return t.sends(r, to, status)
		}
	}
	if _, ok := flags["p"]; ok {
		t.forward(s, r, strings.TrimSuffix(to, "?"), nil)
		return r
	}
	if to == "-" && strings.Contains(d.arg(0), "well-known/acme-challenge") {
		d.say(NotNeeded, "usher answers the challenges of ACME directories before it looks at routes")
		return nil
	}
	d.say(NotCarried, "usher's routes rewrite on the way to a node: {regex: …, rewrite: …, pool: …}")
	return nil
}

// sends is a rule with [R].
func (t *translation) sends(r *route, to, status string) *route {
	code, ok := redirectStatus(status)
	if !ok {
		code = 302
	}
	if code < 300 || code > 399 {
		r.Respond = &model.Respond{Status: model.Status(code)}
		return r
	}
	if strings.Contains(to, "%1") || strings.Contains(to, "%2") {
		r.from.say(NotCarried, "usher knows no groups of conditions: write a redirect by hand")
		return nil
	}
	to = strings.TrimSuffix(to, "?")
	if r = r.goes(to, code); r != nil && strings.Contains(to, "?") && strings.Contains(strings.ToUpper(r.from.arg(2)), "QSA") {
		r.verdict, r.note = Approximated, "without the client's query"
	}
	return r
}

// rewriteFlags are those in brackets, by their short names.
func rewriteFlags(text string) map[string]string {
	flags := map[string]string{}
	for flag := range strings.SplitSeq(strings.Trim(text, "[] "), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(flag), "=")
		name = strings.ToLower(name)
		if short, ok := longFlags[name]; ok {
			name = short
		}
		flags[name] = value
	}
	return flags
}

var longFlags = map[string]string{"redirect": "r", "forbidden": "f", "gone": "g", "proxy": "p", "nocase": "nc", "last": "l", "passthrough": "pt", "ornext": "or"}

// webSockets says what became of the rules for WebSockets: every route lets them
// through, to its own pool.
func (t *translation) webSockets() {
	for _, d := range t.upgrades {
		u := targetOf(d.arg(1))
		known := u.scheme == "balancer"
		for _, p := range t.pools {
			known = known || p.has(u.address())
		}
		if known {
			d.say(Carried, "every route lets WebSockets through (upgrades)")
			continue
		}
		d.say(NotCarried, "usher decides by path, not by header: write a route for the path of the WebSockets, and a pool for "+u.address().String())
	}
}

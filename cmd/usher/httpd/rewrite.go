package httpd

import (
	"fmt"
	"slices"
	"strings"

	"usher/model"
)

// rewriting reads the rules of mod_rewrite that send clients elsewhere, close paths
// or name a node. They go before ProxyPass.
func (t *translation) rewriting(l *listener, s *server) (routes []*route) {
	engine := s.lastOf("rewriteengine")
	on := engine != nil && engine.on()
	if on {
		engine.say(Carried, "")
	}
	var conditions []*directive
	for _, d := range s.rewriteRules() {
		switch {
		case !on:
			d.say(NotNeeded, "RewriteEngine is not on")
			continue
		case d.is("rewritecond"):
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

// rewriteRules are the server's own. A VirtualHost has the main server's as well
// where RewriteOptions says so (config_server_merge).
func (s *server) rewriteRules() []*directive {
	own := s.those("rewritecond", "rewriterule")
	if s.main == nil {
		return own
	}
	main := s.main.those("rewritecond", "rewriterule")
	switch {
	case s.rewriteOption("inherit") || s.main.rewriteOption("inheritdown"):
		return append(own, main...)
	case s.rewriteOption("inheritbefore") || s.main.rewriteOption("inheritdownbefore"):
		return append(main, own...)
	}
	for _, d := range main {
		if !d.said() {
			d.say(NotNeeded, "VirtualHosts inherit no rules unless RewriteOptions says so")
		}
	}
	return own
}

func (s *server) rewriteOption(name string) bool {
	return slices.ContainsFunc(s.those("rewriteoptions"), func(d *directive) bool {
		return slices.ContainsFunc(d.args, func(w string) bool { return strings.EqualFold(w, name) })
	})
}

// rewriteRule is the route of one rule, nil where there is none.
func (t *translation) rewriteRule(l *listener, s *server, d *directive, conditions []*directive) *route {
	flags := rewriteFlags(d.arg(2))
	switch holds := t.hold(l, conditions); holds {
	case never:
		d.say(NotNeeded, "its conditions never hold on this listener")
		return nil
	case upgrading:
		if refuses(flags) {
			d.say(NotCarried, "every route lets WebSockets through: write upgrades: [] into those that should not")
			return nil
		}
		t.upgrades = append(t.upgrades, d)
		return nil
	case unknown:
		l.refused(d, flags, conditions, "usher decides by path and host alone: write routes or listeners for what the conditions tell apart")
		return nil
	case always:
	}
	for _, f := range []string{"c", "s", "n"} {
		if _, chained := flags[f]; chained {
			l.refused(d, flags, nil, "rules that skip or chain others have no equal: write the routes that they come to")
			return nil
		}
	}
	pattern, not := strings.CutPrefix(d.arg(0), "!")
	if not {
		l.refused(d, flags, nil, "what does not match an expression is no path: order the routes, the first match wins")
		return nil
	}
	if _, ok := wholePath(pattern); !ok && refuses(flags) {
		l.refused(d, flags, nil, fmt.Sprintf("%q is no expression of RE2, which has no look-around and no back references: write a route with another one", pattern))
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
	_, sets := flags["e"]
	switch {
	case to == "-" && strings.Contains(d.arg(0), "well-known/acme-challenge"):
		d.say(NotNeeded, "usher answers the challenges of ACME directories before it looks at routes")
		return nil
	case to == "-" && sets:
		d.say(NotNeeded, "it sets variables that nothing of usher's reads")
		return nil
	case to == "-":
		d.say(NotCarried, "the rules after it are for these paths, too: write a route for them before")
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

var longFlags = map[string]string{"redirect": "r", "forbidden": "f", "gone": "g", "proxy": "p", "nocase": "nc", "last": "l", "passthrough": "pt", "ornext": "or", "env": "e", "chain": "c", "skip": "s", "next": "n"}

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

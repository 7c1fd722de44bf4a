package model

import (
	"fmt"
	"slices"
	"strings"
)

// stickyField is where one of the ways stands: in a list, or by itself.
func (c *Cluster) stickyField(field string, i int) string {
	if c.has(item(field, 0)) {
		return item(field, i)
	}
	return field
}

func (k *checker) sticky(field string, p Pool) {
	path := field + ".sticky"
	named, hashed, stateful := 0, 0, 0
	for i, s := range p.Sticky {
		at := k.stickyField(path, i)
		k.way(at, s)
		switch {
		case s.Names():
			named++
		case s.Hashes():
			hashed++
		case s.StatefulSession != nil:
			stateful++
		}
		if slices.ContainsFunc(p.Sticky[:i], func(o Sticky) bool { return slices.Equal(o.ways(), s.ways()) && o.name() == s.name() }) {
			k.fault(at, "the way stands in the list twice", "remove one")
		}
		if s.RouteCookie != nil && slices.ContainsFunc(p.Sticky[:i], func(o Sticky) bool { return o.RouteCookie != nil }) {
			k.fault(at, "a second cookie that names the node", "one is enough; remove the other")
		}
	}
	switch {
	case named > 0 && hashed > 0, stateful > 0 && named+hashed > 0, stateful > 1:
		k.fault(path, "ways that do not go together", "jvm_route, path_parameter and route_cookie name the node and may be one list; cookie, header, query and source_ip are hashed and may be another; stateful_session stands alone")
	case k.has(path) && len(p.Sticky) == 0:
		k.fault(path, "the list is empty", "leave sticky out where nothing keeps a session on its node")
	default:
		k.pairing(field, p)
	}
}

// name is what the way is called by.
func (s Sticky) name() string {
	switch {
	case s.Cookie != nil:
		return s.Cookie.Name
	case s.RouteCookie != nil:
		return s.RouteCookie.Name
	case s.StatefulSession != nil:
		return s.StatefulSession.Name
	case s.JVMRoute != "":
		return s.JVMRoute
	}
	return s.PathParameter + s.Header + s.Query
}

// way checks one of them.
func (k *checker) way(field string, s Sticky) {
	ways := s.ways()
	if len(ways) != 1 {
		if !k.anyUnread(field, "jvm_route", "path_parameter", "route_cookie", "cookie", "header", "query", "source_ip", "stateful_session") {
			k.fault(field, "exactly one way belongs here: jvm_route, path_parameter, route_cookie, cookie, header, query, source_ip or stateful_session",
				"jvm_route: JSESSIONID follows the servlet container's own cookie")
		}
		return
	}
	if s.JVMRoute == "" && s.PathParameter == "" {
		k.required(field+".separator", k.has(field+".separator"), "nothing here has a separator", "it goes with jvm_route or path_parameter")
	}
	k.required(field+".session_path", k.has(field+".session_path") && s.JVMRoute == "", "nothing here begins a session by its own cookie", "it goes with jvm_route")
	switch ways[0] {
	case "jvm_route", "path_parameter":
		if s.SessionPath != "" && s.SessionPath != NoText {
			k.path(field+".session_path", s.SessionPath)
		}
		k.required(field+".separator", s.Separator != NoText && !strings.Contains(separators, s.Separator), fmt.Sprintf("%.40q is no separator", s.Separator), "one of "+separators+" or off, which takes the whole value")
		if s.JVMRoute != "" {
			k.cookieName(field+".jvm_route", s.JVMRoute)
		}
		if s.PathParameter != NoText && k.has(field+".path_parameter") {
			k.token(field+".path_parameter", s.PathParameter, "the name of a path parameter")
		}
	case "route_cookie":
		k.routeCookie(field+".route_cookie", *s.RouteCookie)
	case "cookie":
		k.cookie(field+".cookie", *s.Cookie)
	case "stateful_session":
		k.cookie(field+".stateful_session", *s.StatefulSession)
	case "header":
		k.token(field+".header", s.Header, "the name of a header")
		k.required(field+".header", strings.Contains(s.Header, "_"), "headers with underscores are dropped: they pass for those with hyphens", "name one without")
	case "query":
		k.token(field+".query", s.Query, "the name of a parameter")
	}
}

func (k *checker) routeCookie(field string, c RouteCookie) {
	k.cookieName(field+".name", c.Name)
	k.ranges(field, c)
	if d := strings.TrimPrefix(c.Domain, "."); c.Domain != "" && !hostPattern.MatchString(strings.ToLower(d)) {
		k.fault(field+".domain", fmt.Sprintf("%.140q is not a domain", c.Domain), "such as example.org")
	}
}

func (k *checker) cookie(field string, c Cookie) {
	k.cookieName(field+".name", c.Name)
	k.ranges(field, c)
}

// pairing checks that the balance goes with what is sticky.
func (k *checker) pairing(field string, p Pool) {
	if len(p.Sticky) == 0 {
		if p.Balance.Hashes() {
			k.fault(field+".balance", string(p.Balance)+" has nothing to hash", "add sticky: {cookie: {name: ROUTE}}, or choose round_robin")
		}
		return
	}
	ways := p.Sticky[0].ways()
	if len(ways) != 1 {
		return // said before
	}
	way := "sticky." + ways[0]
	switch hashed := p.Sticky[0].Hashes(); {
	case hashed && !p.Balance.Hashes():
		k.fault(field+".balance", string(p.Balance)+" does not go with "+way, "leave balance out, or choose ring_hash or maglev")
	case !hashed && p.Balance.Hashes():
		k.fault(field+".balance", string(p.Balance)+" does not go with "+way, "the session names its node; choose round_robin, least_request or random for new ones")
	}
}

// separators are the marks of a cookie's value (RFC 6265, 4.1.1) that may stand
// before a node's name.
const separators = ".!#$%&'*+-/:<=>?@[]^_`{|}~"

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// tokenMarks are the marks that RFC 9110, 5.6.2 allows in a token beside letters
// and digits.
const tokenMarks = "!#$%&'*+-.^_`|~" //nolint:gosec // no credential

// isToken tells whether a text is a token of RFC 9110, 5.6.2.
func isToken(s string) bool {
	return s != "" && len(s) <= maxName && strings.TrimLeft(s, letters+tokenMarks) == ""
}

func (k *checker) token(field, s, what string) {
	k.required(field, !isToken(s), fmt.Sprintf("%.140q is not %s", s, what), "letters, digits and -_. will do")
}

// cookieName checks a cookie's name (RFC 6265, 4.1.1).
func (k *checker) cookieName(field, name string) { k.token(field, name, "the name of a cookie") }

// anyUnread tells whether one of the keys has been reported.
func (k *checker) anyUnread(field string, keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return k.unread(join(field, key)) })
}

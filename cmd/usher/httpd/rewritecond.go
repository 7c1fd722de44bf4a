package httpd

import (
	"fmt"
	"strings"
)

// holding is what is known of conditions when the file is read.
type holding int

const (
	always holding = iota
	never
	upgrading // for connections that turn into WebSockets
	unknown
)

// hold is what the RewriteConds before a rule come to on a listener.
func (t *translation) hold(l *listener, conditions []*directive) holding {
	result, or := always, false
	for _, c := range conditions {
		h := condition(l, c)
		_, or = rewriteFlags(c.arg(2))["or"]
		switch {
		case h == unknown || or && h != always:
			c.say(NotCarried, "usher decides by path and host alone")
			result = unknown
		case h == never && result != unknown:
			c.say(NotNeeded, "it never holds on this listener")
			result = never
		case h == upgrading && result == always:
			c.say(NotNeeded, "every route lets WebSockets through (upgrades)")
			result = upgrading
		default:
			c.say(NotNeeded, "it holds for every request of this listener")
		}
	}
	return result
}

// condition is what one comes to.
func condition(l *listener, c *directive) holding {
	test := c.arg(0)
	pattern, not := strings.CutPrefix(c.arg(1), "!")
	pattern = strings.ToLower(strings.Trim(strings.TrimPrefix(pattern, "="), "^$"))
	is := func(yes bool) holding {
		if yes != not {
			return always
		}
		return never
	}
	switch strings.ToUpper(test) {
	case "%{HTTPS}":
		return is((pattern == "on") == (l.TLS != nil))
	case "%{REQUEST_SCHEME}":
		return is((pattern == "https") == (l.TLS != nil))
	case "%{SERVER_PORT}":
		return is(pattern == fmt.Sprint(l.Address.Port))
	case "%{REQUEST_URI}", "%{THE_REQUEST}":
		if not && strings.Contains(pattern, "well-known/acme-challenge") || strings.Contains(pattern, `\.well-known`) && not {
			return always
		}
	case "%{HTTP:UPGRADE}":
		if strings.Contains(pattern, "websocket") {
			return upgrading
		}
	case "%{HTTP:CONNECTION}":
		if strings.Contains(pattern, "upgrade") {
			return upgrading
		}
	case "%{HTTP_HOST}":
		return host(l, pattern, not)
	}
	return unknown
}

// host is what a condition on the name comes to.
func host(l *listener, pattern string, not bool) holding {
	name := strings.ReplaceAll(pattern, `\`, "")
	if len(l.Hosts) == 1 && l.Hosts[0] == name && !not {
		return always
	}
	return unknown
}

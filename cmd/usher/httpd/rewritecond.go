package httpd

import (
	"fmt"
	"regexp"
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
	result := always
	for _, c := range conditions {
		h, note := condition(l, c)
		if _, or := rewriteFlags(c.arg(2))["or"]; h == unknown || or && h != always {
			c.say(NotCarried, "usher decides by path and host alone")
			result = unknown
			continue
		}
		c.say(NotNeeded, note)
		if result != unknown && (h == never || result == always) {
			result = h
		}
	}
	return result
}

const (
	holds      = "it holds for every request of this listener"
	neverHolds = "it never holds on this listener"
	passes     = "every route lets WebSockets through (upgrades)"
)

// condition is what one comes to, and why.
func condition(l *listener, c *directive) (holding, string) {
	scheme, https := "http", "off"
	if l.TLS != nil {
		scheme, https = "https", "on"
	}
	pattern := strings.ToLower(c.arg(1))
	switch strings.ToUpper(c.arg(0)) {
	case "%{HTTPS}":
		return compared(https, c)
	case "%{REQUEST_SCHEME}":
		return compared(scheme, c)
	case "%{SERVER_PORT}":
		return compared(fmt.Sprint(l.Address.Port), c)
	case "%{HTTP_HOST}":
		if len(l.Hosts) == 1 && !strings.HasPrefix(l.Hosts[0], "*") {
			return compared(l.Hosts[0], c)
		}
	case "%{REQUEST_URI}", "%{THE_REQUEST}":
		if strings.HasPrefix(pattern, "!") && strings.Contains(pattern, "well-known") {
			return always, "usher answers the challenges of ACME directories before it looks at routes; nothing else is left out"
		}
	case "%{HTTP:UPGRADE}", "%{HTTP:CONNECTION}":
		if strings.Contains(pattern, "websocket") || strings.Contains(pattern, "upgrade") {
			return upgrading, passes
		}
	}
	return unknown, ""
}

// compared is what a condition on a known text comes to: an expression, or =TEXT.
func compared(text string, c *directive) (holding, string) {
	pattern, not := strings.CutPrefix(c.arg(1), "!")
	equal, isText := strings.CutPrefix(pattern, "=")
	result := strings.EqualFold(text, strings.Trim(equal, `"`))
	if !isText {
		re, err := regexp.Compile("(?i)" + pattern)
		if err != nil || strings.HasPrefix(pattern, "-") || strings.HasPrefix(pattern, "<") || strings.HasPrefix(pattern, ">") {
			return unknown, ""
		}
		result = re.MatchString(text)
	}
	if result != not {
		return always, holds
	}
	return never, neverHolds
}

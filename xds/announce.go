package xds

import (
	"fmt"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	h2mv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"

	"usher/model"
)

// The balancer's cookie that names a node. Every endpoint carries the whole
// Set-Cookie of its own name, and an answer takes it from there: a header whose
// value turns out empty is left out, which is how one is set only when it
// changes. CEL has no way to put texts together in Envoy, and costs a request
// 8 % of its instructions (Lua: 19 %).

// announce is when an answer names its node.
type announce int

const (
	announceNever       announce = iota
	announceAlways               // the request brings no such cookie, or another one
	announceUnlessAsked          // the cookie names the seat's node
	announceUnlessHeld           // the filter has read the cookie
)

const (
	setKey       = "set_cookie"
	setSecureKey = "set_cookie_secure" // towards clients that come by TLS
	heldKey      = "held"
)

// held notes what the cookie of a request names.
func held(c model.RouteCookie) *h2mv3.Config_Rule {
	return routeSource(c).first(usherNamespace, heldKey)
}

// setCookie is the header of an answer from the seat.
func (s seat) setCookie(secure bool) []*corev3.HeaderValueOption {
	key := setKey
	if secure {
		key = setSecureKey
	}
	const node = "xds.upstream_host_metadata.filter_metadata['usher']"
	value := ""
	switch s.announce {
	case announceNever:
		return nil
	case announceAlways:
		value = "%UPSTREAM_METADATA(" + usherNamespace + ":" + key + ")%"
	case announceUnlessAsked:
		value = fmt.Sprintf("%%CEL(%s['%s'] == '%s' ? '' : %s['%s'])%%", node, nodeKey, s.asked, node, key)
	case announceUnlessHeld:
		const held = "metadata.filter_metadata['usher']"
		value = fmt.Sprintf("%%CEL('usher' in metadata.filter_metadata && '%s' in %s && %s['%s'] == %s['%s'] ? '' : %s['%s'])%%",
			heldKey, held, held, heldKey, node, nodeKey, node, key)
	}
	return []*corev3.HeaderValueOption{{
		Header:       &corev3.HeaderValue{Key: "set-cookie", Value: value},
		AppendAction: corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD,
	}}
}

// routeCookie is the cookie that names a node. Browsers take SameSite=None with
// Secure only.
func routeCookie(c model.RouteCookie, node string, secure bool) string {
	text := c.Name + "=" + model.DefaultSeparator + node + "; Path=/; HttpOnly"
	if c.Domain != "" {
		text += "; Domain=" + c.Domain
	}
	if c.TTL > 0 {
		text += fmt.Sprintf("; Max-Age=%d", c.TTL.Std()/time.Second)
	}
	if secure {
		text += "; Secure"
	}
	if secure || c.SameSite != model.SameSiteNone {
		text += "; SameSite=" + strings.ToUpper(string(c.SameSite[:1])) + string(c.SameSite[1:])
	}
	return text
}

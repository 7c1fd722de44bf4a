package httpd

import (
	"strings"

	"usher/model"
)

// target is a URL of ProxyPass or BalancerMember.
type target struct {
	scheme string // in lower case; "" where it is no URL
	host   string // in lower case; of a balancer its name
	port   uint16 // that of the scheme where the URL has none
	path   string // as it is written, empty or from / on
}

// ports of the schemes that nodes are asked by, and of those that Envoy does not
// speak.
var ports = map[string]uint16{"http": 80, "ws": 80, "h2c": 80, "https": 443, "wss": 443, "h2": 443, "ajp": 8009}

// targetOf reads a URL. What stands in a unix: URL before the | is no host, and
// whatever speaks over it is no node of usher's.
func targetOf(url string) target {
	if strings.HasPrefix(strings.ToLower(url), "unix:") {
		return target{scheme: "unix"}
	}
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return target{}
	}
	u := target{scheme: strings.ToLower(scheme)}
	if at := strings.IndexAny(rest, "/$?"); at >= 0 {
		rest, u.path = rest[:at], rest[at:]
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	u.host, u.port = cutPort(strings.ToLower(rest))
	if u.port == 0 {
		u.port = ports[u.scheme]
	}
	return u
}

// address is the node's.
func (u target) address() model.Address { return model.Address{Host: u.host, Port: u.port} }

// tls tells whether the scheme has it.
func (u target) tls() bool { return u.scheme == "https" || u.scheme == "wss" || u.scheme == "h2" }

// protocol is what nodes of the scheme speak.
func (u target) protocol() model.Protocol {
	if u.scheme == "h2" || u.scheme == "h2c" {
		return model.HTTP2
	}
	return ""
}

// foreign is what to do instead of a target that Envoy can't ask; empty where it
// can.
func (u target) foreign() string {
	switch u.scheme {
	case "http", "https", "ws", "wss", "h2", "h2c":
		if !isHost(u.host) || u.port == 0 {
			return "the URL has no host that could be asked"
		}
		return ""
	case "balancer":
		return ""
	case "ajp":
		return "Envoy does not speak AJP: name the port of the node's HTTP connector, which in Tomcat is another <Connector>"
	case "fcgi", "scgi", "uwsgi":
		return "Envoy speaks HTTP to nodes: put a web server that speaks " + u.scheme + " beside the application, and name that"
	case "unix", "fd":
		return "usher reaches nodes by TCP: let the application listen on a port"
	case "":
		return "it is no URL"
	}
	return "Envoy does not speak " + u.scheme + " to nodes"
}

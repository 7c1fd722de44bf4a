package httpd

import (
	"fmt"
	"slices"
	"strings"
)

// listen is an address that httpd listens on, in a Listen, or implied by a
// VirtualHost where no Listen was read.
type listen struct {
	*directive
	host  string // an IP address; empty is any
	port  uint16
	https bool // the protocol that the Listen names, or port 443
}

// listens are all addresses, each once.
func (t *translation) listens() (all []listen) {
	for _, d := range t.root.those("listen") {
		host, port := cutPort(d.arg(0))
		if !strings.Contains(d.arg(0), ":") {
			host, port = cutPort(":" + d.arg(0))
		}
		if port == 0 {
			d.say(NotCarried, fmt.Sprintf("%q has no port: write the address of a listener by hand", d.arg(0)))
			continue
		}
		l := listen{directive: d, host: t.hostOf(d, host), port: port, https: strings.EqualFold(d.arg(1), "https") || d.arg(1) == "" && port == 443}
		all = addListen(all, l)
	}
	if len(all) > 0 {
		return all
	}
	return t.implied()
}

// hostOf is the IP address of a Listen, empty for any.
func (t *translation) hostOf(d *directive, host string) string {
	switch {
	case host == "*", host == "0.0.0.0" && t.listensOn("::"):
		return ""
	case host == "::":
		return ""
	case host == "", isIP(host):
		return host
	case host == "localhost":
		return "127.0.0.1"
	}
	d.say(Approximated, fmt.Sprintf("%s is a name, where usher wants an IP address: it listens on all of them", host))
	return ""
}

// listensOn tells whether a Listen names the host.
func (t *translation) listensOn(host string) bool {
	return slices.ContainsFunc(t.root.those("listen"), func(d *directive) bool {
		h, _ := cutPort(d.arg(0))
		return h == host && strings.Contains(d.arg(0), ":")
	})
}

// addListen leaves out what another address covers. Beside all of one kind there is
// no place for one of the other, and all of both are taken.
func addListen(all []listen, l listen) []listen {
	for i, have := range all {
		if have.port != l.port {
			continue
		}
		switch {
		case have.host == "" || have.host == l.host:
		case l.host == "" || l.host == "0.0.0.0" && isIPv4(have.host):
			all[i], l, have = l, have, l
		case have.host == "0.0.0.0" && isIPv4(l.host):
		case have.host == "0.0.0.0" || l.host == "0.0.0.0":
			all[i].host = ""
			have.say(Approximated, "on all addresses, of IPv6 as well")
		default:
			continue
		}
		l.say(Carried, fmt.Sprintf("by the listener of %s, which covers the address", have.brief()))
		return covered(all, i)
	}
	return append(all, l)
}

// covered leaves out what the address at one place has come to cover.
func covered(all []listen, i int) []listen {
	wide := all[i]
	if wide.host != "" && wide.host != "0.0.0.0" {
		return all
	}
	return slices.DeleteFunc(all, func(l listen) bool {
		return l.port == wide.port && l.host != wide.host && (wide.host == "" || isIPv4(l.host))
	})
}

func isIPv4(host string) bool { return isIP(host) && !strings.Contains(host, ":") }

// implied are the addresses of the VirtualHosts, for a site that was given without
// the rest; port 80 where a balancer stands by itself.
func (t *translation) implied() (all []listen) {
	for _, s := range t.hosts {
		for _, b := range s.at {
			port := b.port
			if port == 0 {
				port = t.likelyPort(s)
			}
			if !slices.ContainsFunc(all, func(l listen) bool { return l.port == port }) {
				all = append(all, listen{directive: s.directive, port: port, https: port == 443})
			}
		}
	}
	if len(all) > 0 || !t.main.proxies() {
		return all
	}
	port := t.likelyPort(t.main)
	t.root.rows = append(t.root.rows, Row{t.root.body[0].file, t.root.body[0].line, "", Warning, fmt.Sprintf("no Listen was read; port %d was taken", port)})
	return []listen{{directive: &directive{}, port: port, https: port == 443}}
}

func (t *translation) likelyPort(s *server) uint16 {
	if d := s.lastOf("sslengine"); d != nil && d.on() {
		return 443
	}
	return 80
}

// taken says that the Listen became the address of listeners.
func (l listen) taken() {
	if l.is("listen") && !l.said() {
		l.say(Carried, "")
	}
}

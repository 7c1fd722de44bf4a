package httpd

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// server is the main server, or a VirtualHost.
type server struct {
	*directive         // its section; the main server's is all that was read
	main       *server // nil for the main server itself
	at         []binding
	names      []string // ServerName first, then ServerAlias
	served     bool     // a Listen leads to it
}

// binding is an address of a VirtualHost. Empty parts stand for any.
type binding struct {
	host string
	port uint16
}

// servers finds the main server and its VirtualHosts.
func (t *translation) servers() {
	t.main = &server{directive: t.root}
	t.main.name(t.main.directive)
	for _, d := range t.root.those("virtualhost") {
		s := &server{directive: d, main: t.main}
		for _, a := range d.args {
			s.at = append(s.at, bindingOf(d, a))
		}
		s.name(d)
		t.hosts = append(t.hosts, s)
	}
}

// bindingOf reads *:443, _default_:443, 192.0.2.1, [::1]:443 or *.
func bindingOf(d *directive, text string) binding {
	host, port := cutPort(text)
	if host == "*" || strings.EqualFold(host, "_default_") {
		host = ""
	}
	if host != "" && !isIP(host) {
		d.sayOf(d.brief(), Approximated, fmt.Sprintf("%s is a name, where usher wants an IP address: all addresses of its Listen serve it", host))
		host = ""
	}
	return binding{host, port}
}

// cutPort parts HOST:PORT; the port is 0 where there is none, or one that is none.
func cutPort(text string) (host string, port uint16) {
	at := strings.LastIndexByte(text, ':')
	if at < 0 || strings.HasSuffix(text, "]") {
		return strings.Trim(text, "[]"), 0
	}
	n, _ := strconv.ParseUint(text[at+1:], 10, 16) // * is any port, 0
	return strings.Trim(text[:at], "[]"), uint16(n)
}

func isIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// hostPattern is what model takes for a host name, in lower case.
var hostPattern = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$`)

// isHost tells whether a text is a host name or an IP address.
func isHost(s string) bool {
	return len(s) <= 253 && hostPattern.MatchString(s) || isIP(strings.Trim(s, "[]"))
}

// name reads what the server is called.
func (s *server) name(d *directive) {
	names := d.those("servername")
	for i, n := range names {
		if i < len(names)-1 {
			n.say(NotNeeded, "a later ServerName takes its place")
			continue
		}
		_, name, found := strings.Cut(n.arg(0), "://")
		if !found {
			name = n.arg(0)
		}
		name, port := cutPort(name)
		note := ""
		if port != 0 {
			note = "without the port, which usher ignores in a Host header"
		}
		s.called(n, name, note)
	}
	for _, a := range d.those("serveralias") {
		for _, name := range a.args {
			s.called(a, name, "")
		}
		if !a.said() {
			a.say(Carried, "")
		}
	}
}

// called adds a name that a directive has.
func (s *server) called(d *directive, name, note string) {
	name = strings.ToLower(name)
	switch {
	case name != "*" && !isHost(strings.TrimPrefix(name, "*.")):
		d.sayOf(d.name+" "+name, NotCarried, "usher knows host names, * and *.NAME: name each host that is meant; until then the first VirtualHost of the address answers, by its own rules")
		return
	case slices.Contains(s.names, name):
		return
	}
	if d.is("servername") {
		d.say(Carried, note)
	}
	s.names = append(s.names, name)
}

// lastOf is the directive that counts: the server's own, or else the main one's.
func (s *server) lastOf(keys ...string) *directive {
	if d := s.last(keys...); d != nil || s.main == nil {
		return d
	}
	return s.main.last(keys...)
}

// nearest are the server's own directives, or else the main one's.
func (s *server) nearest(keys ...string) []*directive {
	if all := s.those(keys...); len(all) > 0 || s.main == nil {
		return all
	}
	return s.main.those(keys...)
}

// both are the main server's directives and then the own ones, for those that add
// up.
func (s *server) both(keys ...string) []*directive {
	if s.main == nil {
		return s.those(keys...)
	}
	return append(s.main.those(keys...), s.those(keys...)...)
}

// firstName is what the server is called where one name stands for all.
func (s *server) firstName() string {
	for _, n := range s.names {
		if !strings.HasPrefix(n, "*") {
			return n
		}
	}
	return ""
}

package httpd

import (
	"fmt"
	"slices"
	"strings"

	"usher/model"
)

// listener is one of the file, in the making.
type listener struct {
	model.Listener
	from         *server
	routes       []*route
	certificates []*certificate
	notes        map[string]string // comments behind keys
	lost         []string          // comments on what was not carried
	requires     bool              // a certificate, of everybody
	refusals     []*refusal
	unbelieved   netset // proxies in front that do not tell who the client is
}

// hostsOf gives a listener the names of its server. The first server of an address
// has all other names, too, if none says so of itself; a later one only names that no
// earlier one has, and false is said where there is none.
func (t *translation) hostsOf(l *listener, s *server, others bool, before []*listener) bool {
	for _, name := range s.names {
		if other := hasHost(before, name); other != nil {
			s.sayOf(s.brief()+" "+name, NotNeeded, fmt.Sprintf("never served: the VirtualHost in %s has the name already", other.from.place))
			continue
		}
		if wider := hasWider(before, name); wider != nil {
			s.sayOf(s.brief()+" "+name, Approximated, fmt.Sprintf("served here, by the more exact name; in httpd the VirtualHost in %s takes it", wider.from.place))
		}
		l.Hosts = append(l.Hosts, name)
	}
	if others && len(l.Hosts) > 0 && !slices.Contains(l.Hosts, "*") {
		l.Hosts = append(l.Hosts, "*")
		l.notes["hosts"] = `"*": the first VirtualHost has all other names`
	}
	if len(before) > 0 && len(l.Hosts) == 0 {
		s.say(NotNeeded, "it is never served: another VirtualHost of the address goes first, and it has no name of its own")
		s.idle = &idle{NotNeeded, "its VirtualHost is never served"}
		return false
	}
	if s.main != nil {
		s.say(Carried, "")
	}
	return true
}

// hasHost finds the listener that has a name. One without any has all.
func hasHost(ls []*listener, name string) *listener {
	for _, l := range ls {
		if slices.Contains(l.Hosts, name) || name == "*" && len(l.Hosts) == 0 {
			return l
		}
	}
	return nil
}

// hasWider finds a listener with a pattern that a name fits.
func hasWider(ls []*listener, name string) *listener {
	for _, l := range ls {
		for _, h := range l.from.names {
			if suffix, wild := strings.CutPrefix(h, "*"); wild && strings.HasSuffix(name, suffix) {
				return l
			}
		}
	}
	return nil
}

// fill gives a listener all that its server says beside its names and keys.
func (t *translation) fill(l *listener, s *server) {
	t.proxiesBefore(l, s)
	t.logged(l, s)
	l.routes = t.routes(l, s)
	t.asked(l, s)
	t.headers(l, s)
	if p := t.managedHTTPS(l); l.TLS == nil && p != nil {
		for _, r := range l.routes {
			if r.from.parent == s.directive && len(s.at) < 2 {
				r.from.amend(r.from.brief(), NotNeeded, "everybody is sent to HTTPS before")
			}
		}
		l.secure(&secure{"", 443}, p.require)
		return
	}
	if len(l.routes) > 0 && l.routes[0].secure != nil && l.routes[0].everything() && l.TLS == nil && l.ownHost(l.routes[0].secure.host) {
		l.routes[0].toHTTPS(l)
		l.secure(l.routes[0].secure, l.routes[0].from)
		return
	}
	t.reverses(l, s)
	t.told(l, s)
	if len(l.routes) == 0 {
		l.routes = []*route{{Route: model.Route{Path: "/", Deny: true}, from: s.directive, comment: "nothing is proxied here, and usher serves no files"}}
	}
}

// secure makes a listener send everybody to HTTPS.
func (l *listener) secure(s *secure, from *directive) {
	l.Redirect = model.RedirectHTTPS
	l.RedirectPort = model.Port(s.port)
	l.notes["redirect"] = from.String()
	l.routes = nil
}

// told takes ProxyAddHeaders, which is on unless it is said.
func (t *translation) told(l *listener, s *server) {
	if !l.forwards() {
		return
	}
	add := s.lastOf("proxyaddheaders")
	if add != nil && !add.on() {
		add.say(Approximated, "X-Forwarded-Server is left out; X-Forwarded-For, -Host, -Port and -Proto are always told")
		return
	}
	if add != nil {
		add.say(Carried, "")
	}
	l.ForwardedServer = s.firstName() != ""
}

// toHTTPS says what redirect: https does otherwise than the directive.
func (r *route) toHTTPS(l *listener) {
	verdict, note := Carried, ""
	others := slices.ContainsFunc(l.Hosts, func(h string) bool { return h != "*" && h != r.secure.host })
	switch {
	case r.secure.host != "" && others:
		verdict, note = Approximated, "to the host that the client asked for"
	case r.Redirect.Status != 301 && r.Redirect.Status != 308:
		verdict, note = Approximated, "for good, by 301 and 308"
	}
	r.from.amend(r.from.brief(), verdict, note)
}

// ownHost tells whether a name is one of the listener's, or is left to the client.
func (l *listener) ownHost(name string) bool {
	return name == "" || slices.Contains(l.Hosts, name)
}

func (l *listener) forwards() bool {
	return slices.ContainsFunc(l.routes, func(r *route) bool { return r.to != nil })
}

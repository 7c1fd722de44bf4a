package httpd

import (
	"slices"

	"usher/model"
)

// socket is an address with the servers that answer there, the default one first.
type socket struct {
	listen
	servers []*server
}

// address is that of the socket. Any is [::], which takes IPv4 as well, as
// httpd's Listen does.
func (s socket) address() model.Address {
	if s.host == "" {
		return model.Address{Host: "::", Port: s.port}
	}
	return model.Address{Host: s.host, Port: s.port}
}

// sockets are the addresses with their servers. The main server answers where no
// VirtualHost does.
func (t *translation) sockets() (all []socket) {
	for _, l := range t.listens() {
		bound := t.boundTo(l)
		for _, s := range bound {
			s.served = true
		}
		switch {
		case len(bound) == 0:
			all = append(all, t.alone(l)...)
		case l.host == "" && !slices.ContainsFunc(bound, func(s *server) bool { return s.answers("", l.port) }):
			all = append(all, t.each(l, bound)...)
		default:
			l.taken()
			all = append(all, socket{l, bound})
		}
	}
	if len(all) == 0 {
		for _, l := range t.listens() { // something has to be there
			all = append(all, socket{l, []*server{t.main}})
		}
	}
	for _, s := range t.hosts {
		if !s.served {
			s.say(NotCarried, "no Listen leads there, so httpd does not serve it: add one, and import again")
			s.idle = &idle{NotCarried, "its VirtualHost is not served"}
		}
	}
	return all
}

// boundTo are the servers of an address. Those that name it go before those that
// answer on any, as in httpd.
func (t *translation) boundTo(l listen) (all []*server) {
	for _, named := range []bool{true, false} {
		for _, s := range t.hosts {
			exact := slices.ContainsFunc(s.at, func(b binding) bool { return b.host != "" && b.fits(l) })
			if any := slices.ContainsFunc(s.at, func(b binding) bool { return b.fits(l) }); any && exact == named {
				all = append(all, s)
			}
		}
	}
	return all
}

// fits tells whether connections to an address may come to the binding.
func (b binding) fits(l listen) bool {
	return (b.port == 0 || b.port == l.port) && (b.host == "" || l.host == "" || l.host == "0.0.0.0" || b.host == l.host)
}

// answers tells whether the server is bound to a host and a port.
func (s *server) answers(host string, port uint16) bool {
	return slices.ContainsFunc(s.at, func(b binding) bool { return b.host == host && (b.port == 0 || b.port == port) })
}

// alone is the main server's, which is worth a listener only where it does more
// than serve files, or where there is nothing else.
func (t *translation) alone(l listen) []socket {
	if len(t.hosts) == 0 || t.main.proxies() {
		l.taken()
		return []socket{{l, []*server{t.main}}}
	}
	l.say(NotCarried, "no VirtualHost answers there, and the main server has nothing but files, which usher does not serve")
	return nil
}

// proxies tells whether a server does anything but serve files.
func (s *server) proxies() bool {
	keys := []string{"proxypass", "proxypassmatch", "rewriterule", "redirect", "redirectmatch", "redirectpermanent", "redirecttemp"}
	return len(s.those(keys...)) > 0 || slices.ContainsFunc(s.those("location", "locationmatch"), func(d *directive) bool {
		return len(d.those(keys...)) > 0
	})
}

// each parts an address that all servers name more exactly.
func (t *translation) each(l listen, bound []*server) (all []socket) {
	l.say(Approximated, "on the addresses of its VirtualHosts alone: the rest had nothing but the main server")
	for _, s := range bound {
		for _, b := range s.at {
			at := slices.IndexFunc(all, func(o socket) bool { return o.host == b.host })
			if at < 0 {
				at = len(all)
				all = append(all, socket{listen: listen{l.directive, b.host, l.port, l.https}})
			}
			if (b.port == 0 || b.port == l.port) && !slices.Contains(all[at].servers, s) {
				all[at].servers = append(all[at].servers, s)
			}
		}
	}
	return slices.DeleteFunc(all, func(s socket) bool { return len(s.servers) == 0 })
}

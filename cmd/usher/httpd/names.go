package httpd

import (
	"slices"
	"strings"
)

// nameListeners calls the only listener of a kind https or http, and several by
// their hosts.
func (t *translation) nameListeners() {
	for _, l := range t.listeners {
		kind := "http"
		if l.TLS != nil {
			kind = "https"
		}
		wish := kind
		if host := l.from.firstName(); host != "" && t.several(l) {
			wish = strings.TrimSuffix(host, ".") + "-" + kind
		}
		l.Name = unique(nameOf(wish, kind), func(n string) bool {
			return slices.ContainsFunc(t.listeners, func(o *listener) bool { return o.Name == n })
		})
		t.portOfHTTPS(l)
	}
}

// several tells whether there are more listeners of the kind.
func (t *translation) several(l *listener) bool {
	return slices.ContainsFunc(t.listeners, func(o *listener) bool { return o != l && (o.TLS == nil) == (l.TLS == nil) })
}

// portOfHTTPS leaves the port out where usher finds it by itself: all that speaks
// TLS is there, and one of the listeners has a host of this one.
func (t *translation) portOfHTTPS(l *listener) {
	if l.Redirect == "" {
		return
	}
	found := false
	for _, o := range t.listeners {
		if o.TLS == nil {
			continue
		}
		if o.Address.Port != uint16(l.RedirectPort) {
			return
		}
		found = found || slices.ContainsFunc(l.Hosts, func(h string) bool { return slices.Contains(o.Hosts, h) }) || len(l.Hosts) == 0 && len(o.Hosts) == 0
	}
	if found {
		l.RedirectPort = 0
	}
}

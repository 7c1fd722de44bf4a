package httpd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"usher/model"
)

// headers takes Header and RequestHeader of a server and of all that stands in it.
func (t *translation) headers(l *listener, s *server) {
	for _, d := range t.everywhere(s, "header") {
		t.header(l, s, d)
	}
	for _, d := range t.everywhere(s, "requestheader") {
		t.requestHeader(l, s, d)
	}
	if m := t.managedFor(l.Hosts); l.TLS != nil && l.TLS.HSTS == nil && m != nil && m.require != nil && strings.EqualFold(m.require.arg(0), "permanent") {
		l.TLS.HSTS = &model.HSTS{MaxAge: model.Duration(15768000 * time.Second)} // half a year, as mod_md says it
		l.notes["tls"] = "hsts: " + m.require.String()
		m.require.say(Carried, "")
	}
}

// everywhere are directives of the main server, of the own one, and of sections.
func (t *translation) everywhere(s *server, key string) (all []*directive) {
	all = s.both(key)
	for _, d := range s.both("location", "locationmatch", "proxy") {
		all = append(all, d.those(key)...)
	}
	return all
}

// header takes a header of answers: Strict-Transport-Security, and the cookie that
// names a node.
func (t *translation) header(l *listener, s *server, d *directive) {
	words := d.args
	if len(words) > 0 && (strings.EqualFold(words[0], "always") || strings.EqualFold(words[0], "onsuccess")) {
		words = words[1:]
	}
	action, name, value := strings.ToLower(word(words, 0)), strings.ToLower(strings.TrimSuffix(word(words, 1), ":")), word(words, 2)
	sets := action == "set" || action == "add" || action == "append" || action == "merge" || action == "setifempty"
	switch {
	case name == "set-cookie" && sets && strings.Contains(value, "%{BALANCER_WORKER_ROUTE}e"):
		t.recipe(s, d, value)
	case name == "strict-transport-security" && sets:
		t.strictTransport(l, d, value)
	case name == "strict-transport-security" && action == "unset":
		d.say(Carried, "")
	default:
		d.say(NotCarried, "usher adds no headers to answers but its own: let the nodes do it")
	}
}

// recipe remembers a cookie once, by the server whose answers get it.
func (t *translation) recipe(s *server, d *directive, value string) {
	for _, r := range t.recipes {
		if r.directive == d {
			return
		}
	}
	c, ok := recipeOf(d, value)
	if !ok {
		d.say(NotCarried, "the cookie has no form that usher knows: write sticky: {route_cookie: NAME}")
		return
	}
	r := &recipe{directive: d, cookie: c}
	if d.parent == nil || !d.parent.is("proxy") {
		r.server = s
	}
	if s.main != nil && r.server != nil && belongsTo(d, t.main.directive) {
		r.server = s.main
	}
	t.recipes = append(t.recipes, r)
}

// belongsTo tells whether a directive stands in a section, or in one of its
// Locations.
func belongsTo(d, in *directive) bool {
	for p := d.parent; p != nil; p = p.parent {
		if p.is("virtualhost") {
			return p == in
		}
		if p == in {
			return true
		}
	}
	return false
}

// strictTransport takes the words of RFC 6797.
func (t *translation) strictTransport(l *listener, d *directive, value string) {
	if l.TLS == nil {
		if !d.said() {
			d.say(NotNeeded, "browsers don't heed it without TLS")
		}
		return
	}
	h := model.HSTS{}
	for word := range strings.SplitSeq(value, ";") {
		key, v, _ := strings.Cut(strings.ToLower(strings.TrimSpace(word)), "=")
		switch strings.TrimSpace(key) {
		case "max-age":
			seconds, err := strconv.ParseUint(strings.Trim(v, `" `), 10, 31)
			if err != nil {
				d.say(NotCarried, fmt.Sprintf("%q is no age: write tls: {hsts: {max_age: 365d}}", v))
				return
			}
			h.MaxAge = min(model.Duration(time.Duration(seconds)*time.Second), model.Duration(3650*24*time.Hour))
		case "includesubdomains":
			h.IncludeSubdomains = true
		case "preload":
			h.Preload = true
		}
	}
	d.rows = nil // a listener without TLS may have been first
	d.say(Carried, "")
	if h.Preload && (!h.IncludeSubdomains || h.MaxAge < model.DefaultMaxAge) {
		h.Preload, d.rows = false, nil
		d.say(Approximated, "without preload, which needs includeSubDomains and a year")
	}
	l.TLS.HSTS = &h
}

// own are headers that nodes get of usher by itself.
var own = []string{"x-forwarded-proto", "x-forwarded-port", "x-forwarded-host", "x-forwarded-for", "x-forwarded-server"}

// certificateFormats are what httpd's variables say of a client's certificate.
var certificateFormats = map[string]model.ClientFormat{
	"%{SSL_CLIENT_CERT}s": model.FormatPEM, "%{SSL_CLIENT_S_DN}s": model.FormatSubject,
	"%{SSL_CLIENT_CERT}e": model.FormatPEM, "%{SSL_CLIENT_S_DN}e": model.FormatSubject,
}

// requestHeader takes a header that nodes get.
func (t *translation) requestHeader(l *listener, s *server, d *directive) {
	action, name, value := strings.ToLower(d.arg(0)), strings.ToLower(strings.TrimSuffix(d.arg(1), ":")), d.arg(2)
	format, certificate := certificateFormats[value]
	switch {
	case slices.Contains(own, name):
		d.say(Carried, "usher says it of every request, and drops what clients say")
	case action == "unset" && name == "proxy":
		d.say(NotNeeded, "it is for programs that httpd starts")
	case action == "unset":
		d.say(NotCarried, "usher drops X-Forwarded-*, X-Envoy-* and the header of the client's certificate; let the nodes ignore others")
	case certificate && l.TLS != nil && l.TLS.Client != nil:
		t.clientHeader(l, d, name, format)
	case certificate:
		d.say(NotNeeded, "the listener asks nobody for a certificate")
	case name == "host":
		t.hostHeader(s, d, value)
	default:
		d.say(NotCarried, "usher adds no headers to requests but its own: let the nodes know it otherwise")
	}
}

// clientHeader tells nodes of a client's certificate by the name that they know.
func (t *translation) clientHeader(l *listener, d *directive, name string, format model.ClientFormat) {
	c := l.TLS.Client
	if !isToken(name) || strings.HasPrefix(name, "x-forwarded") || c.Header != "" && c.Header != name {
		d.say(NotCarried, "nodes are told of the certificate in one header: tls.client has header and format")
		return
	}
	c.Header = name
	if c.Format = format; format == model.FormatPEM {
		c.Format = ""
	}
	d.say(Approximated, "PEM is escaped as in a URL, a subject is written by RFC 2253")
}

// hostHeader is a Host of the pool's own, which httpd sends only where
// ProxyPreserveHost is on.
func (t *translation) hostHeader(s *server, d *directive, value string) {
	keep := s.lastOf("proxypreservehost")
	if keep == nil || !keep.on() {
		d.say(NotNeeded, "ProxyPreserveHost is off, and takes the host of the node")
		return
	}
	d.say(NotCarried, fmt.Sprintf("write host: %s into the pool", value))
}

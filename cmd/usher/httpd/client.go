package httpd

import (
	"fmt"
	"slices"
	"strings"

	"usher/model"
)

// proxiesBefore takes what tells clients from proxies in front (mod_remoteip).
func (t *translation) proxiesBefore(l *listener, s *server) {
	if d := s.lastOf("remoteipproxyprotocol"); d != nil {
		l.ProxyProtocol = d.on()
		d.say(Carried, "")
	}
	for _, d := range s.both("remoteipproxyprotocolexceptions") {
		d.say(NotCarried, "every connection of the address begins with a PROXY header, or none: give these clients a listener of their own")
	}
	header := s.lastOf("remoteipheader")
	var trusted netset
	for _, d := range s.both("remoteiptrustedproxy", "remoteipinternalproxy") {
		trusted = trusted.or(t.proxies(d, d.args))
	}
	for _, d := range s.both("remoteiptrustedproxylist", "remoteipinternalproxylist") {
		trusted = trusted.or(t.proxyList(d))
	}
	if header == nil {
		return
	}
	switch name := strings.ToLower(header.arg(0)); {
	case name != "x-forwarded-for":
		header.say(NotCarried, fmt.Sprintf("proxies in front are believed by X-Forwarded-For, not by %s: let them send it; until then paths for some addresses are closed to whom they bring", header.arg(0)))
		l.unbelieved = trusted
		return
	case len(trusted) == 0:
		header.say(NotCarried, "httpd would believe anybody: name the proxies in trusted_proxies")
		return
	default:
		header.say(Carried, "")
	}
	for _, p := range trusted {
		l.TrustedProxies = append(l.TrustedProxies, model.Network{Prefix: p})
	}
}

// proxies reads addresses of proxies.
func (t *translation) proxies(d *directive, words []string) (all netset) {
	for _, w := range words {
		set, ok := networksOf(w)
		if !ok {
			d.sayOf(d.name+" "+w, NotCarried, "usher knows proxies by their addresses")
			continue
		}
		all = all.or(set)
	}
	if !d.said() {
		d.say(Carried, "")
	}
	return all
}

// proxyList reads a file of addresses, each on a line of its own.
func (t *translation) proxyList(d *directive) netset {
	data, err := t.load(t.below(d.arg(0)))
	if err != nil {
		d.say(NotCarried, fmt.Sprintf("%s can't be read here (%v): write its addresses into trusted_proxies", d.arg(0), err))
		return nil
	}
	var words []string
	for l := range strings.SplitSeq(data, "\n") {
		l, _, _ = strings.Cut(l, "#")
		words = append(words, strings.Fields(l)...)
	}
	return t.proxies(d, words)
}

// acrossListeners settles what listeners of one address share: what the first one
// says, which is httpd's default.
func (t *translation) acrossListeners() {
	for i, b := range t.listeners {
		at := slices.IndexFunc(t.listeners[:i], func(a *listener) bool { return a.Address == b.Address })
		if at >= 0 {
			t.listeners[at].share(b)
		}
	}
	for i, b := range t.listeners {
		for _, a := range t.listeners[:i] {
			if a.Address == b.Address {
				a.shareClient(b)
			}
		}
	}
	for _, l := range t.listeners {
		l.requireBelow()
	}
}

// share gives another listener of the address what this one has.
func (l *listener) share(b *listener) {
	b.differs("trusted_proxies", slices.Equal(l.TrustedProxies, b.TrustedProxies), "remoteipheader")
	b.differs("proxy_protocol", l.ProxyProtocol == b.ProxyProtocol, "remoteipproxyprotocol")
	b.TrustedProxies, b.ProxyProtocol = l.TrustedProxies, l.ProxyProtocol
	b.differs("access_log", b.AccessLog == nil || l.AccessLog != nil && *l.AccessLog == *b.AccessLog, "customlog", "transferlog")
	b.AccessLog = l.AccessLog
	if l.TLS != nil && b.TLS != nil {
		b.differs("min_version", l.TLS.MinVersion == b.TLS.MinVersion, "sslprotocol")
		b.TLS.MinVersion = l.TLS.MinVersion
	}
}

// differs says that another listener's value counts where it is not the same.
func (l *listener) differs(key string, same bool, directives ...string) {
	if same {
		return
	}
	const note = "that of the first listener of the address counts for all of them"
	l.lost = append(l.lost, key+": "+note)
	for _, d := range l.from.nearest(directives...) {
		d.amend(d.brief(), Approximated, note)
	}
}

// shareClient gives both listeners one way to ask for certificates: they are asked
// for before the client has said which host it means. Who requires one does so on
// its routes then.
func (l *listener) shareClient(b *listener) {
	if l.TLS == nil || b.TLS == nil || l.TLS.Client == nil && b.TLS.Client == nil {
		return
	}
	x, y := l.TLS.Client, b.TLS.Client
	if x != nil && y != nil && *x == *y {
		return
	}
	both := x
	if both == nil {
		both = y
	}
	if x != nil && y != nil && x.CA != y.CA {
		b.shut()
	}
	if x != nil && y != nil && (x.Header != y.Header || x.Format != y.Format) {
		b.lost = append(b.lost, "tls.client: header and format of the first listener of the address count for all of them")
	}
	asked := *both
	for _, one := range []*listener{l, b} {
		if c := one.TLS.Client; c != nil && c.Mode != model.ClientRequest {
			one.requires = true
		}
		shared := asked
		shared.Mode = model.ClientRequest
		if x != nil && y != nil && x.Mode == y.Mode {
			shared.Mode = x.Mode
		}
		one.TLS.Client = &shared
	}
}

// shut closes what only those get into whom other authorities know than those of the
// address's first listener, which would let in its own clients.
func (l *listener) shut() {
	const note = "an address has one ca, that of its first listener: give this one an address of its own"
	l.lost = append(l.lost, "tls.client: "+note)
	for _, d := range l.from.nearest("sslcacertificatefile") {
		d.amend(d.brief(), NotCarried, note+"; until then what asks for a certificate is closed")
	}
	for _, r := range l.routes {
		if r.to == nil || l.TLS.Client.Mode == model.ClientRequest && r.ClientCertificate == "" {
			continue
		}
		r.Route = model.Route{Path: r.Path, Exact: r.Exact, Regex: r.Regex, Deny: true}
		r.to, r.comment = nil, "closed: its clients have certificates of other authorities"
		r.from.amend(r.from.brief(), Approximated, r.comment)
	}
}

// requireBelow puts on the routes what the listener can't ask of everybody.
func (l *listener) requireBelow() {
	for _, r := range l.routes {
		if l.requires && l.TLS.Client.Mode == model.ClientRequest && !r.Deny {
			r.ClientCertificate = model.ClientRequire
		}
	}
}

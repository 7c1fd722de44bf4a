package httpd

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"usher/model"
)

// encrypted tells whether a server speaks TLS on an address: where it says so, or
// where the Listen does and it has a certificate (ssl_init_Module).
func (t *translation) encrypted(s *server, l listen) bool {
	engine := s.lastOf("sslengine")
	if engine == nil {
		return l.https && (len(s.nearest("sslcertificatefile")) > 0 || t.managedFor(s.names) != nil)
	}
	switch {
	case engine.on():
		engine.say(Carried, "")
		return true
	case strings.EqualFold(engine.arg(0), "optional"):
		engine.say(NotCarried, "a port is encrypted or it is not: the listener has no tls")
	default:
		engine.say(Carried, "")
	}
	return false
}

// secured gives a listener its tls.
func (t *translation) secured(l *listener, s *server, at listen) {
	l.TLS = &model.ListenerTLS{}
	if !t.encrypted(s, at) {
		l.notes["tls"] = "it has no SSLEngine of its own; a port is encrypted or it is not"
	}
	t.protocols(l, s)
	t.verified(l, s)
	t.shown(l, s)
}

// protocols takes SSLProtocol: 1.2 and 1.3 are what usher speaks.
func (t *translation) protocols(l *listener, s *server) {
	d := s.lastOf("sslprotocol")
	if d == nil {
		return
	}
	spoken := spokenProtocols(d.args)
	old := spoken["tlsv1"] || spoken["tlsv1.1"] || spoken["sslv3"]
	switch {
	case spoken["tlsv1.3"] && !spoken["tlsv1.2"] && !old:
		l.TLS.MinVersion = model.TLS13
		d.say(Carried, "")
	case old:
		d.say(Approximated, "TLS 1.2 and 1.3; older ones are broken (RFC 8996)")
	case !spoken["tlsv1.3"]:
		d.say(Approximated, "TLS 1.3 is spoken as well")
	default:
		d.say(Carried, "")
	}
}

// spokenProtocols reads +, - and plain words, of which a plain one takes the place
// of all before it (ssl_cmd_protocol_parse).
func spokenProtocols(words []string) map[string]bool {
	every := []string{"sslv3", "tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3"}
	spoken := map[string]bool{}
	for _, w := range words {
		name := strings.ToLower(strings.TrimLeft(w, "+-"))
		if !strings.HasPrefix(w, "+") && !strings.HasPrefix(w, "-") {
			clear(spoken)
		}
		for _, e := range every {
			if name == e || name == "all" && e != "sslv3" {
				spoken[e] = !strings.HasPrefix(w, "-")
			}
		}
	}
	return spoken
}

// verified takes SSLVerifyClient.
func (t *translation) verified(l *listener, s *server) {
	d := s.lastOf("sslverifyclient")
	if d == nil {
		return
	}
	switch strings.ToLower(d.arg(0)) {
	case "require":
		l.TLS.Client = &model.ClientTLS{}
		d.say(Carried, "")
	case "optional":
		l.TLS.Client = &model.ClientTLS{Mode: model.ClientRequest}
		d.say(Carried, "")
	case "optional_no_ca":
		l.TLS.Client = &model.ClientTLS{Mode: model.ClientRequest}
		d.say(Approximated, "a certificate that does not verify ends the handshake")
	default:
		d.say(Carried, "")
	}
}

// asked settles who issues to clients, where they are asked for a certificate: by
// the listener, or below a path.
func (t *translation) asked(l *listener, s *server) {
	if l.TLS == nil {
		return
	}
	below := slices.ContainsFunc(l.routes, func(r *route) bool { return r.ClientCertificate != "" })
	if below && l.TLS.Client == nil {
		l.TLS.Client = &model.ClientTLS{Mode: model.ClientRequest}
	}
	if l.TLS.Client != nil {
		t.authorities(l, s)
	}
}

// authorities are those that issue to clients.
func (t *translation) authorities(l *listener, s *server) {
	if d := s.lastOf("sslcacertificatefile"); d != nil {
		file, ok := t.file(d.arg(0))
		if ok {
			l.TLS.Client.CA = file
			d.say(Carried, "")
			return
		}
		d.say(NotCarried, fmt.Sprintf("%s is not on this machine: the local CA alone issues to clients until ca names it", file))
	}
	if d := s.lastOf("sslcacertificatepath"); d != nil {
		d.say(NotCarried, fmt.Sprintf("usher reads one PEM file: cat %s/*.pem > clients-ca.pem, and name it as ca in tls.client", strings.TrimSuffix(d.arg(0), "/")))
	}
}

// file is a file of keys or certificates as the cluster file names it: as it is
// written, or from the working directory where it counts from the ServerRoot.
func (t *translation) file(name string) (string, bool) {
	absolute := t.below(name)
	if path.IsAbs(name) {
		if _, ok := t.is(path.Clean(name)); ok {
			return path.Clean(name), true
		}
	}
	if called, ok := t.is(absolute); ok {
		return called, true
	}
	return name, false
}

func (t *translation) is(absolute string) (string, bool) {
	return t.called(absolute), t.exists(absolute)
}

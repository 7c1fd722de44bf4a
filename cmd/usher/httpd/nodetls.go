package httpd

import (
	"fmt"
	"strings"

	"usher/model"
)

// encryption takes the SSLProxy directives.
func (t *translation) encryption(p *pool, s *server) {
	if !p.scheme.tls() {
		return
	}
	if d := t.innermost(p, s, nil, "sslproxyengine"); d != nil {
		d.say(Carried, "")
	}
	tls, note := t.verification(p, s)
	v, _ := p.settle("tls", fmt.Sprint(tls), func() {
		p.TLS, p.notes["tls"] = &tls, note
	})
	if d := t.innermost(p, s, nil, "sslproxyverify"); d != nil && v != Carried {
		d.amend(d.brief(), v, "another server that sends requests to the pool says otherwise, and went first")
	}
	t.shownToNodes(p, s)
}

// verification is how the nodes' certificates are judged, and what is to be known
// of it. Without SSLProxyVerify httpd accepts any.
func (t *translation) verification(p *pool, s *server) (model.PoolTLS, string) {
	d := t.innermost(p, s, nil, "sslproxyverify")
	mode := ""
	if d != nil {
		mode = strings.ToLower(d.arg(0))
	}
	switch mode {
	case "require":
		d.say(Carried, "")
	case "optional":
		d.say(Approximated, "nodes always show a certificate, and it has to verify")
	default:
		if d != nil {
			d.say(Carried, "")
		}
		t.unverified(p, s)
		return model.PoolTLS{Verify: model.VerifyNone}, "as httpd without SSLProxyVerify; see usher check --live"
	}
	t.peerNames(t.innermost(p, s, nil, "sslproxycheckpeername"))
	t.peerNames(t.innermost(p, s, nil, "sslproxycheckpeercn"))
	ca, note := t.poolAuthorities(p, s)
	return model.PoolTLS{CA: ca}, note
}

// unverified says what has no effect without verification.
func (t *translation) unverified(p *pool, s *server) {
	for _, key := range []string{"sslproxycheckpeername", "sslproxycheckpeercn", "sslproxycheckpeerexpire", "sslproxycacertificatefile", "sslproxycacertificatepath"} {
		if c := t.innermost(p, s, nil, key); c != nil {
			c.say(NotNeeded, "with verify: none nothing is checked; usher check --live says what verify: ca and pin would find")
		}
	}
}

// peerNames says what verify: ca asks for beside the signature.
func (t *translation) peerNames(d *directive) {
	if d == nil {
		return
	}
	if d.on() {
		d.say(Carried, "")
		return
	}
	d.say(Approximated, "the name is always checked: server_name names the one that all nodes' certificates have, and verify: pin asks for no name")
}

// poolAuthorities are those that issue to nodes, and what is to be done about them.
func (t *translation) poolAuthorities(p *pool, s *server) (ca, note string) {
	if d := t.innermost(p, s, nil, "sslproxycacertificatefile"); d != nil {
		file, ok := t.file(d.arg(0))
		if ok {
			d.say(Carried, "")
			return file, ""
		}
		d.say(NotCarried, fmt.Sprintf("%s is not on this machine: the local CA and the system's roots are trusted until ca names it", file))
		note = "ca: " + file + " is not on this machine"
	}
	if d := t.innermost(p, s, nil, "sslproxycacertificatepath"); d != nil {
		d.say(NotCarried, fmt.Sprintf("usher reads one PEM file: cat %s/*.pem > nodes-ca.pem, and name it as ca", strings.TrimSuffix(d.arg(0), "/")))
		note = "ca: a PEM file of all authorities in " + d.arg(0)
	}
	return "", note
}

// shownToNodes is the certificate that nodes ask for.
func (t *translation) shownToNodes(p *pool, s *server) {
	d := t.innermost(p, s, nil, "sslproxymachinecertificatefile")
	if d == nil || p.shows != nil {
		return
	}
	file, ok := t.file(d.arg(0))
	for _, c := range t.certificates {
		if c.file == file {
			p.shows = c
			return
		}
	}
	c := &certificate{wish: "nodes", pool: true, file: file, comment: d.String()}
	if ok {
		c.Chain, c.Key = file, file
		d.say(Carried, "")
	} else {
		c.comment = file + " is not on this machine: the local CA issues one, and its ca.crt is what nodes must trust; or name chain and key"
		d.say(Approximated, fmt.Sprintf("%s is not on this machine: the local CA issues a certificate until chain and key name it", file))
	}
	t.certificates = append(t.certificates, c)
	p.shows = c
}

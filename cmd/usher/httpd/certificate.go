package httpd

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"usher/model"
)

// certificate is one of the file, in the making.
type certificate struct {
	model.Certificate
	wish    string // what it would be called
	comment string
	file    string // what httpd has in its place, of one that is shown to nodes
	pool    bool
}

// shown gives a listener its certificates: of mod_md, of files, or of the local CA.
func (t *translation) shown(l *listener, s *server) {
	files, keys := s.nearest("sslcertificatefile"), s.nearest("sslcertificatekeyfile")
	if m := t.managedFor(l.Hosts); m != nil {
		l.certificates = []*certificate{t.obtained(m)}
		for _, d := range slices.Concat(files, keys) {
			d.say(NotNeeded, "mod_md's certificate goes first")
		}
		return
	}
	var missing []string
	for i, f := range files {
		key := f
		if i < len(keys) {
			key = keys[i]
		}
		c, gone := t.fromFiles(f, key)
		if c != nil && !slices.Contains(l.certificates, c) {
			l.certificates = append(l.certificates, c)
		}
		missing = append(missing, gone...)
	}
	t.chains(l, s)
	if len(l.certificates) == 0 {
		l.certificates = []*certificate{t.issued(l, s, missing)}
	}
}

// fromFiles is the certificate in a pair of files, or what of it is not there.
func (t *translation) fromFiles(f, key *directive) (c *certificate, missing []string) {
	chain, ok := t.file(f.arg(0))
	keyFile, ok2 := t.file(key.arg(0))
	if !ok || !ok2 {
		for _, d := range []*directive{f, key} {
			if name, ok := t.file(d.arg(0)); !ok {
				if !slices.Contains(missing, name) {
					missing = append(missing, name)
				}
				d.say(Approximated, fmt.Sprintf("%s is not on this machine: the local CA issues a certificate until chain and key name it", name))
			} else {
				d.say(Approximated, "the other file of the pair is not on this machine: the local CA issues a certificate")
			}
		}
		return nil, missing
	}
	f.say(Carried, "")
	key.say(Carried, "")
	for _, o := range t.certificates {
		if o.Chain == chain && o.Key == keyFile {
			return o, nil
		}
	}
	c = &certificate{wish: strings.TrimSuffix(path.Base(chain), path.Ext(chain)), comment: f.String()}
	c.Chain, c.Key = chain, keyFile
	t.certificates = append(t.certificates, c)
	return c, nil
}

// chains says what to do about a chain in a file of its own.
func (t *translation) chains(l *listener, s *server) {
	d := s.lastOf("sslcertificatechainfile")
	if d == nil {
		return
	}
	if len(l.certificates) == 0 {
		d.say(NotNeeded, "the local CA issues the certificate")
		return
	}
	leaf := l.certificates[0].Chain
	if d.arg(0) == leaf {
		d.say(Carried, "")
		return
	}
	d.say(NotCarried, fmt.Sprintf("usher reads the certificate and its chain from one file: cat %s %s > chain.pem, and name it as chain", leaf, d.arg(0)))
}

// issued is a certificate of the local CA for the names of a listener.
func (t *translation) issued(l *listener, s *server, missing []string) *certificate {
	c := &certificate{wish: "server"}
	for _, h := range l.Hosts {
		if h != "*" {
			c.Hosts = append(c.Hosts, h)
		}
	}
	if len(missing) > 0 {
		c.comment = fmt.Sprintf("%s: not on this machine, so the local CA issues; or name chain and key", strings.Join(missing, ", "))
	}
	if name := s.firstName(); name != "" {
		c.wish = name
	}
	for _, o := range t.certificates {
		if o.Issued() && !o.pool && slices.Equal(o.Hosts, c.Hosts) && o.comment == c.comment {
			return o
		}
	}
	t.certificates = append(t.certificates, c)
	return c
}

// nameCertificates gives certificates names that no other has: the only one is
// called server.
func (t *translation) nameCertificates() {
	for _, c := range t.certificates {
		wish := c.wish
		if len(t.certificates) == 1 && !c.pool {
			wish = "server"
		}
		name := unique(nameOf(wish, "server"), func(n string) bool {
			return slices.ContainsFunc(t.certificates, func(o *certificate) bool { return o.Name == n })
		})
		c.Name = name
	}
	for _, l := range t.listeners {
		switch {
		case l.TLS == nil:
		case len(l.certificates) == 1:
			l.TLS.Certificate = l.certificates[0].Name
		default:
			for _, c := range l.certificates {
				l.TLS.Certificates = append(l.TLS.Certificates, c.Name)
			}
		}
	}
	for _, p := range t.pools {
		if p.shows != nil {
			p.TLS.Certificate = p.shows.Name
		}
	}
}

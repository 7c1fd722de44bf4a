package httpd

import (
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"usher/model"
)

// obtained is the certificate, with the names of the servers that show it.
func (t *translation) obtained(m *managed) *certificate {
	if m.certificate != nil {
		return m.certificate
	}
	c := &certificate{wish: m.names[0], comment: m.String()}
	c.Hosts = slices.Clone(m.names)
	for _, s := range t.hosts {
		if !m.automatic || t.managedFor(s.names) != m {
			continue
		}
		for _, n := range s.names {
			if !strings.HasPrefix(n, "*") && !isIP(strings.Trim(n, "[]")) && !slices.Contains(c.Hosts, strings.TrimSuffix(n, ".")) {
				c.Hosts = append(c.Hosts, strings.TrimSuffix(n, "."))
			}
		}
	}
	c.ACME = &model.ACME{}
	t.directory(m, c)
	t.contact(m, c)
	t.challenge(m, c)
	t.keyType(m, c)
	m.certificate = c
	t.certificates = append(t.certificates, c)
	return c
}

// knownDirectories are those that MDCertificateAuthority has short names for. Let's
// Encrypt's is usher's default.
var knownDirectories = map[string]string{ //nolint:gosec // URLs, no credentials
	"letsencrypt": "", model.DefaultDirectory: "", "letsencrypt-test": "https://acme-staging-v02.api.letsencrypt.org/directory",
	"buypass": "https://api.buypass.com/acme/directory", "buypass-test": "https://api.test4.buypass.no/acme/directory",
}

func (t *translation) directory(m *managed, c *certificate) {
	if d := t.setting(m, "mdcertificateauthority"); d != nil {
		name := d.arg(0)
		known, ok := knownDirectories[strings.ToLower(name)]
		u, err := url.Parse(name)
		switch {
		case ok:
			c.ACME.Directory = known
			d.say(Carried, "")
		case err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil:
			c.ACME.Directory = name
			d.say(Carried, "")
		default:
			d.say(NotCarried, "a directory has a URL that begins with https://; Let's Encrypt's was taken")
		}
		if len(d.args) > 1 {
			d.say(Approximated, "the first directory alone")
		}
	}
	if d := t.setting(m, "mdcacertificatefile"); d != nil {
		if file, ok := t.file(d.arg(0)); ok {
			c.ACME.CA = file
			d.say(Carried, "")
		} else {
			d.say(NotCarried, "the file is not on this machine: name it as ca in acme")
		}
	}
}

// contact is whom the directory writes to: the address of ServerAdmin where no
// other is given, but not one that nobody has set.
func (t *translation) contact(m *managed, c *certificate) {
	d := t.setting(m, "mdcontactemail")
	if d == nil {
		d = t.root.last("serveradmin")
	}
	if d == nil {
		return
	}
	email := strings.TrimPrefix(d.arg(0), "mailto:")
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || strings.HasSuffix(email, "@localhost") || strings.ContainsAny(email, "<> ") {
		return
	}
	c.ACME.Email = email
	d.say(Carried, "")
}

func (t *translation) challenge(m *managed, c *certificate) {
	d := t.setting(m, "mdcachallenges")
	if d == nil {
		return
	}
	var usable []string
	for _, w := range d.args {
		if w == string(model.HTTP01) || w == string(model.TLSALPN01) {
			usable = append(usable, w)
		}
	}
	switch {
	case len(usable) == 1 && usable[0] == string(model.TLSALPN01):
		c.ACME.Challenge = model.TLSALPN01
		d.say(Carried, "")
	case len(usable) > 0:
		d.say(Carried, "usher chooses by the listeners that there are")
	default:
		d.say(NotCarried, "usher answers http-01 and tls-alpn-01")
	}
}

func (t *translation) keyType(m *managed, c *certificate) {
	d := t.setting(m, "mdprivatekeys")
	if d == nil {
		return
	}
	first := strings.ToLower(d.arg(0))
	switch {
	case strings.HasPrefix(first, "rsa"):
		c.KeyType = model.RSA
		d.say(Approximated, "a key of 3072 bits")
	case first == "secp256r1" || first == "p-256":
		d.say(Carried, "")
	default:
		d.say(Approximated, "ecdsa on P-256")
	}
	if len(d.args) > 1 && !strings.HasPrefix(first, "rsa") {
		d.say(Approximated, "the first kind of key alone; a second certificate with key_type: rsa may stand beside it in certificates of the listener's tls")
	}
}

package model

import (
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

func (k *checker) certificate(field string, c Certificate) {
	given := c.Chain != "" || c.Key != ""
	switch {
	case given && c.ACME != nil:
		k.fault(field+".acme", "acme beside chain and key", "a certificate is given as files or obtained; remove one")
		return
	case c.ACME != nil:
		k.acme(field, c)
		return
	case c.Chain == "" && given:
		k.fault(field+".chain", "a key without its chain", "name both, or neither: then the local CA issues")
	case c.Key == "" && given:
		k.fault(field+".key", "a chain without its key", "name both, or neither: then the local CA issues")
	}
	if given {
		const hint = "they stand in the chain file; remove the line"
		k.required(field+".hosts", k.has(field+".hosts"), "hosts of a certificate that is given as a file", hint)
		k.required(field+".lifetime", k.has(field+".lifetime"), "lifetime of a certificate that is given as a file", hint)
		k.required(field+".key_type", k.has(field+".key_type"), "key type of a certificate that is given as a file", hint)
		return
	}
	k.ranges(field, c)
	for i, h := range c.Hosts {
		if k.has(field + ".hosts") {
			k.host(item(field+".hosts", i), strings.ToLower(h), false)
		}
	}
}

// acme checks a certificate that comes from a directory.
func (k *checker) acme(field string, c Certificate) {
	k.required(field+".lifetime", k.has(field+".lifetime"), "lifetime of a certificate that a directory issues", "the directory decides; remove the line")
	a, path := *c.ACME, field+".acme"
	if !k.unread(path+".directory") && !httpsURL(a.Directory) {
		k.fault(path+".directory", fmt.Sprintf("%.140q is not the URL of a directory", a.Directory), "it begins with https://, such as "+DefaultDirectory)
	}
	if m, err := mail.ParseAddress(a.Email); a.Email != "" && (err != nil || m.Address != a.Email) {
		k.fault(path+".email", fmt.Sprintf("%.140q is not an email address", a.Email), "such as admin@example.org")
	}
	if k.acmeHosts(field+".hosts", c.Hosts) && !k.unread(path+".challenge") {
		k.answers(path+".challenge", c)
	}
}

func httpsURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil
}

// acmeHosts tells whether a directory can be asked for the hosts.
func (k *checker) acmeHosts(field string, hosts []string) bool {
	if len(hosts) == 0 {
		k.fault(field, "the certificate has no hosts", "name those that the directory shall put into it")
		return false
	}
	before := len(k.problems)
	seen := map[string]bool{}
	for i, h := range hosts {
		at := item(field, i)
		_, err := netip.ParseAddr(strings.Trim(h, "[]"))
		switch {
		case strings.HasPrefix(h, "*"):
			k.fault(at, fmt.Sprintf("%q would have to be proven by dns-01, which is not offered", h), "name each host")
		case err == nil:
			k.fault(at, fmt.Sprintf("%q is an IP address", h), "acme is for host names; the local CA issues for addresses")
		case seen[h]:
			k.fault(at, fmt.Sprintf("%q stands in the list twice", h), "remove one")
		default:
			k.host(at, h, false)
		}
		seen[h] = true
	}
	return len(k.problems) == before
}

// answers checks that a listener will be there for the directory's question.
func (k *checker) answers(field string, c Certificate) {
	if c.ACME.Challenge == HTTP01 {
		if h := k.unanswered(c.Hosts); len(h) > 0 {
			k.fault(field, fmt.Sprintf("http-01 for %q, which no listener without tls answers for", h[0]), "add one on port 80 with these hosts, or choose tls-alpn-01")
		}
		return
	}
	for _, l := range k.Listeners {
		if l.TLS != nil && slices.Contains(l.TLS.Shown(), c.Name) {
			return
		}
	}
	k.fault(field, "no listener could answer the directory", "name the certificate in a listener's tls, or add a listener without tls on port 80 for its hosts")
}

// unanswered are the hosts that no listener without TLS answers for.
func (c *Cluster) unanswered(hosts []string) (none []string) {
	for _, h := range hosts {
		found := false
		for _, l := range c.Listeners {
			found = found || l.TLS == nil && l.AnswersFor(h)
		}
		if !found {
			none = append(none, h)
		}
	}
	return none
}

// AnswersFor tells whether a Host header with this name may lead here. A
// listener on the same address with a more exact name goes first.
func (l Listener) AnswersFor(host string) bool {
	for _, h := range l.Hosts {
		if suffix, wild := strings.CutPrefix(h, "*"); h == host || wild && strings.HasSuffix(host, suffix) && host != suffix {
			return true
		}
	}
	return false
}

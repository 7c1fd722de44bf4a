package model

import (
	"net/netip"
	"slices"
	"strings"
)

// complete fills in what the file leaves out. It is the only place that does.
func complete(c *Cluster) {
	for i := range c.Listeners {
		completeListener(c, i)
	}
	for i := range c.Pools {
		completePool(c, item("pools", i), &c.Pools[i])
	}
	for i := range c.Certificates {
		completeCertificate(c, item("certificates", i), &c.Certificates[i])
	}
}

func completeListener(c *Cluster, i int) {
	l := &c.Listeners[i]
	switch l.Address.Host {
	case "":
		l.Address.Host = "0.0.0.0"
	case "localhost":
		l.Address.Host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(l.Address.Host); err == nil {
		l.Address.Host = ip.String() // one spelling of one address
	}
	if len(l.Hosts) == 0 {
		l.Hosts = []string{"*"}
	}
	for j, h := range l.Hosts {
		l.Hosts[j] = strings.ToLower(h)
	}
	if l.TLS != nil && l.TLS.Certificate == "" && l.Name != "" {
		l.TLS.Certificate = l.Name
		if !slices.ContainsFunc(c.Certificates, func(k Certificate) bool { return k.Name == l.Name }) {
			c.Certificates = append(c.Certificates, Certificate{Name: l.Name})
		}
	}
	for j := range l.Routes {
		if r := &l.Routes[j]; !c.has(join(item("listeners", i), join(item("routes", j), "timeout"))) {
			r.Timeout = DefaultRouteTimeout
		}
	}
}

func completePool(c *Cluster, field string, p *Pool) {
	if p.Balance == "" {
		p.Balance = RoundRobin
		if p.Sticky != nil && p.Sticky.Cookie != nil {
			p.Balance = RingHash
		}
	}
	if p.TLS != nil && p.TLS.Verify == "" {
		p.TLS.Verify = VerifyCA
	}
	p.Health.TCP = p.Health.TCP || p.Health.Path == ""
	if !c.has(field + ".health.interval") {
		p.Health.Interval = DefaultTCPInterval
		if p.Health.Path != "" {
			p.Health.Interval = DefaultPathInterval
		}
	}
	for i := range p.Nodes {
		if p.Nodes[i].Weight == 0 {
			p.Nodes[i].Weight = DefaultWeight
		}
		if p.Nodes[i].State == "" {
			p.Nodes[i].State = Active
		}
	}
}

func completeCertificate(c *Cluster, field string, cert *Certificate) {
	if cert.ACME != nil {
		completeACME(c, cert)
	}
	if !cert.Issued() {
		return
	}
	if !c.has(field + ".lifetime") {
		cert.Lifetime = DefaultLifetime
	}
	if len(cert.Hosts) > 0 {
		return
	}
	for _, l := range c.Listeners {
		if l.TLS == nil || l.TLS.Certificate != cert.Name {
			continue
		}
		for _, h := range l.Hosts {
			if h == "*" {
				h = DefaultCertificateFor
			}
			if !slices.Contains(cert.Hosts, h) {
				cert.Hosts = append(cert.Hosts, h)
			}
		}
	}
	if len(cert.Hosts) == 0 {
		cert.Hosts = []string{DefaultCertificateFor}
	}
}

// completeACME leaves the hosts to the file: what "*" stands for, nobody else
// can tell.
func completeACME(c *Cluster, cert *Certificate) {
	if cert.ACME.Directory == "" {
		cert.ACME.Directory = DefaultDirectory
	}
	for i, h := range cert.Hosts {
		cert.Hosts[i] = strings.TrimSuffix(strings.ToLower(h), ".")
	}
	if cert.ACME.Challenge == "" {
		cert.ACME.Challenge = TLSALPN01
		if len(c.unanswered(cert.Hosts)) == 0 {
			cert.ACME.Challenge = HTTP01
		}
	}
}

// has tells whether the file itself has a field.
func (c *Cluster) has(field string) bool {
	_, ok := c.places[field]
	return ok
}

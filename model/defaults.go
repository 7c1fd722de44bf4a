package model

import (
	"cmp"
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
	if l.TLS != nil {
		completeListenerTLS(c, item("listeners", i)+".tls", l.Name, l.TLS)
	}
	for j := range l.Routes {
		r := &l.Routes[j]
		r.ClientCertificate = cmp.Or(r.ClientCertificate, ClientRequest)
		if !c.has(join(item("listeners", i), join(item("routes", j), "timeout"))) {
			r.Timeout = DefaultRouteTimeout
		}
	}
}

func completeListenerTLS(c *Cluster, field, listener string, t *ListenerTLS) {
	t.MinVersion = cmp.Or(t.MinVersion, TLS12)
	if t.HSTS != nil && !c.has(field+".hsts.max_age") {
		t.HSTS.MaxAge = DefaultMaxAge
	}
	if t.Client != nil {
		completeClientTLS(t.Client)
	}
	if t.Certificate == "" && listener != "" {
		t.Certificate = listener
		if !slices.ContainsFunc(c.Certificates, func(k Certificate) bool { return k.Name == listener }) {
			c.Certificates = append(c.Certificates, Certificate{Name: listener})
		}
	}
}

func completeClientTLS(t *ClientTLS) {
	t.Mode = cmp.Or(t.Mode, ClientRequire)
	t.Format = cmp.Or(t.Format, FormatPEM)
	t.Header = strings.ToLower(cmp.Or(t.Header, DefaultClientHeader))
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

// has tells whether the file itself has a field.
func (c *Cluster) has(field string) bool {
	_, ok := c.places[field]
	return ok
}

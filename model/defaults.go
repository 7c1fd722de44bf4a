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
	for i := range c.Listeners {
		completeRedirect(c, &c.Listeners[i])
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

// completeRedirect finds the port of HTTPS, if there is just one for the hosts.
func completeRedirect(c *Cluster, l *Listener) {
	if l.Redirect == "" || l.RedirectPort != 0 {
		return
	}
	if ports := c.securePorts(l.Hosts); len(ports) == 1 {
		l.RedirectPort = ports[0]
	}
}

// securePorts are those where the hosts are served by TLS: by listeners that
// name one of them, or else by those that have one among others.
func (c *Cluster) securePorts(hosts []string) []Port {
	named := c.portsWith(func(h string) bool { return slices.Contains(hosts, h) })
	if len(named) > 0 {
		return named
	}
	return c.portsWith(func(h string) bool {
		return slices.ContainsFunc(hosts, func(wanted string) bool { return within(wanted, h) || within(h, wanted) })
	})
}

// portsWith are the ports of the listeners with tls that have such a host.
func (c *Cluster) portsWith(such func(host string) bool) (ports []Port) {
	for _, l := range c.Listeners {
		port := Port(l.Address.Port)
		if l.TLS != nil && port != 0 && !slices.Contains(ports, port) && slices.ContainsFunc(l.Hosts, such) {
			ports = append(ports, port)
		}
	}
	return ports
}

// within tells whether a host is one that a pattern, * or *.NAME, is for.
func within(host, pattern string) bool {
	return strings.HasPrefix(pattern, "*") && strings.HasSuffix(host, pattern[1:])
}

func completeListenerTLS(c *Cluster, field, listener string, t *ListenerTLS) {
	t.MinVersion = cmp.Or(t.MinVersion, TLS12)
	if t.HSTS != nil && !c.has(field+".hsts.max_age") {
		t.HSTS.MaxAge = DefaultMaxAge
	}
	if t.Client != nil {
		completeClientTLS(t.Client)
	}
	if t.Certificate == "" && !c.has(field+".certificates") && listener != "" {
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
	if cert.ACME != nil {
		completeACME(c, cert)
	}
	if !cert.Issued() {
		return
	}
	if !c.has(field + ".lifetime") {
		cert.Lifetime = DefaultLifetime
	}
	cert.KeyType = cmp.Or(cert.KeyType, ECDSA)
	if len(cert.Hosts) > 0 {
		return
	}
	for _, l := range c.Listeners {
		if l.TLS == nil || !slices.Contains(l.TLS.Shown(), cert.Name) {
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
		cert.Hosts = []string{ownHost(c, cert.Name)}
	}
}

// ownHost is the host of a certificate that no listener shows: its own name if
// it is shown to nodes, which look at who signed it.
func ownHost(c *Cluster, name string) string {
	if host := strings.ToLower(name); c.ShownToNodes(name) && hostPattern.MatchString(host) {
		return host
	}
	return DefaultCertificateFor
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

package model

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"
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
	for i := range c.Listeners {
		completeRoutes(c, &c.Listeners[i])
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
	l.Metrics, l.Forwarded = cmp.Or(l.Metrics, On), cmp.Or(l.Forwarded, On)
	if t := l.Tracing; t != nil {
		t.Service = cmp.Or(t.Service, DefaultService)
		if !c.has(item("listeners", i) + ".tracing.sample") {
			t.Sample = DefaultSample
		}
	}
	if l.AccessLog != nil {
		l.AccessLog.File = cmp.Or(l.AccessLog.File, Stdout)
		if l.AccessLog.File != Stdout {
			l.AccessLog.File = c.Resolve(l.AccessLog.File)
		}
		l.AccessLog.Format = cmp.Or(l.AccessLog.Format, LogJSON)
	}
	if l.TCP != nil && !c.has(item("listeners", i)+".tcp.idle_timeout") {
		l.TCP.IdleTimeout = DefaultTCPIdle
	}
}

// completeRoutes takes from the pools what the routes do not say.
func completeRoutes(c *Cluster, l *Listener) {
	for j := range l.Routes {
		r := &l.Routes[j]
		p := c.poolNamed(r.Pool)
		r.ClientCertificate = cmp.Or(r.ClientCertificate, ClientRequest)
		if !c.has(r.field + ".timeout") {
			r.Timeout = p.Timeout
		}
		if !c.has(r.field+".upgrades") && r.Forwards() {
			r.Upgrades = []string{Websocket}
		}
		for n, u := range r.Upgrades {
			r.Upgrades[n] = strings.ToLower(u)
		}
		r.Sticky = cmp.Or(r.Sticky, On)
		r.OnFailure = cmp.Or(r.OnFailure, p.OnFailure)
		if r.Redirect != nil && r.Redirect.Status == 0 {
			r.Redirect.Status = DefaultRedirectStatus
		}
		if r.Respond != nil && r.Respond.Body != "" {
			r.Respond.ContentType = cmp.Or(r.Respond.ContentType, DefaultContentType)
		}
	}
}

// poolNamed is the pool of that name, as good as empty where there is none.
func (c *Cluster) poolNamed(name string) Pool {
	for i := range c.Pools { // a pool is large to copy, and a file may have a thousand
		if c.Pools[i].Name == name {
			return c.Pools[i]
		}
	}
	return Pool{Timeout: DefaultTimeout}
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
		if slices.ContainsFunc(p.Sticky, Sticky.Hashes) {
			p.Balance = RingHash
		}
	}
	for i := range p.Sticky {
		completeSticky(&p.Sticky[i])
	}
	if p.TLS != nil && p.TLS.Verify == "" {
		p.TLS.Verify = VerifyCA
	}
	p.OnFailure = cmp.Or(p.OnFailure, Failover)
	p.Protocol = cmp.Or(p.Protocol, HTTP1)
	p.Host = cmp.Or(p.Host, HostKeep)
	p.ForceRecovery = cmp.Or(p.ForceRecovery, On)
	p.ConnectTimeout = cmp.Or(p.ConnectTimeout, DefaultConnectTimeout)
	p.IdleTimeout = cmp.Or(p.IdleTimeout, DefaultIdleTimeout)
	orElse(c, field+".attempts", &p.Attempts, DefaultAttempts)
	orElse(c, field+".timeout", &p.Timeout, DefaultTimeout)
	if len(p.FailOnStatus) > 0 {
		p.Retry = cmp.Or(p.Retry, DefaultRetryOnStatus)
	}
	completeHealth(c, field+".health", &p.Health)
	for i := range p.Nodes {
		completeNode(&p.Nodes[i])
	}
}

func completeNode(n *Node) {
	n.Weight = cmp.Or(n.Weight, DefaultWeight)
	n.State = cmp.Or(n.State, Active)
}

// orElse sets what the file does not.
func orElse[T any](c *Cluster, field string, v *T, otherwise T) {
	if !c.has(field) {
		*v = otherwise
	}
}

func completeSticky(s *Sticky) {
	if s.JVMRoute != "" {
		s.PathParameter = cmp.Or(s.PathParameter, pathParameter(s.JVMRoute))
		s.SessionPath = cmp.Or(s.SessionPath, "/")
	}
	if s.JVMRoute != "" || s.PathParameter != "" {
		s.Separator = cmp.Or(s.Separator, DefaultSeparator)
	}
	if s.RouteCookie != nil {
		s.RouteCookie.SameSite = cmp.Or(s.RouteCookie.SameSite, SameSiteLax)
	}
}

// pathParameter is the name that Tomcat gives the session id in a URL: the
// cookie's own, except for the default name, which is in lower case there.
func pathParameter(cookie string) string {
	if cookie == "JSESSIONID" {
		return strings.ToLower(cookie)
	}
	return cookie
}

func completeHealth(c *Cluster, field string, h *Health) {
	if h.TCP == "" {
		h.TCP = Off
		if h.Path == "" {
			h.TCP = On
		}
	}
	h.TCPInterval = cmp.Or(h.TCPInterval, DefaultTCPInterval)
	interval, timeout := DefaultTCPInterval, DefaultTCPTimeout
	if h.Path != "" {
		h.Method = cmp.Or(h.Method, GET)
		interval = DefaultPathInterval
		if c.has(field + ".interval") {
			interval = h.Interval
		}
		timeout = max(interval/2, Duration(time.Second))
		if len(h.Status) == 0 {
			h.Status = []StatusRange{{200, 200}}
		}
	}
	orElse(c, field+".interval", &h.Interval, interval)
	h.Timeout = cmp.Or(h.Timeout, timeout)
	orElse(c, field+".passes", &h.Passes, DefaultPasses)
	orElse(c, field+".fails", &h.Fails, DefaultFails)
	orElse(c, field+".passive", &h.Passive, DefaultPassive)
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

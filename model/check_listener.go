package model

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

var (
	hostPattern = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$`)
	pathForbids = regexp.MustCompile(`[?#;\s\x00-\x1f\x7f%]`)
)

func (k *checker) listener(field string, l Listener, pools, certificates names) {
	k.required(field+".address", !k.has(field+".address"), "the listener has no address", "write address: 0.0.0.0:8443")
	if l.Address.Port != 0 && !l.Address.IP().IsValid() {
		k.fault(field+".address", fmt.Sprintf("%q is not an IP address of this machine", l.Address.Host), "0.0.0.0 is all of them; names belong into hosts")
	}
	k.hosts(field+".hosts", l.Hosts)
	k.listenerTLS(field+".tls", l.TLS, certificates)
	k.tracing(field+".tracing", l.Tracing)
	if k.has(field + ".tcp") {
		k.tcp(field, l, pools)
		return
	}
	k.redirect(field, l)
	k.preset(field+".preset", l)
	k.required(field+".routes", len(l.Routes) == 0 && l.Redirect == "" && !k.has(field+".redirect"), "the listener has no routes", "send everything to a pool: routes: [{path: /, pool: NAME}]")
	for i, r := range l.Routes {
		k.route(r, l.Routes[:i], pools)
		k.routeClient(r.field+".client_certificate", r, l.TLS)
	}
}

func (k *checker) preset(field string, l Listener) {
	if l.Preset == nil {
		return
	}
	k.required(field+".name", l.Preset.Name == "" && !k.unread(field), "the preset has no name", "known is "+string(WSO2IS))
	k.required(field, l.Redirect != "", "a preset of a listener that redirects everybody", "put it on the listener with tls")
}

// longestService is more than any name of a service has.
const longestService = 255

func (k *checker) tracing(field string, t *Tracing) {
	if t == nil {
		return
	}
	k.required(field+".collector", t.Collector.Port == 0 && !k.unread(field+".collector") && !k.unread(field), "tracing without a collector", "write collector: HOST:PORT, where OTLP over gRPC is taken")
	if t.Collector.Port != 0 && !hostPattern.MatchString(strings.ToLower(t.Collector.Host)) && !t.Collector.IP().IsValid() {
		k.fault(field+".collector", fmt.Sprintf("%q is neither a host name nor an IP address", t.Collector.Host), "write HOST:PORT, such as collector.example.org:4317")
	}
	if len(t.Service) > longestService {
		k.fault(field+".service", "the name of the service is too long", "it has 255 bytes at most")
	}
}

// tcp checks a listener that passes connections on.
func (k *checker) tcp(field string, l Listener, pools names) {
	for _, key := range []string{"routes", "redirect", "redirect_port", "preset", "forwarded", "forwarded_server", "trusted_proxies", "tracing"} {
		k.required(join(field, key), k.has(join(field, key)), key+" of a listener with tcp", "whatever is spoken there is passed on; remove it")
	}
	if l.TLS != nil {
		k.required(field+".tls.hsts", l.TLS.HSTS != nil, "hsts of a listener with tcp", "it is a header of HTTP; remove it")
	}
	if l.TCP == nil {
		return
	}
	k.required(field+".tcp.pool", l.TCP.Pool == "", "tcp without a pool", "write tcp: {pool: NAME}")
	k.among(pools, field+".tcp.pool", "pool", l.TCP.Pool)
	k.ranges(field+".tcp", *l.TCP)
	if p := k.poolNamed(l.TCP.Pool); p.Balance.Hashes() {
		k.fault(field+".tcp.pool", fmt.Sprintf("pool %q hashes what a connection has not", l.TCP.Pool), "send it to a pool with another balance")
	}
}

func (k *checker) redirect(field string, l Listener) {
	switch {
	case l.Redirect == "" && !k.unread(field+".redirect"):
		k.required(field+".redirect_port", l.RedirectPort != 0, "a port without a redirect", "add redirect: https, or remove it")
	case l.Redirect == "":
	case l.TLS != nil:
		k.fault(field+".redirect", "a listener with tls is HTTPS already", "give the redirect a listener of its own, without tls")
	case len(l.Routes) > 0:
		k.fault(field+".redirect", "both redirect and routes", "who is redirected reaches no route; remove one")
	case l.RedirectPort == 0 && !k.unread(field+".redirect_port"):
		what := "no listener serves these hosts by HTTPS"
		if len(k.securePorts(l.Hosts)) > 1 {
			what = "several ports serve these hosts by HTTPS"
		}
		k.fault(field+".redirect", what, "name the port that clients are to use: redirect_port: 443")
	}
}

func (k *checker) hosts(field string, hosts []string) {
	seen := map[string]bool{}
	for i, h := range hosts {
		if k.host(item(field, i), h, true) && seen[h] {
			k.fault(item(field, i), fmt.Sprintf("%q stands in the list twice", h), "remove one")
		}
		seen[h] = true
	}
}

// host checks a host name, an IP address, *.NAME, or * where any will do.
func (k *checker) host(field, h string, anyHost bool) bool {
	_, err := netip.ParseAddr(strings.Trim(h, "[]"))
	name := strings.TrimPrefix(h, "*.")
	switch {
	case anyHost && h == "*", err == nil, len(h) <= 253 && hostPattern.MatchString(name):
		return true
	case strings.Contains(h, ":"):
		k.fault(field, fmt.Sprintf("%q has a port", h), "hosts are names alone; the port in a Host header is ignored")
	default:
		k.fault(field, fmt.Sprintf("%.140q is not a host name", h), "such as is.example.org, *.example.org or 192.0.2.1")
	}
	return false
}

// sockets checks that listeners fit beside each other.
func (k *checker) sockets() {
	for i, b := range k.Listeners {
		for j, a := range k.Listeners[:i] {
			if a.Address.Port != 0 && a.Address.Port == b.Address.Port {
				k.beside(a, b, i, j)
			}
		}
	}
}

// beside checks two listeners on one port.
func (k *checker) beside(a, b Listener, i, j int) {
	field, line := item("listeners", i), k.places.nearest(item("listeners", j)).line
	switch {
	case a.Address != b.Address && overlap(a.Address, b.Address):
		k.fault(field+".address", fmt.Sprintf("the port clashes with %s in line %d", a.Address, line), "one of them covers the other; give both the same address, or another port")
	case a.Address != b.Address:
	case (a.TLS == nil) != (b.TLS == nil):
		k.fault(field+".address", fmt.Sprintf("the port clashes: the listener in line %d has TLS and this one has not, or the reverse", line), "a port is encrypted or it is not")
	case a.TCP != nil || b.TCP != nil:
		k.fault(field+".address", fmt.Sprintf("the port clashes with the listener in line %d, and one of them has tcp", line), "a listener with tcp has its address to itself")
	default:
		k.shared(a, b, field, line)
		k.sharedTLS(a.TLS, b.TLS, field+".tls", line)
		k.sharedKeys(a, b, field, line)
	}
}

// sharedKeys checks what is settled before the client has said which host it
// means, or for all hosts at once.
func (k *checker) sharedKeys(a, b Listener, field string, line int) {
	same := map[string]bool{
		"trusted_proxies": slices.Equal(a.TrustedProxies, b.TrustedProxies),
		"proxy_protocol":  a.ProxyProtocol == b.ProxyProtocol,
		"forwarded":       a.Forwarded == b.Forwarded,
		"metrics":         a.Metrics == b.Metrics,
		"tracing":         (a.Tracing == nil) == (b.Tracing == nil) && (a.Tracing == nil || *a.Tracing == *b.Tracing),
		"access_log":      (a.AccessLog == nil) == (b.AccessLog == nil) && (a.AccessLog == nil || *a.AccessLog == *b.AccessLog),
	}
	for key, ok := range same {
		k.required(join(field, key), !ok, fmt.Sprintf("the listener in line %d has the same address and another %s", line, key), "write the same in both, or give them different ports")
	}
}

// shared checks the hosts of two listeners on one address.
func (k *checker) shared(a, b Listener, field string, line int) {
	for n, h := range b.Hosts {
		if !slices.Contains(a.Hosts, h) {
			continue
		}
		where := field + ".address"
		if k.has(field + ".hosts") {
			where = item(field+".hosts", n)
		}
		k.fault(where, fmt.Sprintf("the port clashes: the listener in line %d answers for %q on %s already", line, h, a.Address), "give the listeners different hosts, or different ports")
		return
	}
}

// overlap tells whether two addresses of one port are the same to the kernel.
func overlap(a, b Address) bool {
	x, y := a.IP(), b.IP()
	return x == y || x.IsUnspecified() || y.IsUnspecified()
}

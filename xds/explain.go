package xds

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"usher/model"
)

// Request is what a client sends, as far as it decides where it goes.
type Request struct {
	Method string      // GET where it is empty
	TLS    bool        // it comes by HTTPS
	Host   string      // of the Host header, without its port
	Port   uint16      // that it connects to; 0 is the scheme's own, or that of whatever listener fits
	Path   string      // as it is sent, with the query
	Header http.Header // cookies included
	From   netip.Addr  // the client's address
	// Certified tells that it shows a certificate that the listener verifies.
	Certified bool
}

// Explanation is what becomes of a request, and why.
type Explanation struct {
	Listener string   `json:"listener,omitempty"`
	Route    string   `json:"route,omitempty"`    // its path as the file has it
	Path     string   `json:"path,omitempty"`     // of the request, as it is matched
	Status   int      `json:"status,omitempty"`   // answered without a node
	Location string   `json:"location,omitempty"` // where a redirect leads, as the file has it
	Pool     string   `json:"pool,omitempty"`
	Asked    string   `json:"asked,omitempty"`   // the node that the request names
	Outcome  string   `json:"outcome,omitempty"` // as in the log
	Nodes    []string `json:"nodes,omitempty"`   // of which one serves it
	Steps    []string `json:"steps"`             // in words
}

// Sight is what Envoy thinks of a node.
type Sight struct {
	Healthy bool
	Why     string // it is not
}

// Explain says what Envoy does with a request, by the very routes that it is told.
func Explain(c *model.Cluster, m Material, sight func(NodeOf) Sight, q Request) Explanation {
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	x := &explainer{c: c, m: m, sight: sight, q: q}
	x.explain()
	return x.e
}

type explainer struct {
	c     *model.Cluster
	m     Material
	sight func(NodeOf) Sight
	q     Request
	e     Explanation
}

func (x *explainer) say(format string, args ...any) {
	x.e.Steps = append(x.e.Steps, fmt.Sprintf(format, args...))
}

// answer is an answer of the balancer's own.
func (x *explainer) answer(status int, format string, args ...any) {
	x.e.Status = status
	x.say(format+": the answer is %d", append(args, status)...)
}

func (x *explainer) explain() {
	s, i, ok := x.listener()
	if !ok {
		return
	}
	l := s.listeners[i]
	x.e.Listener = l.Name
	if strings.ContainsFunc(x.q.Path, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		x.answer(400, "a path consists of visible ASCII characters; all else is escaped")
		return
	}
	path, ok := normalized(x.q.Path)
	if !ok {
		x.answer(404, "the path has an escaped slash, or can't be one")
		return
	}
	x.e.Path, _, _ = strings.Cut(path, "?")
	x.q.Path = path
	if l.Redirect != "" {
		x.e.Location = "https"
		x.answer(x.permanently(), "listener %s sends everybody to HTTPS", l.Name)
		return
	}
	x.route(s, l)
}

func (x *explainer) permanently() int {
	if x.q.Method == http.MethodGet || x.q.Method == http.MethodHead {
		return 301
	}
	return 308
}

// listener finds the socket by its port and the listener by the host.
func (x *explainer) listener() (s socket, index int, ok bool) {
	pools, uses := map[string]backend{}, usesOf(x.c.Listeners)
	for _, p := range x.c.Pools {
		all := backends(x.m.wished(p), uses[p.Name])
		pools[p.Name] = all[len(all)-1]
		for _, b := range all {
			if b.Name == p.Name {
				pools[p.Name] = b
			}
		}
	}
	at := x.socket(sockets(x.c.Listeners, pools, x.m))
	if at == nil {
		x.say("no listener for %s has port %d", map[bool]string{true: "HTTPS", false: "plain HTTP"}[x.q.TLS], x.q.Port)
		return socket{}, 0, false
	}
	s = *at
	index = s.host(x.q.Host)
	if index < 0 {
		x.answer(404, "no listener on %s has the host %s", s.first().Address, x.q.Host)
		return socket{}, 0, false
	}
	x.say("%s: listener %s has port %d and the host %s", x.c.ListenerAt(s.listeners[index].Name), s.listeners[index].Name, s.first().Address.Port, x.q.Host)
	return s, index, true
}

// socket is the one that the client connects to.
func (x *explainer) socket(all []socket) (best *socket) {
	port := x.q.Port
	if port == 0 {
		port = map[bool]uint16{true: 443, false: 80}[x.q.TLS]
	}
	for _, s := range all {
		if s.first().TCP != nil || (s.first().TLS != nil) != x.q.TLS {
			continue
		}
		if s.first().Address.Port == port {
			return &s
		}
		if x.q.Port == 0 && (best == nil || best.host(x.q.Host) < 0) {
			best = &s
		}
	}
	return best
}

// host is the listener with a host: named, by the longest wildcard, or for all.
func (s socket) host(host string) int {
	best, length := -1, -1
	for i, l := range s.listeners {
		for _, h := range l.Hosts {
			fits := strings.EqualFold(h, host)
			n := len(h) + 1000 // an exact name goes before all others
			if suffix, wild := strings.CutPrefix(h, "*"); wild {
				fits, n = len(host) > len(suffix) && strings.HasSuffix(strings.ToLower(host), strings.ToLower(suffix)) || h == "*", len(h)
			}
			if fits && n > length {
				best, length = i, n
			}
		}
	}
	return best
}

// route finds the route of the file, and goes on with those of Envoy that it
// becomes.
func (x *explainer) route(s socket, l model.Listener) {
	if slices.ContainsFunc(l.Routes, bounded) && fullMatch(dotParameter, x.e.Path) {
		x.answer(404, "the path has a parameter at an empty or dot segment, and a node would read it as another path")
		return
	}
	for _, r := range l.Routes {
		if !fullMatch(pathPattern(r), x.e.Path) {
			continue
		}
		x.e.Route = r.Path + r.Exact + string(r.Regex)
		x.say("%s: route %s is the first that matches %s", x.c.RouteAt(r), x.e.Route, x.e.Path)
		x.follow(s, l, r)
		return
	}
	x.answer(404, "no route of listener %s matches %s", l.Name, x.e.Path)
}

// follow goes a route of the file.
func (x *explainer) follow(s socket, l model.Listener, r model.Route) {
	allowed := len(r.Allow) == 0 || slices.ContainsFunc(r.Allow, func(n model.Network) bool { return n.Contains(x.q.From) })
	switch {
	case r.ClientCertificate == model.ClientRequire && !x.q.Certified:
		x.answer(403, "the route demands a client certificate")
	case r.Deny:
		x.answer(404, "the route is denied")
	case !allowed:
		x.answer(403, "the route is open to %v alone, and the client is %s", r.Allow, x.q.From)
	case r.Redirect != nil:
		x.e.Location = r.Redirect.To
		x.answer(int(r.Redirect.Status), "the route leads to %s", r.Redirect.To)
	case r.Respond != nil:
		x.answer(int(r.Respond.Status), "the route answers by itself")
	default:
		x.forward(s, l, r)
	}
}

// forward finds the seat among the routes that Envoy is told, as if the log wanted
// to know everything.
func (x *explainer) forward(s socket, l model.Listener, r model.Route) {
	s.listeners = slices.Clone(s.listeners)
	s.listeners[0].AccessLog = &model.AccessLog{File: model.Stdout, Format: model.LogJSON}
	p := s.pools[r.Pool]
	x.e.Pool = r.Pool
	for _, route := range s.forward(l, r, p, nil) {
		if x.fits(route.Match) {
			x.seat(p, r, route)
			return
		}
	}
	x.answer(404, "no route of Envoy's matches")
}

func (x *explainer) fits(m *routev3.RouteMatch) bool {
	for _, h := range m.Headers {
		if !textFits(h.GetStringMatch(), x.header(h.Name)) {
			return false
		}
	}
	for _, c := range m.Cookies {
		value, ok := x.cookie(c.Name)
		if !ok || !textFits(c.GetStringMatch(), value) {
			return false
		}
	}
	return true
}

// textFits knows the ways of matching that usher uses.
func textFits(m *matcherv3.StringMatcher, text string) bool {
	if part := m.GetContains(); part != "" {
		return strings.Contains(text, part)
	}
	return fullMatch(m.GetSafeRegex().GetRegex(), text)
}

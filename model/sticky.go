package model

import "slices"

// Sticky is one way to keep the requests of a session on one node: stickysession
// in httpd. It has exactly one of jvm_route, path_parameter, route_cookie,
// cookie, header, query, source_ip and stateful_session; path_parameter may stand
// beside jvm_route. The first three name a node, and are what a list may hold
// together; the next four are hashed, and may be a list, too.
type Sticky struct {
	// JVMRoute is the cookie in which a servlet container puts the session id
	// followed by a separator and its own name, such as JSESSIONID. The name is
	// the text after the first separator, and that of a path parameter goes before
	// the cookie. Not with ring_hash or maglev.
	JVMRoute string `yaml:"jvm_route"`
	// PathParameter is what the session id is called in a path, such as
	// /x;jsessionid=….isNode1. Beside jvm_route its default is the cookie's name,
	// for JSESSIONID in lower case as Tomcat has it, and `off` looks at no path.
	PathParameter string `yaml:"path_parameter"`
	// Separator stands before the node's name; `off` where the whole value is the
	// name (httpd: stickysessionsep). Default: a dot. Only with jvm_route and
	// path_parameter.
	Separator string `yaml:"separator"`
	// SessionPath is a page of the nodes that begins a session: usher asks each node
	// for it at its start and every 5 minutes (four nodes a second at most), and says
	// so where the session does not end in the node's name. `off` asks none. Only with jvm_route. Default: /.
	SessionPath string `yaml:"session_path"`
	// RouteCookie is a cookie that the balancer makes itself and that names the
	// node, so that it follows its client to every path (httpd: Header add
	// Set-Cookie "ROUTEID=…").
	RouteCookie *RouteCookie `yaml:"route_cookie"`
	// Cookie is a cookie that the balancer makes itself and hashes. Only with
	// ring_hash (the default then) or maglev.
	Cookie *Cookie `yaml:"cookie"`
	// Header is a request header that is hashed.
	Header string `yaml:"header"`
	// Query is a parameter of the query that is hashed.
	Query string `yaml:"query"`
	// SourceIP hashes the client's address.
	SourceIP bool `yaml:"source_ip"`
	// StatefulSession is Envoy's own: a cookie that holds the node's address, so
	// that it loses its node when the address changes. `name` is the cookie's.
	StatefulSession *Cookie `yaml:"stateful_session"`
}

// RouteCookie is a cookie with the name of the node that serves its client. It is
// set only when that changes. It has Path=/ and HttpOnly, and Secure where the
// listener has tls.
type RouteCookie struct {
	// Name is the cookie's name, a token of RFC 6265. Required.
	Name string `yaml:"name" scalar:"true"`
	// SameSite is `none`, `lax` or `strict`: none for sign-on that comes back from
	// other sites, which browsers take with tls only. Default: lax.
	SameSite SameSite `yaml:"same_site"`
	// Domain makes it valid for all hosts below. Default: the host alone.
	Domain string `yaml:"domain"`
	// TTL is its life, from when it was set. Default: 0s, until the browser closes.
	TTL Duration `yaml:"ttl" range:"0s..3650d"`
}

// Cookie is a cookie that Envoy makes for a client that has none yet. Where it is
// hashed, one who comes while nodes drain gets a second one, whose name ends in
// -drain.
type Cookie struct {
	// Name is the cookie's name, a token of RFC 6265. Required.
	Name string `yaml:"name" scalar:"true"`
	// TTL is its life. Default: 0s, until the browser closes.
	TTL Duration `yaml:"ttl" range:"0s..3650d"`
}

// ways are the keys of Sticky of which one is given.
func (s Sticky) ways() (ways []string) {
	for _, w := range []struct {
		key   string
		given bool
	}{
		{"jvm_route", s.JVMRoute != ""}, {"path_parameter", s.JVMRoute == "" && s.PathParameter != ""},
		{"route_cookie", s.RouteCookie != nil}, {"cookie", s.Cookie != nil}, {"header", s.Header != ""},
		{"query", s.Query != ""}, {"source_ip", s.SourceIP}, {"stateful_session", s.StatefulSession != nil},
	} {
		if w.given {
			ways = append(ways, w.key)
		}
	}
	return ways
}

// Names tells whether it names a node, so that any balance goes with it that does
// not hash.
func (s Sticky) Names() bool {
	return s.JVMRoute != "" || s.PathParameter != "" || s.RouteCookie != nil
}

// Hashes tells whether it is hashed.
func (s Sticky) Hashes() bool {
	return s.Cookie != nil || s.Header != "" || s.Query != "" || s.SourceIP
}

// Named tells whether the pool's sessions name their nodes.
func (p Pool) Named() bool { return slices.ContainsFunc(p.Sticky, Sticky.Names) }

// HashCookie is the cookie that the balancer makes and hashes, nil where there is
// none.
func (p Pool) HashCookie() *Cookie {
	for _, s := range p.Sticky {
		if s.Cookie != nil {
			return s.Cookie
		}
	}
	return nil
}

// RouteCookie is the cookie that names the node, nil where there is none.
func (p Pool) RouteCookie() *RouteCookie {
	for _, s := range p.Sticky {
		if s.RouteCookie != nil {
			return s.RouteCookie
		}
	}
	return nil
}

// StatefulSession is Envoy's own cookie, nil where there is none.
func (p Pool) StatefulSession() *Cookie {
	for _, s := range p.Sticky {
		if s.StatefulSession != nil {
			return s.StatefulSession
		}
	}
	return nil
}

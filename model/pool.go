package model

// Pool is a group of nodes that can stand in for each other: a
// `<Proxy balancer://…>` in httpd, a Cluster in Envoy.
type Pool struct {
	// Name identifies the pool. Required, unique.
	Name string `yaml:"name"`
	// Preset fills in what a product wants and the pool does not say, see
	// `usher show --preset`: `wso2-is`. Left out: none.
	Preset Preset `yaml:"preset"`
	// Balance is how a node is chosen for a request without a session:
	// round_robin, least_request, random, ring_hash or maglev. Default:
	// round_robin; ring_hash where sticky hashes (httpd: lbmethod). When
	// a node dies, ring_hash moves its clients alone, and maglev some few of
	// the others; when one joins, both move about its share.
	Balance Balance `yaml:"balance"`
	// Sticky is what keeps a session on its node: one way, or a list of them, of
	// which the first that names a node decides. Left out: nothing does.
	Sticky []Sticky `yaml:"sticky"`
	// OnFailure is what becomes of a session whose node can't serve: `failover`
	// moves it to another node, `error` answers 503 (httpd: nofailover). Default:
	// failover.
	OnFailure OnFailure `yaml:"on_failure"`
	// TLS is how usher speaks to the nodes. Left out: plain text.
	TLS *PoolTLS `yaml:"tls"`
	// Protocol is `http1`, or `http2` for nodes that speak gRPC. Default: http1.
	Protocol Protocol `yaml:"protocol"`
	// Host is the Host header that the nodes get: `keep` leaves the client's,
	// `node` is the node's own address, anything else is sent as it is. Default:
	// `keep` (httpd: ProxyPreserveHost On).
	Host string `yaml:"host"`
	// Reverse maps what the nodes say of themselves in answers to what clients
	// see (httpd: ProxyPassReverse). Left out: answers stay as they are, which
	// costs nothing.
	Reverse *Reverse `yaml:"reverse"`
	// Health is how a node proves that it lives. Default: {tcp: true}. A word in
	// its place is its preset.
	Health Health `yaml:"health"`
	// Retry is how long a node stays out after failures of its own (health.passive,
	// fail_on_status), whatever its check says. Default: until its next good check,
	// 3s at most; 60s with fail_on_status (httpd: retry).
	Retry Duration `yaml:"retry" range:"100ms..24h" zero:"true"`
	// FailOnStatus are answers that take a node out, such as [500, 503], one of
	// which is enough (httpd: failonstatus). The client gets them all the same.
	// Default: none.
	FailOnStatus []StatusRange `yaml:"fail_on_status"`
	// ForceRecovery leaves the last node in when all have failed, so that it is
	// tried rather than nobody (httpd: forcerecovery). Failed checks take it out all
	// the same. Default: true.
	ForceRecovery Switch `yaml:"force_recovery"`
	// Attempts is how often a request is tried again at most, on whatever node
	// serves, 0 to 20. Default: 6 (httpd: maxattempts).
	Attempts Count `yaml:"attempts" range:"0..20"`
	// SlowStart lets a node's share of new sessions grow over so long when it joins
	// or comes back. Not with random, ring_hash or maglev. Default: 0s, at once.
	SlowStart Duration `yaml:"slow_start" range:"1s..1h" zero:"true"`
	// MaxConnections is how many connections each node gets at most. Default:
	// no limit (httpd: max).
	MaxConnections Count `yaml:"max_connections" range:"1.."`
	// MaxPending is how many requests may wait for a connection, also while it is
	// made, times the number of nodes; more get 503. Default: no limit (httpd:
	// acquire).
	MaxPending Count `yaml:"max_pending" range:"1.."`
	// ConnectTimeout bounds connecting to a node, its TLS handshake included.
	// Default: 1s (httpd: connectiontimeout).
	ConnectTimeout Duration `yaml:"connect_timeout" range:"10ms..1m"`
	// IdleTimeout closes a kept connection to a node without a request. It should
	// be less than the node's own. Default: 15s, Tomcat has 20s (httpd: ttl).
	IdleTimeout Duration `yaml:"idle_timeout" range:"100ms..1h"`
	// Timeout is how long a whole answer may take where the route does not say.
	// Default: 300s, 0s is no limit (httpd: timeout).
	Timeout Duration `yaml:"timeout" range:"0s..24h"`
	// TryTimeout ends an attempt on a node that sends nothing for so long, and
	// tries the next one; only for methods that may be repeated (GET, HEAD,
	// OPTIONS, TRACE, PUT, DELETE). Default: 0s, off: a slow login is not a
	// fault.
	TryTimeout Duration `yaml:"try_timeout" range:"10ms..1h" zero:"true"`
	// DrainTimeout closes the TCP connections that a draining node still has so
	// long after its drain began; of listeners with tcp alone. Default: 0s, never.
	DrainTimeout Duration `yaml:"drain_timeout" range:"100ms..24h" zero:"true"`
	// Nodes are the servers. Required, at least one.
	Nodes []Node `yaml:"nodes"`
}

// Reverse maps the headers Location, Content-Location, URI and Destination of an
// answer that name a node of the pool (by any of its addresses, in any case, a
// default port left out or not) to the scheme, host and port that the client
// asked, and the path in front of a route's rewrite. `{}` is enough.
type Reverse struct {
	// Hosts are further names by which nodes know themselves: HOST:PORT, or HOST
	// for that host with a node's port, 80, 443, or none.
	Hosts []string `yaml:"hosts"`
	// CookiePath replaces the Path of a cookie that begins with `from`, as a whole
	// (httpd: ProxyPassReverseCookiePath). The first that fits counts.
	CookiePath []Swap `yaml:"cookie_path"`
	// CookieDomain replaces the Domain of a cookie that begins with `from`, as a
	// whole and in any case (httpd: ProxyPassReverseCookieDomain).
	CookieDomain []Swap `yaml:"cookie_domain"`
}

// Swap puts one text in the place of another.
type Swap struct {
	// From is what the node says. Required.
	From string `yaml:"from"`
	// To is what the client sees. Required.
	To string `yaml:"to"`
}

// Node is one server: a BalancerMember in httpd.
type Node struct {
	// Name is the node's name, unique in its pool and equal to the jvmRoute
	// it was started with: letters, digits, `_`, `-` and `.` (httpd: route=).
	// Required.
	Name string `yaml:"name"`
	// Address is HOST:PORT. A name is resolved again every few seconds;
	// whatever it resolves to, it is one node. Required.
	Address Address `yaml:"address"`
	// Weight is its share of new sessions, 0.01 to 100. Default: 1 (httpd:
	// loadfactor).
	Weight Weight `yaml:"weight"`
	// State is `active`, `drain` (its sessions stay, nobody new comes),
	// `disabled` (nothing reaches it), `standby` (serves when no active node
	// can) or `spare` (takes the share of active nodes that can't serve).
	// Default: active (httpd: status N, D, H, R).
	State State `yaml:"state"`
	// Set is its rank, 0 to 99: new sessions go to the lowest that can serve. Not
	// with ring_hash or maglev. Default: 0 (httpd: lbset).
	Set Count `yaml:"set" range:"0..99"`
	// Redirect names the node that its sessions go to when it can't serve, before
	// any other. Only where sticky names nodes (httpd: redirect).
	Redirect string `yaml:"redirect"`
}

// Draining are the names of the nodes that drain, in the file's order.
func (p Pool) Draining() []string { return p.in(Drain) }

// Disabled are the names of the nodes that nothing reaches, in the file's order.
func (p Pool) Disabled() []string { return p.in(Disabled) }

func (p Pool) in(s State) (names []string) {
	for _, n := range p.Nodes {
		if n.State == s {
			names = append(names, n.Name)
		}
	}
	return names
}

package model

// Route says what becomes of the requests for a path: ProxyPass in httpd. It has
// one of path, exact and regex, and one of pool, deny, redirect and respond.
type Route struct {
	// Path is a prefix of whole segments: /app covers /app and /app/x, not
	// /apple. `/` is everything, a segment `*` is any one. Path parameters
	// (`/app;x/y`) do not count, as in a servlet container. Begins with /.
	Path string `yaml:"path"`
	// Exact is one path and nothing below it. Path parameters do not count.
	Exact string `yaml:"exact"`
	// Regex is an expression of RE2 that the whole path matches, without the query
	// and with its path parameters (httpd: ProxyPassMatch, whose expression may
	// match a part). It may slip past what it is meant to close: prefer path.
	Regex Regex `yaml:"regex"`
	// Pool names an entry of `pools`.
	Pool string `yaml:"pool"`
	// Deny answers 404, as `ProxyPass /path !` without a DocumentRoot does. Path
	// parameters (`/path;x`) do not slip past it.
	Deny bool `yaml:"deny"`
	// Redirect sends the client elsewhere (httpd: Redirect, RedirectMatch). A word
	// in its place is where to.
	Redirect *RouteRedirect `yaml:"redirect"`
	// Respond answers by itself.
	Respond *Respond `yaml:"respond"`
	// Rewrite is what the node gets in the place of path or exact, or the whole
	// path in the place of regex, where `\1` is its first group (httpd: the path
	// in ProxyPass's URL). Left out: the path as it is. Only with pool.
	Rewrite string `yaml:"rewrite"`
	// Sticky is false where requests do not belong to sessions: they are balanced,
	// whatever they carry. Default: true. Only with pool.
	Sticky Switch `yaml:"sticky"`
	// Balance is another way to choose a node than the pool's, for a path whose
	// requests are not sticky. Not ring_hash or maglev. Default: the pool's.
	Balance Balance `yaml:"balance"`
	// OnFailure is the pool's on_failure for this path: `error` ends a session with
	// 503 when its node can't serve, `failover` moves it. Default: the pool's.
	OnFailure OnFailure `yaml:"on_failure"`
	// Allow are the addresses, or networks such as 10.0.0.0/8, that may go there;
	// all others get 403, and path parameters (`/path;x`) do not slip past it.
	// Default: everybody (httpd: Require ip).
	Allow []Network `yaml:"allow"`
	// ClientCertificate is `require` where only clients with a verified
	// certificate may go, on a listener whose tls.client requests one; all others
	// get 403, and path parameters (`/path;x`) do not slip past it. Default:
	// request, whoever the listener serves (httpd: SSLVerifyClient in a Location).
	ClientCertificate ClientMode `yaml:"client_certificate"`
	// Upgrades are what a client may turn its connection into, such as websocket,
	// which then lasts as long as something moves on it. Default: [websocket]
	// (httpd: upgrade=).
	Upgrades []string `yaml:"upgrades"`
	// Timeout is how long the whole answer may take. Default: the pool's; 0s is
	// no limit (Envoy: RouteAction.timeout; httpd: ProxyTimeout).
	Timeout Duration `yaml:"timeout" range:"0s..24h"`

	field string // where it stands
	made  bool   // by a preset, of the one that stands there
}

// RouteRedirect sends the client elsewhere.
type RouteRedirect struct {
	// To is a URL, or a path on the same host. What stands behind the route's path
	// is added; a regex may use its groups as `\1`. A query of its own,
	// which goes without groups, takes the place of that and of the client's.
	// Required.
	To string `yaml:"to" scalar:"true"`
	// Status is 301, 302, 303, 307 or 308. Default: 302.
	Status Status `yaml:"status"`
}

// Respond is an answer of the balancer's own.
type Respond struct {
	// Status is 200 to 599. Required.
	Status Status `yaml:"status" scalar:"true" range:"200..599"`
	// Body is its text, at most 4096 bytes. Default: none.
	Body string `yaml:"body"`
	// ContentType is what the text is. Default: text/plain.
	ContentType string `yaml:"content_type"`
}

// Forwards tells whether the route's requests go to a pool.
func (r Route) Forwards() bool { return r.Pool != "" }

// Guarded tells whether the path is closed to some, who must not slip past it.
func (r Route) Guarded() bool {
	return r.Deny || r.ClientCertificate == ClientRequire || len(r.Allow) > 0
}

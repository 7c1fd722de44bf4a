// Package model is what the operator wrote: the types behind cluster.yaml,
// their defaults, the checks, the position of every field, and the watch on
// the file. It serves everything that has to know what is wanted, and the
// people who read its messages.
//
// It never talks to Envoy, resolves no name, loads no key, and starts nothing
// by itself. A *Cluster that Parse returned without problems is whole,
// defaulted, checked and immutable from then on.
package model

import (
	"slices"
	"time"
)

// Cluster is one cluster.yaml: where clients arrive, which pools of nodes
// serve them, and the certificates shown on the way. Envoy's "cluster" is a
// Pool here.
type Cluster struct {
	// Listeners are where clients arrive. Required, at least one.
	Listeners []Listener `yaml:"listeners"`
	// Pools are groups of nodes that share their sessions' stickiness.
	Pools []Pool `yaml:"pools"`
	// Certificates are what listeners show to clients, and pools to nodes.
	Certificates []Certificate `yaml:"certificates"`

	file   string
	places places
}

// Listener is one address and the hosts it answers for: a VirtualHost and its
// Listen in httpd. Several listeners may share an address as long as their
// hosts differ; then TLS picks the certificate by SNI and the Host header
// picks the listener.
type Listener struct {
	// Name identifies the listener in messages and in Envoy. Required, unique.
	Name string `yaml:"name"`
	// Address is the IP address and port to listen on, such as 0.0.0.0:8443,
	// [::]:443 or :8443. Required. Port 1 to 65535.
	Address Address `yaml:"address"`
	// Hosts are the names that clients ask for: ServerName and ServerAlias.
	// `*` is any, `*.example.com` any below it. Default: ["*"]. The port in a
	// Host header is ignored; a Host that no listener has gets 404.
	Hosts []string `yaml:"hosts"`
	// TLS is how the listener is encrypted. Left out: plain HTTP.
	TLS *ListenerTLS `yaml:"tls"`
	// Routes are tried in the file's order; the first match wins, no match
	// gets 404. Required, at least one, except with redirect.
	Routes []Route `yaml:"routes"`
	// Redirect is `https` where a listener without tls sends everybody to the same
	// host and path by HTTPS, for good: GET and HEAD by 301, all else by 308,
	// which keeps method and body (httpd: Redirect permanent). Not with routes.
	Redirect Redirect `yaml:"redirect"`
	// RedirectPort is the port that clients are sent to. Default: that of the
	// listener with tls that has these hosts.
	RedirectPort Port `yaml:"redirect_port"`
}

// ListenerTLS is the server side of TLS, by Mozilla's intermediate profile,
// with HTTP/2 and HTTP/1.1. Listeners that share an address share min_version
// and client.
type ListenerTLS struct {
	// Certificate names an entry of `certificates`. Left out: the local CA
	// issues one for the listener's hosts.
	Certificate string `yaml:"certificate"`
	// Certificates names several, in the place of certificate: for several names,
	// of which the client says one (SNI), and of ECDSA and RSA side by side, of
	// which it gets ECDSA if it can. The first serves whoever fits none.
	Certificates []string `yaml:"certificates"`
	// MinVersion is the oldest version that is spoken, 1.2 or 1.3. Default: 1.2
	// (httpd: SSLProtocol).
	MinVersion TLSVersion `yaml:"min_version"`
	// Client asks clients for a certificate. Left out: nobody is asked.
	Client *ClientTLS `yaml:"client"`
	// HSTS tells browsers to come by HTTPS only (RFC 6797), in the place of what
	// a node says of it. Left out: the nodes decide.
	HSTS *HSTS `yaml:"hsts"`
}

// HSTS is the header Strict-Transport-Security. A browser keeps to it for as
// long as it says, whatever the file says later: begin with a short max_age.
type HSTS struct {
	// MaxAge is how long a browser remembers. Default: 365d; 0s makes it forget.
	MaxAge Duration `yaml:"max_age"`
	// IncludeSubdomains says that the same goes for every name below.
	IncludeSubdomains bool `yaml:"include_subdomains"`
	// Preload lets browsers have the host built in. Needs include_subdomains and
	// a max_age of 365d or more, as hstspreload.org does.
	Preload bool `yaml:"preload"`
}

// Shown are all certificates of the listener by name, the first of them for
// whoever fits none.
func (t ListenerTLS) Shown() []string {
	if t.Certificate == "" {
		return t.Certificates
	}
	return []string{t.Certificate}
}

// ClientTLS is the certificate of a client, verified here and told to the node.
// One that does not verify ends the handshake, also where none is required, and
// each connection is verified anew: no session is resumed on such a listener.
type ClientTLS struct {
	// CA is a PEM file of the authorities that issue to clients. Default: the
	// local CA alone (httpd: SSLCACertificateFile).
	CA string `yaml:"ca"`
	// Mode is `require` or `request`: with request, clients without a certificate
	// are served too. Default: require (httpd: SSLVerifyClient require,
	// optional).
	Mode ClientMode `yaml:"mode"`
	// Header is the request header that carries the certificate to the node.
	// Default: x-wso2-mutual-auth-cert. What a client sends under this name, or
	// under the default one, is removed, by every listener of the file.
	Header string `yaml:"header"`
	// Format is what the header says: pem is the certificate as URL-escaped PEM,
	// subject its distinguished name by RFC 2253, fingerprint the SHA-256 of its
	// DER in hex. Default: pem.
	Format ClientFormat `yaml:"format"`
}

// Route sends what is below a path to a pool, or refuses it: ProxyPass in
// httpd. Exactly one of deny and pool is given.
type Route struct {
	// Path is a prefix of whole segments: /app covers /app and /app/x, not
	// /apple. `/` is everything. Required, begins with /.
	Path string `yaml:"path"`
	// Deny answers 404, as `ProxyPass /path !` without a DocumentRoot does. Path
	// parameters (`/path;x`) do not slip past it.
	Deny bool `yaml:"deny"`
	// Pool names an entry of `pools`.
	Pool string `yaml:"pool"`
	// ClientCertificate is `require` where only clients with a verified
	// certificate may go, on a listener whose tls.client requests one; all others
	// get 403, and path parameters (`/path;x`) do not slip past it. Default:
	// request, whoever the listener serves (httpd: SSLVerifyClient in a Location).
	ClientCertificate ClientMode `yaml:"client_certificate"`
	// Timeout is how long the whole answer may take. Default: 300s, 0s is
	// no limit (Envoy: RouteAction.timeout; httpd: ProxyTimeout).
	Timeout Duration `yaml:"timeout"`
}

// Pool is a group of nodes that can stand in for each other: a
// `<Proxy balancer://…>` in httpd, a Cluster in Envoy.
type Pool struct {
	// Name identifies the pool. Required, unique.
	Name string `yaml:"name"`
	// Balance is how a node is chosen for a request without a session:
	// round_robin, least_request, random, ring_hash or maglev. Default:
	// round_robin; ring_hash where sticky.cookie is set (httpd: lbmethod). When
	// a node dies, ring_hash moves its clients alone, and maglev some few of
	// the others; when one joins, both move about its share.
	Balance Balance `yaml:"balance"`
	// Sticky is what keeps a session on its node. Left out: nothing does.
	Sticky *Sticky `yaml:"sticky"`
	// TLS is how usher speaks to the nodes. Left out: plain text.
	TLS *PoolTLS `yaml:"tls"`
	// Health is how a node proves that it lives. Default: {tcp: true}.
	Health Health `yaml:"health"`
	// TryTimeout ends an attempt on a node that sends nothing for so long, and
	// tries the next one; only for methods that may be repeated (GET, HEAD,
	// OPTIONS, TRACE, PUT, DELETE). Default: 0s, off: a slow login is not a
	// fault.
	TryTimeout Duration `yaml:"try_timeout"`
	// Nodes are the servers. Required, at least one.
	Nodes []Node `yaml:"nodes"`
}

// Draining are the names of the nodes that drain, in the file's order.
func (p Pool) Draining() []string {
	var names []string
	for _, n := range p.Nodes {
		if n.State == Drain {
			names = append(names, n.Name)
		}
	}
	return names
}

// Sticky keeps the requests of one session on one node: stickysession in
// httpd. Exactly one of its keys is given.
type Sticky struct {
	// JVMRoute is the cookie in which a servlet container puts the session id
	// followed by `.` and its own name, such as JSESSIONID. The name is the
	// text after the first dot, and that of a `;jsessionid=` in the path goes
	// before the cookie. Not with ring_hash or maglev.
	JVMRoute string `yaml:"jvm_route"`
	// Cookie is a cookie that the balancer makes itself and hashes. Only with
	// ring_hash (the default then) or maglev.
	Cookie *Cookie `yaml:"cookie"`
}

// Cookie is a cookie that Envoy makes for a client that has none yet. One who
// comes while nodes drain gets a second one, whose name ends in -drain.
type Cookie struct {
	// Name is the cookie's name, a token of RFC 6265. Required.
	Name string `yaml:"name"`
	// TTL is its life. Default: 0s, until the browser closes.
	TTL Duration `yaml:"ttl"`
}

// PoolTLS is the client side of TLS towards the nodes: 1.2 and 1.3.
type PoolTLS struct {
	// Verify is `ca`, `pin` or `none`. Default: ca. `pin` asks for a known key, whoever
	// signed the certificate, and neither for a name nor a date. `none` accepts
	// any certificate, as httpd does without SSLProxyVerify: anyone in between
	// can listen.
	Verify Verify `yaml:"verify"`
	// Pins are the keys that verify: pin accepts; one of them will do. Each is
	// sha256/ and the base64 of the SHA-256 of the SubjectPublicKeyInfo, as
	// `usher check --live` prints it; hexadecimal digits are read as well.
	Pins []Pin `yaml:"pins"`
	// CA is a PEM file of the authorities to trust. Default: the local CA and
	// the system's roots.
	CA string `yaml:"ca"`
	// ServerName is the name that every node's certificate must carry, and the
	// SNI; with verify: pin it is the SNI alone. Default: the host of each
	// node's address.
	ServerName string `yaml:"server_name"`
	// Certificate names an entry of `certificates`: what usher shows to nodes
	// that demand a client certificate (httpd: SSLProxyMachineCertificateFile).
	// Left out: none.
	Certificate string `yaml:"certificate"`
}

// Health is the check of each node. Not both of path and tcp.
type Health struct {
	// Path is asked by GET and must answer 200.
	Path string `yaml:"path"`
	// TCP connects, through the TLS handshake where the pool has TLS.
	TCP bool `yaml:"tcp"`
	// Interval is the time between two checks, 100ms to 1h. Default: 500ms for
	// tcp, 5s for path. A node is out after two failures in a row and back
	// after one success.
	Interval Duration `yaml:"interval"`
}

// Node is one server: a BalancerMember in httpd.
type Node struct {
	// Name is the node's name, unique in its pool and equal to the jvmRoute
	// it was started with: letters, digits, `_`, `-` and `.` (httpd: route=).
	Name string `yaml:"name"`
	// Address is HOST:PORT. A name is resolved again every few seconds;
	// whatever it resolves to, it is one node.
	Address Address `yaml:"address"`
	// Weight is its share of new sessions, 0.01 to 100. Default: 1 (httpd:
	// loadfactor).
	Weight Weight `yaml:"weight"`
	// State is `active`, `drain` (its sessions stay, nobody new comes),
	// `disabled` (nothing reaches it) or `standby` (serves when no active node
	// can). Default: active.
	State State `yaml:"state"`
}

// Certificate is what a listener shows to clients or a pool to nodes: issued
// and renewed by the local CA, obtained from an ACME directory, or taken from
// files.
type Certificate struct {
	// Name identifies the certificate. Required, unique.
	Name string `yaml:"name"`
	// Hosts are the names and IP addresses in it. Default: the hosts of the
	// listeners that use it, its own name where only pools do. Not with chain
	// and key.
	Hosts []string `yaml:"hosts"`
	// Chain is a PEM file, the leaf first. Needs key.
	Chain string `yaml:"chain"`
	// Key is the PEM file of its private key. Needs chain.
	Key string `yaml:"key"`
	// Lifetime is how long an issued certificate is valid, 60s to 825d.
	// Default: 90d. It is renewed when two thirds have passed. Not with acme.
	Lifetime Duration `yaml:"lifetime"`
	// KeyType is `ecdsa` (on P-256) or `rsa` (of 3072 bits, for clients that know
	// nothing else) where the certificate is not given as files. Default: ecdsa.
	// A change issues a new one.
	KeyType KeyType `yaml:"key_type"`
	// ACME obtains the certificate from a public or private ACME directory.
	// Not with chain and key.
	ACME *ACME `yaml:"acme"`
}

// ACME is where a certificate comes from and how its hosts are proven to be
// ours (RFC 8555). Until the first one is there, a certificate of the local CA
// serves; afterwards the last one does, whatever happens. Whoever names a
// directory agrees to its terms.
type ACME struct {
	// Directory is its URL. Default: that of Let's Encrypt,
	// https://acme-v02.api.letsencrypt.org/directory.
	Directory string `yaml:"directory"`
	// Email is whom the directory may write to. Default: nobody.
	Email string `yaml:"email"`
	// CA is a PEM file of the authorities to trust as the directory, for a
	// private one. Default: the system's roots.
	CA string `yaml:"ca"`
	// Challenge is `http-01`, answered by the listeners without TLS for the
	// hosts (the directory asks at port 80), or `tls-alpn-01`, answered by those
	// that show the certificate (port 443). Default: http-01 where such
	// listeners answer for all hosts, else tls-alpn-01.
	Challenge Challenge `yaml:"challenge"`
}

// Issued tells whether the local CA makes this certificate.
func (c Certificate) Issued() bool { return c.Chain == "" && c.Key == "" && c.ACME == nil }

// ShownToClients tells whether a listener uses the certificate of that name.
func (c *Cluster) ShownToClients(certificate string) bool {
	return slices.ContainsFunc(c.Listeners, func(l Listener) bool {
		return l.TLS != nil && slices.Contains(l.TLS.Shown(), certificate)
	})
}

// ShownToNodes tells whether a pool uses the certificate of that name.
func (c *Cluster) ShownToNodes(certificate string) bool {
	return slices.ContainsFunc(c.Pools, func(p Pool) bool {
		return p.TLS != nil && p.TLS.Certificate == certificate
	})
}

// Defaults of what the file leaves out.
const (
	DefaultRouteTimeout   = Duration(300 * time.Second)
	DefaultTCPInterval    = Duration(500 * time.Millisecond)
	DefaultPathInterval   = Duration(5 * time.Second)
	DefaultLifetime       = Duration(90 * 24 * time.Hour)
	DefaultWeight         = Weight(1)
	DefaultMaxAge         = Duration(365 * 24 * time.Hour)
	DefaultCertificateFor = "localhost" // where a listener answers for any host
	// DefaultClientHeader is what WSO2 Identity Server reads.
	DefaultClientHeader = "x-wso2-mutual-auth-cert"
	DefaultDirectory    = "https://acme-v02.api.letsencrypt.org/directory"
)

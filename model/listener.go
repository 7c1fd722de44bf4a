package model

import "strings"

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
	// Preset adds the routes that a product wants, see `usher show --preset`.
	// Left out: none.
	Preset *ListenerPreset `yaml:"preset"`
	// TCP passes every connection on to a pool, whatever is spoken on it, in the
	// place of routes: for Thrift or LDAP. It has its address to itself.
	TCP *TCP `yaml:"tcp"`
	// TrustedProxies are the addresses, or networks such as 10.0.0.0/8, of
	// proxies in front, whose X-Forwarded-For, -Proto, -Host and -Port count
	// (httpd: RemoteIPTrustedProxy). What anybody else says of himself there is
	// dropped; with proxy_protocol the address that the PROXY header names has to
	// be a proxy's. Listeners that share an address share them.
	TrustedProxies []Network `yaml:"trusted_proxies"`
	// ProxyProtocol says that every connection begins with a PROXY header,
	// version 1 or 2, that names the client (httpd: RemoteIPProxyProtocol). A
	// connection without one is closed. Listeners that share an address share it.
	ProxyProtocol bool `yaml:"proxy_protocol"`
	// Forwarded tells the nodes who asked, by X-Forwarded-For, -Host and -Port;
	// X-Forwarded-Proto they are told in any case, and what clients claim there is
	// dropped in any case. Without it a request costs the balancer 3 % less. Default:
	// true. Listeners that share an address share it.
	Forwarded Switch `yaml:"forwarded"`
	// ForwardedServer tells the nodes the listener's first host in
	// X-Forwarded-Server, as httpd does with its ServerName. Default: false.
	ForwardedServer bool `yaml:"forwarded_server"`
	// AccessLog is a line for every request. Left out: none. Listeners that share
	// an address share it.
	AccessLog *AccessLog `yaml:"access_log"`
	// Metrics counts what became of each request's session: `usher_requests_total`
	// in /metrics, by pool, node and outcome. Default: true. Listeners that share an
	// address share it.
	Metrics Switch `yaml:"metrics"`
	// Tracing sends spans of requests to a collector of OpenTelemetry. Left out:
	// none. Listeners that share an address share it.
	Tracing *Tracing `yaml:"tracing"`
}

// ListenerPreset adds the routes that a product wants before those of the file that
// are wider, or that lead there by a rewrite; a path that the file has itself is
// left to the file. A word in its place is its name.
type ListenerPreset struct {
	// Name is `wso2-is`. Required.
	Name Preset `yaml:"name" scalar:"true"`
	// Allow are the addresses, or networks, that may use what the preset closes to
	// everybody else. Default: nobody.
	Allow []Network `yaml:"allow"`
}

// TCP passes connections on to a pool.
type TCP struct {
	// Pool names an entry of `pools`. Required.
	Pool string `yaml:"pool" scalar:"true"`
	// IdleTimeout closes a connection on which nothing has moved for so long.
	// Default: 1h, 0s is never (Envoy: TcpProxy.idle_timeout).
	IdleTimeout Duration `yaml:"idle_timeout" range:"100ms..24h" zero:"true"`
}

// AccessLog is a line for every request, or connection of a listener with tcp.
// It says which node the request asked for, which it was sent to last and why: `sticky`,
// `new`, `failover` (its node could not), `drained` (its node is disabled),
// `unknown-route` (no node has that name), `hash` or `none`.
type AccessLog struct {
	// File is `stdout`, or a path. After a rotation, send usher SIGUSR1 to have it
	// opened anew. Default: `stdout`.
	File string `yaml:"file" scalar:"true"`
	// Format is `json`, or `combined` for that of httpd with the session's part
	// behind it. Default: json.
	Format LogFormat `yaml:"format"`
}

// Tracing are spans of requests, with the pool, the node and what became of the
// session in the tags usher.pool, usher.node and usher.outcome. The nodes are told by
// traceparent (W3C Trace Context), and get an x-request-id. The trace that a request
// brings goes on; whether its spans are sent is decided here all the same.
type Tracing struct {
	// Collector is HOST:PORT where OTLP over gRPC is taken, in plain text (usual is
	// port 4317). A name is resolved again every few seconds. Required.
	Collector Address `yaml:"collector" scalar:"true"`
	// Sample is the share of the requests that are traced, such as 0.5%. Default: 1%.
	Sample Percent `yaml:"sample"`
	// Service is what the balancer is called in the spans (service.name). Default:
	// usher.
	Service string `yaml:"service"`
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
	MaxAge Duration `yaml:"max_age" range:"0s..3650d"`
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
	// Default: `x-wso2-mutual-auth-cert`. What a client sends under this name, or
	// under the default one, is removed, by every listener of the file.
	Header string `yaml:"header"`
	// Format is what the header says: pem is the certificate as URL-escaped PEM,
	// subject its distinguished name by RFC 2253, fingerprint the SHA-256 of its
	// DER in hex. Default: pem.
	Format ClientFormat `yaml:"format"`
}

// FirstHost is what a listener is called where one name stands for all.
func (l Listener) FirstHost() string {
	for _, h := range l.Hosts {
		if !strings.HasPrefix(h, "*") {
			return h
		}
	}
	return DefaultCertificateFor
}

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

// Defaults of what the file leaves out.
const (
	DefaultTimeout        = Duration(300 * time.Second)
	DefaultTCPInterval    = Duration(500 * time.Millisecond)
	DefaultTCPTimeout     = Duration(750 * time.Millisecond)
	DefaultPathInterval   = Duration(5 * time.Second)
	DefaultConnectTimeout = Duration(time.Second)
	// DefaultIdleTimeout closes a kept connection before Tomcat does, after 20 s:
	// otherwise a request meets a connection that is just being closed.
	DefaultIdleTimeout    = Duration(15 * time.Second)
	DefaultTCPIdle        = Duration(time.Hour)
	DefaultSample         = Percent(1)
	DefaultService        = "usher"
	DefaultRetryOnStatus  = Duration(60 * time.Second) // httpd's
	DefaultAttempts       = Count(6)
	DefaultPasses         = Count(1)
	DefaultFails          = Count(2)
	DefaultPassive        = Count(3)
	DefaultLifetime       = Duration(90 * 24 * time.Hour)
	DefaultWeight         = Weight(1)
	DefaultMaxAge         = Duration(365 * 24 * time.Hour)
	DefaultRedirectStatus = Status(302) // httpd's
	DefaultContentType    = "text/plain; charset=utf-8"
	DefaultSeparator      = "."
	DefaultCertificateFor = "localhost" // where a listener answers for any host
	// DefaultClientHeader is what WSO2 Identity Server reads.
	DefaultClientHeader = "x-wso2-mutual-auth-cert"
	DefaultDirectory    = "https://acme-v02.api.letsencrypt.org/directory"
	// Websocket is the upgrade that every route lets through by default.
	Websocket = "websocket"
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

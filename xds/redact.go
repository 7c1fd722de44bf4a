package xds

import (
	"maps"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
)

// Redacted are the same resources with every private key replaced by the word
// [redacted], as Envoy's own config dump shows them.
func (r Resources) Redacted() Resources {
	r[Secrets] = maps.Clone(r[Secrets])
	for name, m := range r[Secrets] {
		s := proto.Clone(m).(*tlsv3.Secret)
		if c := s.GetTlsCertificate(); c != nil {
			c.PrivateKey = &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: "[redacted]"}}
		}
		r[Secrets][name] = s
	}
	return r
}

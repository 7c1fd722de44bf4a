package model

import (
	"fmt"
	"slices"
	"strings"
)

func (k *checker) listenerTLS(field string, t *ListenerTLS, certificates names) {
	if t == nil {
		return
	}
	k.shown(field, t, certificates)
	if t.Client != nil {
		k.clientHeader(field+".client.header", t.Client.Header)
	}
	if t.HSTS != nil {
		k.hsts(field+".hsts", *t.HSTS)
	}
}

// shown checks the names of the certificates.
func (k *checker) shown(field string, t *ListenerTLS, certificates names) {
	k.among(certificates, field+".certificate", "certificate", t.Certificate)
	many := field + ".certificates"
	if t.Certificate != "" && k.has(many) {
		k.fault(many, "both certificate and certificates", "write all names into certificates")
	}
	k.required(many, k.has(many) && len(t.Certificates) == 0, "the list names no certificate", "name one, or leave the key out: then the local CA issues one")
	for i, name := range t.Certificates {
		k.required(item(many, i), name == "", "the name is empty", "")
		k.among(certificates, item(many, i), "certificate", name)
		if slices.Contains(t.Certificates[:i], name) {
			k.fault(item(many, i), fmt.Sprintf("%q stands in the list twice", name), "remove one")
		}
	}
}

func (k *checker) hsts(field string, h HSTS) {
	k.ranges(field, h)
	if h.Preload && (!h.IncludeSubdomains || h.MaxAge < DefaultMaxAge) {
		k.fault(field+".preload", "browsers take no host with these words into their lists", "preload needs include_subdomains: true and a max_age of 365d or more")
	}
}

// routeClient checks what a path asks of clients.
func (k *checker) routeClient(field string, r Route, t *ListenerTLS) {
	switch {
	case !k.has(field):
	case r.Deny:
		k.fault(field, "a denied path asks nobody for a certificate", "remove it")
	case t == nil:
		k.fault(field, "a listener without tls has no client certificates", "add tls: {client: {mode: request}} to the listener")
	case t.Client == nil:
		k.fault(field, "the listener asks no client for a certificate", "add client: {mode: request} to its tls")
	case t.Client.Mode == ClientRequire && r.ClientCertificate == ClientRequest:
		k.fault(field, "the listener requires a certificate of everybody", "write mode: request in its tls.client, and client_certificate: require where one is needed")
	}
}

// taken are headers that mean something else to Envoy or to a node. Names that
// begin with a colon are no tokens.
var taken = []string{"authorization", "connection", "content-encoding", "content-length", "content-type", "cookie", "date", "expect",
	"host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"}

// clientHeader checks a header's name (RFC 9110, 5.1).
func (k *checker) clientHeader(field, name string) {
	switch {
	case strings.TrimLeft(name, letters+tokenMarks) != "" || len(name) > maxName:
		k.fault(field, fmt.Sprintf("%.140q is not the name of a header", name), "letters, digits and - will do")
	case slices.Contains(taken, name):
		k.fault(field, fmt.Sprintf("%q means something else already", name), "leave it out for "+DefaultClientHeader)
	}
}

// sharedTLS checks what two listeners on one address settle in one handshake,
// before the client has said which of them it means: the Host header that it
// sends later need not be the name that it sent for the handshake.
func (k *checker) sharedTLS(a, b *ListenerTLS, field string, line int) {
	if a == nil {
		return
	}
	same := func(key, hint string) {
		k.fault(field+"."+key, fmt.Sprintf("the listener in line %d has the same address and another %s", line, key), hint)
	}
	if a.MinVersion != b.MinVersion {
		same("min_version", "write the same in both, or give them different ports")
	}
	if (a.Client == nil) != (b.Client == nil) || a.Client != nil && *a.Client != *b.Client {
		same("client", "write the same in both, or give them different ports")
	}
}

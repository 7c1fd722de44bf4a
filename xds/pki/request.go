package pki

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Request is what a leaf is to be.
type Request struct {
	CommonName string        // at most 64 characters; may be empty
	Hosts      []string      // DNS names, also *.NAME, and IP addresses; at least one
	Lifetime   time.Duration // MinLifetime or more
	Use        Use           // on which side of a connection it is shown
	Key        KeyType       // of a new key: ECDSA where nothing is said
	Serial     *big.Int      // nil: a random one
}

// Use is on which side of a connection a certificate is shown: its extended
// key usage (RFC 5280, 4.2.1.12).
type Use int

// The uses of a certificate.
const (
	ForServers Use = iota
	ForClients
	ForBoth
)

// maxCommonName is ub-common-name of RFC 5280, appendix A.1.
const maxCommonName = 64

// dnsName is a host name of RFC 1123, or one below a wildcard; the underscore
// is what container networks put into names.
var dnsName = regexp.MustCompile(`^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)

// template is the request as a certificate without its validity.
func (r Request) template(key crypto.PublicKey) (*x509.Certificate, error) {
	if r.Lifetime < MinLifetime {
		return nil, fmt.Errorf("a lifetime of %s is too short: %s is the least", r.Lifetime, MinLifetime)
	}
	if len(r.CommonName) > maxCommonName {
		return nil, fmt.Errorf("the common name %q is longer than %d characters", r.CommonName, maxCommonName)
	}
	names, ips, err := subjects(r.Hosts)
	if err != nil {
		return nil, err
	}
	id, err := keyID(key)
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber:          r.Serial,
		Subject:               pkix.Name{CommonName: r.CommonName},
		DNSNames:              names,
		IPAddresses:           ips,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           r.usages(),
		BasicConstraintsValid: true,
		SubjectKeyId:          id,
	}, nil
}

func (r Request) usages() []x509.ExtKeyUsage {
	switch r.Use {
	case ForClients:
		return []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	case ForBoth:
		return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	default:
		return []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
}

// FitForClients tells whether a certificate may be shown by a TLS client: it is
// for them, for anything, or says nothing about its use.
func FitForClients(leaf *x509.Certificate) bool {
	return len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 ||
		slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth) ||
		slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// subjects sorts hosts into DNS names and IP addresses, each once, sorted,
// DNS names in lower case and without a dot at the end.
func subjects(hosts []string) (names []string, ips []net.IP, err error) {
	if len(hosts) == 0 {
		return nil, nil, errors.New("a certificate needs at least one host")
	}
	var addresses []netip.Addr
	for _, h := range hosts {
		if ip, err := netip.ParseAddr(h); err == nil && ip.Zone() == "" {
			addresses = append(addresses, ip.Unmap())
			continue
		}
		name := strings.TrimSuffix(strings.ToLower(h), ".")
		if len(name) > 253 || !dnsName.MatchString(name) {
			return nil, nil, fmt.Errorf("%q is neither a DNS name (letters of other scripts as xn--…) nor an IP address", h)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	slices.SortFunc(addresses, netip.Addr.Compare)
	for _, ip := range slices.Compact(addresses) {
		ips = append(ips, ip.AsSlice())
	}
	return slices.Compact(names), ips, nil
}

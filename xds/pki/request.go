package pki

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
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
	Client     bool          // for TLS clients instead of servers
	Key        KeyType       // ECDSA where nothing is said
}

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
		Subject:               pkix.Name{CommonName: r.CommonName},
		DNSNames:              names,
		IPAddresses:           ips,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{r.usage()},
		BasicConstraintsValid: true,
		SubjectKeyId:          id,
	}, nil
}

func (r Request) usage() x509.ExtKeyUsage {
	if r.Client {
		return x509.ExtKeyUsageClientAuth
	}
	return x509.ExtKeyUsageServerAuth
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

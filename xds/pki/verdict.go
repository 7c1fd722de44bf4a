package pki

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Objection is why a certificate would not pass, and what to do about it.
type Objection struct {
	What string `json:"what"` // in lower case, "the certificate" is not repeated
	Hint string `json:"hint,omitempty"`
}

// Pin is a certificate's public key as `pins` in cluster.yaml name it: sha256/
// and the base64 of the SHA-256 of its SubjectPublicKeyInfo (RFC 7469, 2.4).
func Pin(c *x509.Certificate) string {
	hash := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return "sha256/" + base64.StdEncoding.EncodeToString(hash[:])
}

// DaysLeft are the whole days until a certificate expires; negative when it
// has.
func DaysLeft(c *x509.Certificate, now time.Time) int {
	return int(math.Floor(c.NotAfter.Sub(now).Hours() / 24))
}

// Names are the host names and IP addresses that a certificate is for, as its
// subjectAltName says: Envoy reads no other.
func Names(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// ByPins says why Envoy would refuse what was seen if one of these pins had to
// be its key's. It looks at nothing else, not even at the dates.
func (s Seen) ByPins(pins []string) []Objection {
	if pin := Pin(s.Chain[0]); !slices.Contains(pins, pin) {
		return []Objection{{"its key is none of the pinned ones", "if this is the right node, add " + pin + " to pins"}}
	}
	return nil
}

// ByCA says why Envoy would refuse what was seen if one of the authorities in
// roots (PEM) had to vouch for it, at the time of the probe, for one of the
// names: all reasons, none where it would pass.
func (s Seen) ByCA(roots []byte, names []string) []Objection {
	all := s.byDate()
	if o := s.byChain(roots); o != nil {
		all = append(all, *o)
	}
	return append(all, s.byName(names)...)
}

func (s Seen) byDate() []Objection {
	leaf := s.Chain[0]
	switch {
	case s.At.After(leaf.NotAfter):
		return []Objection{{"it expired on " + leaf.NotAfter.UTC().Format(time.DateOnly), "renew it on the node"}}
	case s.At.Before(leaf.NotBefore):
		return []Objection{{"it is not valid before " + leaf.NotBefore.UTC().Format(time.RFC3339), "are the clocks right?"}}
	}
	return nil
}

func (s Seen) byName(names []string) []Objection {
	leaf := s.Chain[0]
	for _, n := range names {
		if leaf.VerifyHostname(n) == nil {
			return nil
		}
	}
	wanted, has := few(names, " or "), Names(leaf)
	if len(has) == 0 {
		return []Objection{{fmt.Sprintf("it has no subjectAltName, only the common name %q, which does not count", leaf.Subject.CommonName),
			"issue it anew with subjectAltName " + wanted + ", or write verify: pin"}}
	}
	return []Objection{{fmt.Sprintf("it is for %s, not for %s", few(has, ", "), wanted),
		fmt.Sprintf("issue it anew with the name, or, if all nodes of the pool have it, write server_name: %s", strings.Replace(has[0], "*", "NAME", 1))}}
}

// few joins names that may be thousands.
func few(names []string, by string) string {
	const most = 6
	if len(names) <= most {
		return strings.Join(names, by)
	}
	return fmt.Sprintf("%s%sone of %d more", strings.Join(names[:most], by), by, len(names)-most)
}

// byChain looks for a way to an authority. The leaf's own dates are judged
// apart from it.
func (s Seen) byChain(roots []byte) *Objection {
	leaf, options := s.Chain[0], x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: s.At}
	options.Roots.AppendCertsFromPEM(roots)
	for _, c := range s.Chain[1:] {
		options.Intermediates.AddCert(c)
	}
	if len(s.byDate()) > 0 {
		options.CurrentTime = leaf.NotAfter.Add(-time.Second)
	}
	_, err := leaf.Verify(options)
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
		return nil
	case slices.ContainsFunc(s.Chain, oldSignature):
		return &Objection{"it, or its issuer, is signed with SHA-1, which is not judged here", "Envoy 1.40 still takes such a signature; renew it with SHA-256"}
	case errors.As(err, &unknown):
		return s.unknown()
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return &Objection{fmt.Sprintf("the certificate of its issuer %s is not valid now", named(invalid.Cert)), "renew the chain on the node, or the authority"}
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return &Objection{"it is not for TLS servers (extended key usage)", "issue it anew with extendedKeyUsage=serverAuth"}
	}
	return &Objection{strings.TrimPrefix(err.Error(), "x509: "), ""}
}

// unknown is an issuer that none of the authorities vouches for.
func (s Seen) unknown() *Objection {
	leaf, last := s.Chain[0], s.Chain[len(s.Chain)-1]
	switch {
	case selfSigned(leaf):
		return &Objection{"it is self-signed, and no authority of the pool", "put it into a PEM file and name that as ca, or write verify: pin"}
	case selfSigned(last):
		return &Objection{fmt.Sprintf("its authority %s is not one of the pool's", last.Subject), "name the PEM file of that authority as ca"}
	}
	return &Objection{fmt.Sprintf("its issuer %s is not one of the pool's authorities", last.Issuer),
		"name the PEM file of that authority as ca, or let the node send the certificates in between as well"}
}

func selfSigned(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

func oldSignature(c *x509.Certificate) bool {
	return c.SignatureAlgorithm == x509.SHA1WithRSA || c.SignatureAlgorithm == x509.ECDSAWithSHA1
}

// Remarks are what Envoy takes in every mode (tried on 1.40) and should not
// stay.
func (s Seen) Remarks() (all []Objection) {
	if key, ok := s.Chain[0].PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSA {
		all = append(all, Objection{fmt.Sprintf("its RSA key of %d bits is weak", key.N.BitLen()), fmt.Sprintf("issue it anew with %d bits or more, or ECDSA", minRSA)})
	}
	return all
}

// Package acme obtains certificates from an ACME directory (RFC 8555), such as
// Let's Encrypt, and says when to ask again. It serves the loop in cmd/usher,
// which shows the challenges through Envoy.
//
// It never answers a challenge itself, starts no goroutine, and reads no clock
// but the one it is given. It asks nobody without having noted the attempt
// before: a program that is started over and over does not hammer the
// directory.
//
// It speaks the protocol by golang.org/x/crypto/acme: the standard library's
// own people keep it, it brings no further dependency, and nothing here needs
// what github.com/mholt/acmez has beyond it (renewal information, profiles).
//
// Its part of the state folder, every file 0600:
//
//	acme/accounts/HOST-HASH.key    the account's key, by directory and email
//	acme/certificates/NAME.pem     the last certificate obtained, its key first
//	acme/certificates/NAME.json    where it is from, and the failures since
//	acme/between.pem               shown to acme-tls/1 between challenges
package acme

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"usher/xds/pki"
)

// LetsEncrypt is the production directory of Let's Encrypt.
const LetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// The challenges that are answered.
const (
	HTTP01    = "http-01"     // RFC 8555, 8.3
	TLSALPN01 = "tls-alpn-01" // RFC 8737
)

// Protocol is the application protocol of a TLSALPN01 challenge (RFC 8737, 4).
const Protocol = "acme-tls/1"

// PathPrefix is the folder of HTTP01 challenges (RFC 8555, 8.3).
const PathPrefix = "/.well-known/acme-challenge/"

// Challenge is a question of the directory and what is to be shown for it:
// Answer at Path by plain HTTP, or Pair in a handshake for Protocol.
type Challenge struct {
	Host   string
	Path   string   // HTTP01 only
	Answer string   // HTTP01 only
	Pair   pki.Pair // TLSALPN01 only
}

// Request is a certificate that is wanted.
type Request struct {
	Name      string      // of the certificate; it becomes a file name
	Hosts     []string    // DNS names in lower case, no wildcards, at least one
	Directory string      // URL
	Email     string      // may be empty
	Roots     []byte      // PEM: whom to trust as the directory; nil is the system's roots
	Type      string      // HTTP01 or TLSALPN01
	Key       pki.KeyType // of the certificate
}

// Same tells whether a certificate for one request answers the other.
func (r Request) Same(other Request) bool { return r.Name == other.Name && r.id() == other.id() }

// id tells requests apart that may fail for different reasons.
func (r Request) id() string {
	return digest(append([]string{r.Directory, r.Email, r.Type, fmt.Sprint(r.Key), string(r.Roots)}, r.Hosts...)...)
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// Client keeps accounts and certificates in Dir, STATE/acme. The zero Client
// keeps nothing and can't obtain.
type Client struct {
	Dir string
}

func (c Client) certificate(name string) string {
	return filepath.Join(c.Dir, "certificates", name+".pem")
}
func (c Client) note(name string) string { return filepath.Join(c.Dir, "certificates", name+".json") }

// account is where the key of a request's account lies. Another email is
// another account.
func (c Client) account(r Request) string {
	host := "directory"
	if u, err := url.Parse(r.Directory); err == nil && u.Hostname() != "" {
		host = strings.ReplaceAll(u.Hostname(), ":", "_")
	}
	return filepath.Join(c.Dir, "accounts", host+"-"+digest(r.Directory, r.Email)+".key")
}

// answers tells whether a certificate is for just the hosts of the request.
func (r Request) answers(p pki.Pair) bool {
	if p.Leaf == nil || !pki.IsOf(p.Leaf.PublicKey, r.Key) {
		return false
	}
	have, want := slices.Sorted(slices.Values(p.Leaf.DNSNames)), slices.Sorted(slices.Values(r.Hosts))
	return slices.Equal(have, slices.Compact(want))
}

// Package pki makes and reads certificates: a local authority and the leaves
// it keeps fresh, the PEM files that an operator names, the roots of the
// system, and the internal authority of the xDS port. It serves the loop in
// cmd/usher, which turns its faults into problems of the file, and the
// translation, which takes nothing but its Pairs.
//
// It never reads a clock (the time is an argument), never overwrites an
// authority, starts no goroutine, logs nothing, and sends nothing anywhere;
// only the package acme below it talks to somebody. All use of crypto/x509 is
// here and there.
//
// The state folder, every file 0600, every folder 0700:
//
//	ca/ca.crt, ca/ca.key          the local authority; ca.crt is what clients trust
//	ca-other/                     during a rotation: the new one, or the old one
//	retired/FINGERPRINT.crt       authorities that a rotation took away
//	ledger/SERIAL.crt             what was issued for use elsewhere
//	imported/NAME.crt, NAME.key   what was imported
//	certificates/NAME.pem         an issued certificate, its key first
//	internal/ca/                  the authority of the xDS port, trusted by no client
//	acme/                         what the package acme has obtained
//
// An authority that the operator already has may be put into ca/ before the
// first start, or imported: self-signed, RSA or ECDSA, the key as it is, under
// a passphrase, or not there at all; then what is there serves as long as it
// is valid.
package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"time"
)

// Pair is a certificate and its private key, as Envoy takes them.
type Pair struct {
	Chain []byte            // PEM, the leaf first; certificates only, whatever the file held
	Key   []byte            // PEM, one unencrypted private key
	Leaf  *x509.Certificate // the first of Chain
}

// Leaf is a certificate, for those who hold many and look into none.
type Leaf = *x509.Certificate

// RenewAt is when two thirds of a certificate's life have passed, and up to a
// thirtieth more, which its serial number decides: those that were issued
// together are not renewed together, and a restart changes nothing about it.
func RenewAt(leaf *x509.Certificate) time.Time {
	life := leaf.NotAfter.Sub(leaf.NotBefore)
	sum := sha256.Sum256(leaf.SerialNumber.Bytes())
	later := life / 30 / 256 * time.Duration(sum[0])
	return leaf.NotBefore.Add(life/3*2 + later)
}

// The files that a Fault can lie in, by their keys in cluster.yaml.
const (
	InChain = "chain"
	InKey   = "key"
	InCA    = "ca"
)

// Fault is what is wrong with a file that the operator named.
type Fault struct {
	In   string // InChain, InKey or InCA
	What string // one line, in lower case
	Hint string // what to do about it; may be empty
}

// Error is the fault in one line, the hint in brackets.
func (f *Fault) Error() string {
	if f.Hint == "" {
		return f.In + ": " + f.What
	}
	return f.In + ": " + f.What + " (" + f.Hint + ")"
}

// Faults are all the faults in an error of this package, in the order of
// chain, key: a chain and its key can both be broken.
func Faults(err error) []*Fault {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Fault
		for _, e := range many.Unwrap() {
			all = append(all, Faults(e)...)
		}
		return all
	}
	var f *Fault
	if errors.As(err, &f) {
		return []*Fault{f}
	}
	return nil
}

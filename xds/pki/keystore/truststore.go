package keystore

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// aliases are the names that Java finds again in both of its stores: it looks
// for them in lower case.
var aliases = regexp.MustCompile(`^[a-z0-9][a-z0-9 ._-]{0,127}$`)

// passwords are those that Java takes for both of its stores: keytool asks for
// 6 characters, and PKCS12 in Java fails with "Password is not ASCII".
var passwords = regexp.MustCompile(`^[ -~]{6,}$`)

func checkAlias(alias string) error {
	if !aliases.MatchString(alias) {
		return fmt.Errorf("%q is not a name for a trusted certificate: it has 1 to 128 of a-z, 0-9, space and . _ -, and begins with a letter or digit", alias)
	}
	return nil
}

// TrustStore writes certificates for clients to trust. DER holds exactly one;
// PEM and DER have neither names nor a password. PKCS12 (AES-256, for Java
// 8u301 and later) and JKS ask for a password of at least 6 ASCII characters,
// as Java does, and for names in lower case, each once. The same entries and
// password give the same bytes.
func TrustStore(format Format, entries []Entry, password []byte) ([]byte, error) {
	if len(entries) == 0 {
		return nil, errors.New("there is no certificate to trust")
	}
	switch format {
	case PEM:
		return bundle(entries), nil
	case DER:
		if len(entries) > 1 {
			return nil, fmt.Errorf("a DER file holds one certificate, not %d: choose pem, pkcs12 or jks", len(entries))
		}
		return bytes.Clone(entries[0].Certificate.Raw), nil
	case PKCS12, JKS:
		if err := checkStore(entries, password); err != nil {
			return nil, err
		}
		if format == JKS {
			return jksStore(entries, password), nil
		}
		return pkcs12Store(entries, password)
	}
	return nil, fmt.Errorf("%q is not a format", format)
}

func bundle(entries []Entry) []byte {
	var text []byte
	for _, e := range entries {
		text = append(text, certificatePEM(e.Certificate)...)
	}
	return text
}

func checkStore(entries []Entry, password []byte) error {
	if !passwords.Match(password) {
		return errors.New("the password of a store has at least 6 characters, all of them ASCII, for Java's sake")
	}
	seen := map[string]bool{}
	for _, e := range entries {
		if err := checkAlias(e.Alias); err != nil {
			return err
		}
		if seen[e.Alias] {
			return fmt.Errorf("the name %q is there twice", e.Alias)
		}
		seen[e.Alias] = true
	}
	return nil
}

// AddTrusted adds a certificate to a PKCS12 or JKS store, or to a PEM bundle,
// and leaves all that is there as it was, keys and secrets too. Where the store
// trusts the certificate already, under whatever name, it is given back
// unchanged. A name that another entry has is an error. A nil password opens a
// PKCS12 store without one.
func AddTrusted(existing, password []byte, e Entry) (store []byte, changed bool, err error) {
	if err := checkAlias(e.Alias); err != nil {
		return nil, false, err
	}
	switch kind(existing) {
	case PEM:
		return addToPEM(existing, e)
	case JKS:
		return addToJKS(existing, password, e)
	case PKCS12:
		return addToPKCS12(existing, password, e)
	case DER:
		return nil, false, errors.New("a DER file holds one certificate, none can be added")
	}
	return nil, false, unknown(existing)
}

// addToPEM reads certificates only: a key beside them, even encrypted, is
// nothing that a trust store has, but nothing to lose either.
func addToPEM(existing []byte, e Entry) ([]byte, bool, error) {
	all, err := blocks(bytes.TrimPrefix(existing, bom))
	if err != nil {
		return nil, false, err
	}
	for _, b := range all {
		if bytes.Equal(b.Bytes, e.Certificate.Raw) {
			return existing, false, nil
		}
	}
	store := bytes.Clone(existing)
	if !bytes.HasSuffix(store, []byte("\n")) {
		store = append(store, '\n')
	}
	return append(store, certificatePEM(e.Certificate)...), true, nil
}

func addToJKS(existing, password []byte, e Entry) ([]byte, bool, error) {
	s, err := openJKS(existing, password)
	if err != nil {
		return nil, false, err
	}
	there, err := has(s.trusted, s.names, e)
	if err != nil {
		return nil, false, err
	}
	if there {
		return existing, false, nil
	}
	s.trust(e)
	return s.marshal(password), true, nil
}

func addToPKCS12(existing, password []byte, e Entry) ([]byte, bool, error) {
	s, err := openSafe(existing, password)
	if err != nil {
		return nil, false, err
	}
	bags, err := s.bags()
	if err != nil {
		return nil, false, err
	}
	var c Contents
	var names []string
	for _, b := range bags {
		names = append(names, b.alias())
		if b.ID.Equal(oidCertBag) && b.trusted() {
			if err := c.addCertificate(b); err != nil {
				return nil, false, err
			}
		}
	}
	there, err := has(c.Trusted, names, e)
	if err != nil {
		return nil, false, err
	}
	if there {
		return existing, false, nil
	}
	if err := s.trust([]Entry{e}); err != nil {
		return nil, false, err
	}
	store, err := s.marshal()
	return store, err == nil, err
}

// has tells whether the certificate is trusted already; a name in use is an
// error.
func has(trusted []Entry, names []string, e Entry) (bool, error) {
	for _, t := range trusted {
		if t.Certificate.Equal(e.Certificate) {
			return true, nil
		}
	}
	if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, e.Alias) }) {
		return false, fmt.Errorf("the store has another entry of the name %q: choose another name, or delete it with keytool -delete -alias %q", e.Alias, e.Alias)
	}
	return false, nil
}

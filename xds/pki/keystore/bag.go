package keystore

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
)

var (
	oidKeyBag       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
	oidShroudedBag  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
	oidCertBag      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
	oidX509         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}
	oidFriendlyName = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20}
	// Java trusts a certificate in a PKCS12 store by this attribute alone
	// (trustedKeyUsage, with the usages it is trusted for).
	oidJavaTrust = asn1.ObjectIdentifier{2, 16, 840, 1, 113894, 746875, 1, 1}
	oidAnyUsage  = asn1.ObjectIdentifier{2, 5, 29, 37, 0}
)

// bag is an entry of a PKCS12 file (RFC 7292, 4.2).
type bag struct {
	ID         asn1.ObjectIdentifier
	Value      asn1.RawValue `asn1:"tag:0,explicit"`
	Attributes []attribute   `asn1:"set,optional"`
}

type attribute struct {
	ID     asn1.ObjectIdentifier
	Values asn1.RawValue `asn1:"set"`
}

type certBag struct {
	ID   asn1.ObjectIdentifier
	Data []byte `asn1:"tag:0,explicit"`
}

// readPKCS12 reads the one key with its chain, and the certificates that Java
// would trust. Other entries (secrets, revocation lists) are left out.
func readPKCS12(data, passphrase []byte) (Contents, error) {
	s, err := openSafe(data, passphrase)
	if err != nil {
		return Contents{}, err
	}
	bags, err := s.bags()
	if err != nil {
		return Contents{}, err
	}
	c := Contents{Format: PKCS12}
	var keys []bag
	for _, b := range bags {
		switch {
		case b.ID.Equal(oidCertBag):
			err = c.addCertificate(b)
		case b.ID.Equal(oidKeyBag), b.ID.Equal(oidShroudedBag):
			keys = append(keys, b)
		}
		if err != nil {
			return Contents{}, err
		}
	}
	if err := c.addKey(keys, s.passphrase); err != nil {
		return Contents{}, err
	}
	return c, nil
}

func (c *Contents) addCertificate(b bag) error {
	var inner certBag
	if err := unmarshal(b.Value.Bytes, &inner); err != nil {
		return err
	}
	if !inner.ID.Equal(oidX509) {
		return nil // SDSI: never seen
	}
	cert, err := x509.ParseCertificate(inner.Data)
	switch {
	case err != nil && b.trusted():
		return nil // old stores trust certificates that break RFC 5280
	case err != nil:
		return fmt.Errorf("the certificate %q cannot be read: %w", b.alias(), err)
	case b.trusted():
		c.Trusted = append(c.Trusted, Entry{b.alias(), cert})
	default:
		c.Chain = append(c.Chain, cert)
	}
	return nil
}

// addKey takes the only key, and puts its chain into order: the bags of a
// PKCS12 file have none.
func (c *Contents) addKey(keys []bag, passphrase []byte) (err error) {
	if len(keys) == 0 {
		return nil
	}
	if len(keys) > 1 {
		var names []string
		for _, k := range keys {
			names = append(names, k.alias())
		}
		return manyKeys(names)
	}
	if keys[0].ID.Equal(oidKeyBag) {
		c.Key, err = plainKey(keys[0].Value.Bytes)
	} else {
		c.Key, err = encryptedKey(keys[0].Value.Bytes, passphrase)
	}
	if errors.Is(err, ErrWrongPassphrase) {
		return fmt.Errorf("the key %q has another passphrase than the store, give it the same: %w", keys[0].alias(), err)
	}
	c.Chain = chainOf(c.Key, c.Chain)
	return err
}

func manyKeys(names []string) error {
	return fmt.Errorf("the store holds %d private keys (%s): leave one of them, by keytool -importkeystore -srckeystore FILE -srcalias NAME -destkeystore NEW.p12 -deststoretype PKCS12", len(names), strings.Join(names, ", "))
}

func (b bag) attribute(id asn1.ObjectIdentifier) ([]byte, bool) {
	for _, a := range b.Attributes {
		if a.ID.Equal(id) {
			return a.Values.Bytes, true
		}
	}
	return nil, false
}

// trusted tells whether Java trusts the certificate.
func (b bag) trusted() bool {
	_, found := b.attribute(oidJavaTrust)
	return found
}

// alias is the entry's name; empty where it has none.
func (b bag) alias() string {
	der, _ := b.attribute(oidFriendlyName)
	var name asn1.RawValue
	if unmarshal(der, &name) != nil || name.Tag != asn1.TagBMPString {
		return ""
	}
	var units []uint16
	for i := 0; i+1 < len(name.Bytes); i += 2 {
		units = append(units, uint16(name.Bytes[i])<<8|uint16(name.Bytes[i+1]))
	}
	return string(utf16.Decode(units))
}

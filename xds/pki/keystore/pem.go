package keystore

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// begin is the first line of a PEM block. pem.Decode silently skips a block
// that it cannot read, so the blocks are counted by these lines.
var begin = regexp.MustCompile(`(?m)^\x{feff}?-----BEGIN `)

// bom is what Windows editors put before UTF-8 text.
var bom = []byte("\ufeff")

// readPEM reads certificates and at most one key. Other blocks (parameters,
// requests) and the text between are left out.
func readPEM(text, passphrase []byte) (Contents, error) {
	all, err := blocks(bytes.TrimPrefix(text, bom))
	if err != nil {
		return Contents{}, err
	}
	c := Contents{Format: PEM}
	for i, b := range all {
		if err := c.add(b, passphrase); err != nil {
			return Contents{}, fmt.Errorf("PEM block %d (%s): %w", i+1, b.Type, err)
		}
	}
	if c.Chain == nil && c.Key == nil {
		return Contents{}, fmt.Errorf("there is no certificate and no private key in the file, its first PEM block is %q", all[0].Type)
	}
	return c, nil
}

func blocks(text []byte) ([]*pem.Block, error) {
	var all []*pem.Block
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		all = append(all, b)
	}
	if wanted := len(begin.FindAllIndex(text, -1)); wanted > len(all) || len(all) == 0 {
		return nil, fmt.Errorf("only %d of the file's %d PEM blocks can be read: it is cut off or was damaged by an editor, copy it again", len(all), max(wanted, 1))
	}
	return all, nil
}

// add takes a block into the contents.
func (c *Contents) add(b *pem.Block, passphrase []byte) error {
	switch {
	case b.Type == "CERTIFICATE", b.Type == "X509 CERTIFICATE":
		cert, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return fmt.Errorf("it is not a certificate: %w", err)
		}
		c.Chain = append(c.Chain, cert)
	case b.Type == "TRUSTED CERTIFICATE":
		return errors.New("make a plain certificate of it with openssl x509 -in FILE -out NEW")
	case b.Type == "PKCS7":
		return errPKCS7
	case strings.HasSuffix(b.Type, "PRIVATE KEY"):
		if c.Key != nil {
			return errors.New("there is more than one private key in the file: leave the one that fits the certificate")
		}
		key, err := blockKey(b, passphrase)
		if err != nil {
			return err
		}
		c.Key = key
	}
	return nil
}

// blockKey is the private key in a block.
func blockKey(b *pem.Block, passphrase []byte) (crypto.Signer, error) {
	if b.Headers["DEK-Info"] != "" {
		return oldKey(b, passphrase)
	}
	switch b.Type {
	case "ENCRYPTED PRIVATE KEY":
		return encryptedKey(b.Bytes, passphrase)
	case "RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY":
		return plainKey(b.Bytes)
	}
	return nil, errors.New("only RSA, ECDSA and Ed25519 keys can be used")
}

// oldKey reads a key under openssl's own encryption (Proc-Type: 4,ENCRYPTED;
// RFC 1421, and one round of MD5). Nothing in it proves the passphrase: a
// wrong one shows as bytes that are no key.
func oldKey(b *pem.Block, passphrase []byte) (crypto.Signer, error) {
	if passphrase == nil {
		return nil, ErrPassphraseNeeded
	}
	cipher, _, _ := strings.Cut(b.Headers["DEK-Info"], ",")
	der, err := x509.DecryptPEMBlock(b, passphrase) //nolint:staticcheck // openssl genrsa -des3 wrote such keys until version 3
	if errors.Is(err, x509.IncorrectPasswordError) {
		return nil, ErrWrongPassphrase
	}
	if err != nil {
		return nil, fmt.Errorf("its encryption (%q) cannot be undone: write it anew with openssl pkcs8 -topk8 -in FILE -out NEW", cipher)
	}
	key, err := plainKey(der)
	if errors.Is(err, errNoKey) {
		return nil, ErrWrongPassphrase
	}
	return key, err
}

func certificatePEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

// Package keystore reads and writes the files in which other tools keep
// certificates and keys: PEM and DER as openssl writes them, PKCS12 (.p12,
// .pfx) and Java's JKS, with their passphrases. It serves the import of a
// certificate or of an authority, and the export of trust stores to clients;
// whether a chain fits its key and may be served is for xds/pki to say.
//
// What it adds to a store leaves every other entry as it was, byte for byte,
// also those of kinds that it does not know: nothing is decoded and written
// anew.
//
// It opens no file, reads no clock, keeps nothing, and no passphrase or key is
// ever part of an error. Files are taken as hostile: every length is checked,
// and the work that a file may ask for is bounded. It has no dependency but
// scrypt: no public library adds an entry to a PKCS12 file that holds keys,
// and those for encrypted keys and for JKS panic on damaged input.
package keystore

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// What a caller asks the user about.
var (
	// ErrPassphraseNeeded tells that a file is encrypted and no passphrase was given.
	ErrPassphraseNeeded = errors.New("it is protected by a passphrase, and none was given")
	// ErrWrongPassphrase tells that the passphrase given is not that of the
	// file. Some formats cannot tell this from a damaged file.
	ErrWrongPassphrase = errors.New("the passphrase is wrong")
)

// Format is a kind of file.
type Format string

// The formats.
const (
	PEM    Format = "pem"
	DER    Format = "der"
	PKCS12 Format = "pkcs12"
	JKS    Format = "jks"
)

// ParseFormat reads a format as a user names it, or the ending of a file's
// name without its dot: pem, crt, cer, der, pkcs12, p12, pfx, jks.
func ParseFormat(word string) (Format, error) {
	switch strings.ToLower(word) {
	case "pem", "crt":
		return PEM, nil
	case "der", "cer":
		return DER, nil
	case "pkcs12", "p12", "pfx":
		return PKCS12, nil
	case "jks":
		return JKS, nil
	}
	return "", fmt.Errorf("%q is not a format: choose pem, der, pkcs12 or jks", word)
}

// Entry is a certificate that a store trusts, by its name there.
type Entry struct {
	Alias       string // see checkAlias; empty where the format has no names
	Certificate *x509.Certificate
}

// Contents is what a file holds.
type Contents struct {
	Format Format
	// Chain is the key's certificate and those that issued it. PEM files and
	// stores without a key give their certificates in the file's order, and
	// nothing here says that it is the right one.
	Chain   []*x509.Certificate
	Key     crypto.Signer // RSA, ECDSA or Ed25519; nil where the file has none
	Trusted []Entry       // of a PKCS12 or JKS store, in its order
}

// ChainPEM writes the chain in its order.
func (c Contents) ChainPEM() []byte {
	var text []byte
	for _, cert := range c.Chain {
		text = append(text, certificatePEM(cert)...)
	}
	return text
}

// KeyPEM writes the key unencrypted in PKCS#8. It must not reach a file that
// others can read.
func (c Contents) KeyPEM() ([]byte, error) {
	if c.Key == nil {
		return nil, errors.New("there is no private key in the file")
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.Key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Read tells the format of a file by its bytes and gives what it holds. A nil
// passphrase is none. Errors may wrap ErrPassphraseNeeded or
// ErrWrongPassphrase; all others are about the file: cut off, in a format that
// is refused by name, holding more than one key, or nothing to read.
func Read(data, passphrase []byte) (Contents, error) {
	switch kind(data) {
	case PEM:
		return readPEM(data, passphrase)
	case DER:
		return readDER(data, passphrase)
	case PKCS12:
		return readPKCS12(data, passphrase)
	case JKS:
		return readJKS(data, passphrase)
	}
	return Contents{}, unknown(data)
}

// The first bytes of Java's own stores.
const (
	magicJKS   = 0xfeedfeed
	magicJCEKS = 0xcececece
)

// kind tells a format by a file's bytes; it is empty for any other file.
func kind(data []byte) Format {
	switch {
	case magic(data) == magicJKS:
		return JKS
	case begin.Match(data):
		return PEM
	case len(data) > 1 && data[0] == 0x30 && isPFX(data):
		return PKCS12
	case len(data) > 1 && data[0] == 0x30:
		return DER
	}
	return ""
}

func magic(data []byte) uint32 {
	if len(data) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(data)
}

// unknown is the error of a file in no format of ours.
func unknown(data []byte) error {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("the file is empty")
	case magic(data) == magicJCEKS:
		return errors.New("a JCEKS store is not read here: make a PKCS12 one of it with keytool -importkeystore -srckeystore FILE -srcstoretype JCEKS -destkeystore NEW.p12 -deststoretype PKCS12")
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return errors.New("the file is text in UTF-16: save it as ASCII or UTF-8")
	}
	return errors.New("the file is neither PEM, DER, PKCS12 nor JKS")
}

package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"strings"
)

// minRSA is the least size of an RSA key in bits that BoringSSL, and so Envoy,
// takes for a server.
const minRSA = 2048

// privateKey is the one private key of a file, and its PEM block alone.
// Certificates and EC PARAMETERS beside it are left out.
func privateKey(text []byte) (crypto.Signer, []byte, error) {
	block, err := keyBlock(text)
	if err != nil {
		return nil, nil, err
	}
	if isEncrypted(block) {
		return nil, nil, &Fault{InKey, "the key is encrypted", "decrypt it: openssl pkey -in FILE -out NEW, and keep NEW at mode 0600"}
	}
	key, err := parseKey(block)
	if err != nil {
		return nil, nil, &Fault{InKey, fmt.Sprintf("the key cannot be read: %v", err), "try: openssl pkey -noout -check -in FILE"}
	}
	if err := usable(key.Public()); err != nil {
		return nil, nil, err
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}), nil
}

// isEncrypted tells whether a key is under a passphrase: in PKCS#8, or as older
// openssl wrote it (RFC 1421).
func isEncrypted(b *pem.Block) bool {
	return b.Type == "ENCRYPTED PRIVATE KEY" || b.Headers["DEK-Info"] != ""
}

// keyBlock finds the private key among a file's blocks.
func keyBlock(text []byte) (*pem.Block, error) {
	all, err := blocks(InKey, text)
	if err != nil {
		return nil, err
	}
	var found *pem.Block
	for _, b := range all {
		if !strings.HasSuffix(b.Type, "PRIVATE KEY") {
			continue
		}
		if found != nil {
			return nil, &Fault{InKey, "there is more than one private key in the file", "leave the one that fits the certificate"}
		}
		found = b
	}
	if found == nil {
		return nil, &Fault{InKey, fmt.Sprintf("there is no private key in the file, its first PEM block is %q", all[0].Type), instead(all[0].Type)}
	}
	return found, nil
}

// parseKey reads PKCS#1, SEC 1 and PKCS#8. The errors of x509 on a key speak
// to those who know ASN.1 and are left out.
func parseKey(b *pem.Block) (crypto.Signer, error) {
	var key any
	var err error
	switch b.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(b.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(b.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(b.Bytes)
	}
	if signer, ok := key.(crypto.Signer); ok && err == nil {
		return signer, nil
	}
	return nil, fmt.Errorf("its bytes are not those of an RSA, ECDSA or Ed25519 key (%s)", b.Type)
}

// usable refuses the keys that Envoy refuses (tried with its validation).
func usable(key crypto.PublicKey) error {
	switch pub := key.(type) {
	case *rsa.PublicKey:
		if pub.N.BitLen() < minRSA {
			return &Fault{InKey, fmt.Sprintf("an RSA key of %d bits is too short", pub.N.BitLen()),
				fmt.Sprintf("Envoy takes RSA keys from %d bits, and ECDSA keys", minRSA)}
		}
	case *ecdsa.PublicKey:
		if pub.Curve == elliptic.P224() {
			return &Fault{InKey, "an ECDSA key on P-224 is too short", "Envoy takes the curves P-256, P-384 and P-521"}
		}
	}
	return nil
}

// KeyType is the kind of key that a certificate is issued for.
type KeyType int

// The kinds. RSA is for clients that know nothing else.
const (
	ECDSA KeyType = iota // on P-256
	RSA                  // of rsaBits
)

// rsaBits is the size of a new RSA key: 128 bits of security (NIST SP 800-57
// part 1, table 2), as P-256 has.
const rsaBits = 3072

// NewKey makes a key and its PEM block.
func NewKey(kind KeyType) (crypto.Signer, []byte, error) {
	key, err := generate(kind)
	if err != nil {
		return nil, nil, err
	}
	text, err := keyPEM(key)
	return key, text, err
}

func generate(kind KeyType) (crypto.Signer, error) {
	if kind == RSA {
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// IsOf tells whether a public key is of a kind.
func IsOf(key crypto.PublicKey, kind KeyType) bool {
	if _, is := key.(*rsa.PublicKey); is {
		return kind == RSA
	}
	return kind == ECDSA
}

// keyPEM is a key in PKCS#8, not encrypted.
func keyPEM(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// keyID is a subject key identifier: the first 160 bits of the SHA-256 of the
// key as the subjectPublicKey holds it (RFC 7093, section 2, method 1).
func keyID(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		PublicKey asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(info.PublicKey.Bytes)
	return sum[:20], nil
}

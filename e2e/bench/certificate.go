package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// The kinds of certificates, which are names of files and of listeners, too.
const (
	kindECDSA = "ecdsa"
	kindRSA   = "rsa"
)

const rsaBits = 2048 // the least that BoringSSL takes

// writeCertificates puts a certificate of each kind, its key, and both in one, into
// a folder, and returns that for the nodes.
func writeCertificates(dir string) (tls.Certificate, error) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	rs, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return tls.Certificate{}, err
	}
	if err := writePair(dir, kindRSA, rs); err != nil {
		return tls.Certificate{}, err
	}
	if err := writePair(dir, kindECDSA, ec); err != nil {
		return tls.Certificate{}, err
	}
	return tls.LoadX509KeyPair(filepath.Join(dir, kindECDSA+".crt"), filepath.Join(dir, kindECDSA+".key"))
}

func writePair(dir, name string, key crypto.Signer) error {
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		DNSNames:     []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	crt := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pk := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	for suffix, data := range map[string][]byte{".crt": crt, ".key": pk, ".pem": append(append([]byte{}, crt...), pk...)} {
		if err := os.WriteFile(filepath.Join(dir, name+suffix), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

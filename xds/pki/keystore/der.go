package keystore

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
)

var (
	errNoKey  = errors.New("its bytes are not those of an RSA, ECDSA or Ed25519 key")
	errPKCS7  = errors.New("PKCS#7 (.p7b) is not read here: openssl pkcs7 -print_certs -in FILE -out NEW makes PEM of it (-inform der where it is binary)")
	errCutOff = errors.New("the file is cut off: copy it again")
	errBER    = errors.New("the file is BER of indefinite length: write it anew with openssl pkcs12, or keytool -importkeystore")
	errASN1   = errors.New("the file is damaged: copy it again")
)

// readDER reads one certificate or one key. What follows the first value is
// not looked at, as openssl does.
func readDER(data, passphrase []byte) (Contents, error) {
	var whole asn1.RawValue
	if err := firstValue(data, &whole); err != nil {
		return Contents{}, err
	}
	parts, err := elements(whole.Bytes)
	if err != nil || len(parts) == 0 {
		return Contents{}, errASN1
	}
	c := Contents{Format: DER}
	switch first := parts[0]; {
	case first.Tag == asn1.TagOID:
		return Contents{}, errPKCS7
	case first.Tag == asn1.TagSequence && len(parts) == 2 && parts[1].Tag == asn1.TagOctetString:
		c.Key, err = encryptedKey(whole.FullBytes, passphrase)
	case first.Tag == asn1.TagSequence:
		c.Chain, err = derCertificate(whole.FullBytes)
	default:
		c.Key, err = plainKey(whole.FullBytes)
	}
	if err != nil {
		return Contents{}, err
	}
	return c, nil
}

func derCertificate(der []byte) ([]*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("the file is DER, but neither a certificate nor a private key")
	}
	return []*x509.Certificate{cert}, nil
}

// firstValue reads the first value of a file and tells a file that was cut off.
func firstValue(data []byte, into *asn1.RawValue) error {
	if len(data) > 1 && data[1] == 0x80 {
		return errBER
	}
	_, err := asn1.Unmarshal(data, into)
	var syntax asn1.SyntaxError
	switch {
	case errors.As(err, &syntax) && syntax.Msg == "data truncated":
		return errCutOff
	case err != nil:
		return errASN1
	}
	return nil
}

// elements are the values inside of another.
func elements(data []byte) ([]asn1.RawValue, error) {
	var all []asn1.RawValue
	for len(data) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(data, &v)
		if err != nil {
			return nil, err
		}
		all, data = append(all, v), rest
	}
	return all, nil
}

// plainKey reads PKCS#8, PKCS#1 and SEC 1. The errors of x509 on a key speak
// to those who know ASN.1 and are left out.
func plainKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
		return nil, errors.New("the key cannot sign: only RSA, ECDSA and Ed25519 keys can be used")
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errNoKey
}

// unmarshal reads one value and nothing after it.
func unmarshal(der []byte, into any) error {
	if rest, err := asn1.Unmarshal(der, into); err != nil || len(rest) > 0 {
		return errASN1
	}
	return nil
}

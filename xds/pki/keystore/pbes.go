package keystore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/scrypt"
)

const (
	// maxIterations bounds the work that a file may ask for: it is Java's own
	// bound (sun.security.pkcs12.PKCS12KeyStore).
	maxIterations = 5_000_000
	// maxScrypt bounds N*r*p*128, the bytes that scrypt walks through; openssl
	// uses 16 MiB.
	maxScrypt = 256 << 20
)

// The ways to encrypt under a passphrase: PBES2 (RFC 8018, 6.2) with its parts,
// and those of PKCS12 (RFC 7292, appendix C).
var (
	oidPBES2   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
	oidAES128  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES192  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}
	oidAES256  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
	oidDES3    = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}
	oidSHA3DES = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 3}
	oidRC2128  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 5}
	oidRC240   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 6}
)

type pbes2 struct{ KDF, Cipher pkix.AlgorithmIdentifier }

type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

type scryptParams struct {
	Salt      []byte
	N, R, P   int
	KeyLength int `asn1:"optional"`
}

// decrypt undoes an encryption under a passphrase. The error is
// ErrWrongPassphrase where the padding shows it.
func decrypt(algorithm pkix.AlgorithmIdentifier, data, passphrase []byte) ([]byte, error) {
	block, iv, err := blockCipher(algorithm, passphrase)
	if err != nil {
		return nil, err
	}
	size := block.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, errASN1
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > size {
		return nil, ErrWrongPassphrase
	}
	for _, b := range plain[len(plain)-padding:] {
		if int(b) != padding {
			return nil, ErrWrongPassphrase
		}
	}
	return plain[:len(plain)-padding], nil
}

// blockCipher is the cipher with its key, and the first block's IV.
func blockCipher(a pkix.AlgorithmIdentifier, passphrase []byte) (cipher.Block, []byte, error) {
	switch {
	case a.Algorithm.Equal(oidPBES2):
		return pbes2Cipher(a, passphrase)
	case a.Algorithm.Equal(oidSHA3DES):
		return pkcs12Cipher(a, passphrase, 24, des.NewTripleDESCipher)
	case a.Algorithm.Equal(oidRC2128):
		return pkcs12Cipher(a, passphrase, 16, newRC2)
	case a.Algorithm.Equal(oidRC240):
		return pkcs12Cipher(a, passphrase, 5, newRC2)
	}
	return nil, nil, fmt.Errorf("its encryption (%s) is not known here: write it anew with openssl pkcs8 -topk8 or openssl pkcs12", a.Algorithm)
}

func pbes2Cipher(a pkix.AlgorithmIdentifier, passphrase []byte) (cipher.Block, []byte, error) {
	var params pbes2
	var iv []byte
	if err := unmarshal(a.Parameters.FullBytes, &params); err != nil {
		return nil, nil, err
	}
	if err := unmarshal(params.Cipher.Parameters.FullBytes, &iv); err != nil {
		return nil, nil, err
	}
	newBlock, size := aes.NewCipher, 0
	switch c := params.Cipher.Algorithm; {
	case c.Equal(oidAES128):
		size = 16
	case c.Equal(oidAES192):
		size = 24
	case c.Equal(oidAES256):
		size = 32
	case c.Equal(oidDES3):
		newBlock, size = des.NewTripleDESCipher, 24
	default:
		return nil, nil, fmt.Errorf("its cipher (%s) is not known here: write it anew with -v2 aes-256-cbc", c)
	}
	key, err := derive(params.KDF, passphrase, size)
	if err != nil {
		return nil, nil, err
	}
	block, err := newBlock(key)
	return block, iv, err
}

// derive makes a key of a passphrase.
func derive(kdf pkix.AlgorithmIdentifier, passphrase []byte, size int) ([]byte, error) {
	if kdf.Algorithm.Equal(oidScrypt) {
		return deriveScrypt(kdf, passphrase, size)
	}
	if !kdf.Algorithm.Equal(oidPBKDF2) {
		return nil, fmt.Errorf("its key derivation (%s) is not known here: write it anew with openssl pkcs8 -topk8", kdf.Algorithm)
	}
	var p pbkdf2Params
	if err := unmarshal(kdf.Parameters.FullBytes, &p); err != nil {
		return nil, err
	}
	if p.Iterations < 1 || p.Iterations > maxIterations {
		return nil, fmt.Errorf("it wants %d rounds of hashing, at most %d are done", p.Iterations, maxIterations)
	}
	h, err := hmacHash(p.PRF.Algorithm)
	if err != nil {
		return nil, err
	}
	return pbkdf2.Key(h.New, string(passphrase), p.Salt, p.Iterations, size)
}

func deriveScrypt(kdf pkix.AlgorithmIdentifier, passphrase []byte, size int) ([]byte, error) {
	var p scryptParams
	if err := unmarshal(kdf.Parameters.FullBytes, &p); err != nil {
		return nil, err
	}
	if p.N < 2 || p.R < 1 || p.P < 1 || p.P > 16 || p.R > 1024 || p.N > maxScrypt/128/p.R/p.P {
		return nil, fmt.Errorf("it wants scrypt with N=%d r=%d p=%d, which is not done here", p.N, p.R, p.P)
	}
	return scrypt.Key(passphrase, p.Salt, p.N, p.R, p.P, size)
}

package keystore

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
)

// keyIterations are the rounds of PBKDF2 for a key of ours: what OWASP asks
// for with SHA-256 (2023). It takes about 0.1 s.
const keyIterations = 600_000

type encrypted struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// EncryptKey writes a key as PEM under a passphrase, which may not be empty:
// PKCS#8 with PBES2, AES-256-CBC and PBKDF2 of SHA-256 (RFC 8018), as openssl
// 3 does by default. It is another text each time.
func EncryptKey(key crypto.Signer, passphrase []byte) ([]byte, error) {
	if len(passphrase) == 0 {
		return nil, errors.New("the passphrase is empty")
	}
	plain, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	random := make([]byte, 2*aes.BlockSize)
	_, _ = rand.Read(random) // never fails
	algorithm, data, err := encrypt(plain, passphrase, random, keyIterations)
	if err != nil {
		return nil, err
	}
	der, err := asn1.Marshal(encrypted{algorithm, data})
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}), nil
}

// DecryptKey is the private key of a file, encrypted or not; certificates
// beside it are left out. Its errors are those of Read.
func DecryptKey(text, passphrase []byte) (crypto.Signer, error) {
	c, err := Read(text, passphrase)
	if err != nil {
		return nil, err
	}
	if c.Key == nil {
		return nil, errors.New("there is no private key in the file")
	}
	return c.Key, nil
}

// encryptedKey reads a PKCS#8 EncryptedPrivateKeyInfo. A wrong passphrase may
// pass the padding by chance (one in 256) and then shows as no key.
func encryptedKey(der, passphrase []byte) (crypto.Signer, error) {
	if passphrase == nil {
		return nil, ErrPassphraseNeeded
	}
	var e encrypted
	if err := unmarshal(der, &e); err != nil {
		return nil, err
	}
	plain, err := decrypt(e.Algorithm, e.Data, passphrase)
	if err != nil {
		return nil, err
	}
	key, err := plainKey(plain)
	if errors.Is(err, errNoKey) {
		return nil, ErrWrongPassphrase
	}
	return key, err
}

// encrypt encrypts by PBES2 with AES-256-CBC; the first half of the 32 given
// bytes is the salt, the second the IV.
func encrypt(plain, passphrase, random []byte, iterations int) (pkix.AlgorithmIdentifier, []byte, error) {
	salt, iv := random[:aes.BlockSize], random[aes.BlockSize:]
	key, err := pbkdf2.Key(sha256.New, string(passphrase), salt, iterations, 32)
	if err != nil {
		return pkix.AlgorithmIdentifier{}, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return pkix.AlgorithmIdentifier{}, nil, err
	}
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	data := append([]byte(nil), plain...)
	for range padding {
		data = append(data, byte(padding))
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)
	algorithm, err := pbes2Algorithm(salt, iv, iterations)
	return algorithm, data, err
}

func pbes2Algorithm(salt, iv []byte, iterations int) (pkix.AlgorithmIdentifier, error) {
	prf := pkix.AlgorithmIdentifier{Algorithm: oidHMACSHA256, Parameters: asn1.NullRawValue}
	kdf, err := asn1.Marshal(pbkdf2Params{Salt: salt, Iterations: iterations, PRF: prf})
	if err != nil {
		return pkix.AlgorithmIdentifier{}, err
	}
	first, err := asn1.Marshal(iv)
	if err != nil {
		return pkix.AlgorithmIdentifier{}, err
	}
	params, err := asn1.Marshal(pbes2{
		KDF:    pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2, Parameters: asn1.RawValue{FullBytes: kdf}},
		Cipher: pkix.AlgorithmIdentifier{Algorithm: oidAES256, Parameters: asn1.RawValue{FullBytes: first}},
	})
	return pkix.AlgorithmIdentifier{Algorithm: oidPBES2, Parameters: asn1.RawValue{FullBytes: params}}, err
}

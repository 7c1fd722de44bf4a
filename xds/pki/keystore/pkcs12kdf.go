package keystore

import (
	"bytes"
	"crypto"
	"crypto/cipher"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// What a key of PKCS12 is for (RFC 7292, appendix B.3).
const (
	forCipher = 1
	forIV     = 2
	forMAC    = 3
)

// bmpString is a passphrase as PKCS12 hashes it: UTF-16 with a zero unit at
// its end (RFC 7292, appendix B.1).
func bmpString(passphrase []byte) []byte { return append(utf16be(passphrase), 0, 0) }

type pkcs12PBE struct {
	Salt       []byte
	Iterations int
}

// pkcs12Cipher is a cipher with its key and IV by PKCS12's own derivation.
func pkcs12Cipher(a pkix.AlgorithmIdentifier, passphrase []byte, size int, newBlock func([]byte) (cipher.Block, error)) (cipher.Block, []byte, error) {
	var p pkcs12PBE
	if err := unmarshal(a.Parameters.FullBytes, &p); err != nil {
		return nil, nil, err
	}
	key, err := pkcs12Key(crypto.SHA1, bmpString(passphrase), p.Salt, p.Iterations, forCipher, size)
	if err != nil {
		return nil, nil, err
	}
	block, err := newBlock(key)
	if err != nil {
		return nil, nil, err
	}
	iv, err := pkcs12Key(crypto.SHA1, bmpString(passphrase), p.Salt, p.Iterations, forIV, block.BlockSize())
	return block, iv, err
}

// pkcs12Key derives a key (RFC 7292, appendix B.2, by its letters).
func pkcs12Key(hash crypto.Hash, passphrase, salt []byte, iterations int, purpose byte, size int) ([]byte, error) {
	if iterations < 1 || iterations > maxIterations {
		return nil, fmt.Errorf("it wants %d rounds of hashing, at most %d are done", iterations, maxIterations)
	}
	h := hash.New()
	v := h.BlockSize()
	d := bytes.Repeat([]byte{purpose}, v)
	i := append(filled(salt, v), filled(passphrase, v)...)
	var key []byte
	for {
		a := append(bytes.Clone(d), i...)
		for range iterations {
			h.Reset()
			_, _ = h.Write(a) // never fails
			a = h.Sum(nil)
		}
		if key = append(key, a...); len(key) >= size {
			return key[:size], nil
		}
		addToBlocks(i, filled(a, v)[:v])
	}
}

// filled repeats a text up to the next multiple of v.
func filled(text []byte, v int) []byte {
	if len(text) == 0 {
		return nil
	}
	size := (len(text) + v - 1) / v * v
	return bytes.Repeat(text, size/len(text)+1)[:size]
}

// addToBlocks adds b + 1 to every block of i, modulo 2^(8v).
func addToBlocks(i, b []byte) {
	add := new(big.Int).SetBytes(b)
	add.Add(add, big.NewInt(1))
	most := new(big.Int).Lsh(big.NewInt(1), uint(8*len(b)))
	for v := len(b); len(i) > 0; i = i[v:] {
		sum := new(big.Int).SetBytes(i[:v])
		sum.Add(sum, add).Mod(sum, most).FillBytes(i[:v])
	}
}

// macData proves that a PKCS12 file is whole and the passphrase the right one
// (RFC 7292, 4).
type macData struct {
	Mac struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

func (m macData) none() bool { return len(m.Mac.Algorithm.Algorithm) == 0 }

// defaultMAC is what Java 17 writes, with a salt of the caller's.
func defaultMAC(salt []byte) macData {
	m := macData{Salt: salt, Iterations: storeIterations}
	m.Mac.Algorithm = pkix.AlgorithmIdentifier{Algorithm: oidSHA256, Parameters: asn1.NullRawValue}
	return m
}

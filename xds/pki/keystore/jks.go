package keystore

import (
	"crypto"
	"crypto/sha1"
	"crypto/subtle"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

// The kinds of a JKS store's entries. Its format is not written down but in
// OpenJDK's sun.security.provider.JavaKeyStore.
const (
	jksKey     = 1
	jksTrusted = 2
)

// oidJKS is how the keys in a JKS store are encrypted (Sun's own way).
var oidJKS = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 42, 2, 17, 1, 1}

// jks is an opened store.
type jks struct {
	count   uint32
	names   []string // of all entries
	body    []byte   // the file without the proof at its end
	keys    []jksEntry
	trusted []Entry
}

type jksEntry struct {
	alias string
	key   []byte
	chain []*x509.Certificate
}

func readJKS(data, passphrase []byte) (Contents, error) {
	s, err := openJKS(data, passphrase)
	if err != nil {
		return Contents{}, err
	}
	c := Contents{Format: JKS, Trusted: s.trusted}
	if len(s.keys) > 1 {
		var names []string
		for _, k := range s.keys {
			names = append(names, k.alias)
		}
		return Contents{}, manyKeys(names)
	}
	for _, k := range s.keys {
		c.Chain = k.chain
		if c.Key, err = jksPrivate(k.key, passphrase); err != nil {
			return Contents{}, fmt.Errorf("the key %q (its passphrase must be that of the store): %w", k.alias, err)
		}
	}
	return c, nil
}

// openJKS reads a store and proves the passphrase by the hash at its end. The
// entries are read first: a store that is cut off would else look like one
// with another passphrase.
func openJKS(data, passphrase []byte) (jks, error) {
	r := &reader{rest: data}
	_, version := r.uint32(), r.uint32()
	if r.err == nil && version != 1 && version != 2 {
		return jks{}, fmt.Errorf("version %d of JKS is not known here", version)
	}
	s := jks{count: r.uint32()}
	for i := uint32(0); i < s.count && r.err == nil; i++ {
		s.entry(r, version)
	}
	proof := r.take(sha1.Size)
	switch {
	case r.err != nil:
		return jks{}, r.err
	case len(r.rest) > 0:
		return jks{}, errASN1
	case passphrase == nil:
		return jks{}, ErrPassphraseNeeded
	}
	s.body = data[:len(data)-sha1.Size]
	if subtle.ConstantTimeCompare(proof, jksProof(s.body, passphrase)) == 0 {
		return jks{}, ErrWrongPassphrase
	}
	return s, nil
}

func (s *jks) entry(r *reader, version uint32) {
	tag, alias := r.uint32(), r.text()
	s.names = append(s.names, alias)
	r.take(8) // when it was made
	switch {
	case r.err != nil:
	case tag == jksTrusted:
		if cert := r.certificate(version); cert != nil {
			s.trusted = append(s.trusted, Entry{alias, cert})
		}
	case tag == jksKey:
		k := jksEntry{alias: alias, key: r.take(int(r.uint32()))}
		for n := r.uint32(); n > 0 && r.err == nil; n-- {
			if cert := r.certificate(version); cert != nil {
				k.chain = append(k.chain, cert)
			}
		}
		s.keys = append(s.keys, k)
	default:
		r.err = errors.New("the store is damaged: it has an entry that is neither a key nor a certificate")
	}
}

// jksProof is the hash at the end of a store.
func jksProof(body, passphrase []byte) []byte {
	h := sha1.New()
	for _, part := range [][]byte{utf16be(passphrase), []byte("Mighty Aphrodite"), body} {
		_, _ = h.Write(part) // never fails
	}
	return h.Sum(nil)
}

// jksPrivate decrypts a key: a stream of SHA-1 over passphrase and salt, with
// the hash of passphrase and key as its proof.
func jksPrivate(der, passphrase []byte) (crypto.Signer, error) {
	var e struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	if err := unmarshal(der, &e); err != nil {
		return nil, err
	}
	if !e.Algorithm.Algorithm.Equal(oidJKS) || len(e.Data) < 2*sha1.Size {
		return nil, errASN1
	}
	pass, last := utf16be(passphrase), len(e.Data)-sha1.Size
	stream, plain, proof := e.Data[:sha1.Size], append([]byte(nil), e.Data[sha1.Size:last]...), e.Data[last:]
	for i := range plain {
		if i%sha1.Size == 0 {
			sum := sha1.Sum(append(append([]byte(nil), pass...), stream...))
			stream = sum[:]
		}
		plain[i] ^= stream[i%sha1.Size]
	}
	sum := sha1.Sum(append(append([]byte(nil), pass...), plain...))
	if subtle.ConstantTimeCompare(sum[:], proof) == 0 {
		return nil, ErrWrongPassphrase
	}
	return plainKey(plain)
}

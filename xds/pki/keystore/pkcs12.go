package keystore

import (
	"bytes"
	"crypto/hmac"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
)

// storeIterations are the rounds of hashing in a PKCS12 store of ours: Java
// 17's own number. What a trust store holds is public.
const storeIterations = 10_000

var (
	oidData      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEncrypted = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
)

// pfx is a whole PKCS12 file (RFC 7292, 4).
type pfx struct {
	Version int
	Safe    contentInfo
	Mac     macData `asn1:"optional"`
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
}

type encryptedData struct {
	Version int
	Info    struct {
		Type      asn1.ObjectIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Content   []byte `asn1:"tag:0,optional"`
	}
}

// safe is an opened PKCS12 file: its parts as they are, and the way to prove
// them.
type safe struct {
	parts      []asn1.RawValue // each a ContentInfo
	mac        macData
	passphrase []byte
}

// isPFX tells a PKCS12 file, also one cut off, from other DER: it begins with
// version 3.
func isPFX(data []byte) bool {
	return bytes.Contains(data[:min(len(data), 12)], []byte{asn1.TagInteger, 1, 3, 0x30})
}

// openSafe reads a PKCS12 file and checks that it is whole. A nil passphrase
// opens what is protected by an empty one or none.
func openSafe(data, passphrase []byte) (safe, error) {
	var whole asn1.RawValue
	if err := firstValue(data, &whole); err != nil {
		return safe{}, err
	}
	var p pfx
	if err := unmarshal(whole.FullBytes, &p); err != nil {
		return safe{}, err
	}
	if !p.Safe.Type.Equal(oidData) {
		return safe{}, errors.New("the store is signed by a certificate, not protected by a passphrase: write it anew with openssl pkcs12")
	}
	var content []byte
	if err := unmarshal(p.Safe.Content.Bytes, &content); err != nil {
		return safe{}, err
	}
	s := safe{mac: p.Mac, passphrase: passphrase}
	if err := s.prove(content); err != nil {
		return safe{}, err
	}
	if !s.mac.none() {
		s.passphrase = append([]byte{}, passphrase...) // none opened it: it is an empty one
	}
	err := unmarshal(content, &s.parts)
	return s, err
}

// prove checks the MAC, which tells a wrong passphrase from the right one.
func (s safe) prove(content []byte) error {
	if s.mac.none() {
		return nil
	}
	digest, err := s.digest(content)
	if err != nil {
		return err
	}
	switch {
	case hmac.Equal(digest, s.mac.Mac.Digest):
		return nil
	case s.passphrase == nil:
		return ErrPassphraseNeeded
	}
	return ErrWrongPassphrase
}

// digest is the MAC of a content (RFC 7292, appendix A).
func (s safe) digest(content []byte) ([]byte, error) {
	hash, err := macHash(s.mac.Mac.Algorithm.Algorithm)
	if err != nil {
		return nil, err
	}
	key, err := pkcs12Key(hash, bmpString(s.passphrase), s.mac.Salt, s.mac.Iterations, forMAC, hash.Size())
	if err != nil {
		return nil, err
	}
	mac := hmac.New(hash.New, key)
	_, _ = mac.Write(content) // never fails
	return mac.Sum(nil), nil
}

// bags are the entries of all parts that this passphrase opens.
func (s safe) bags() ([]bag, error) {
	var all []bag
	for i, raw := range s.parts {
		part, err := s.part(raw)
		if err != nil {
			return nil, fmt.Errorf("part %d of the store: %w", i+1, err)
		}
		var bags []bag
		if err := unmarshal(part, &bags); err != nil {
			return nil, fmt.Errorf("part %d of the store: %w", i+1, err)
		}
		all = append(all, bags...)
	}
	return all, nil
}

// part is the content of one ContentInfo, decrypted.
func (s safe) part(raw asn1.RawValue) ([]byte, error) {
	var info contentInfo
	if err := unmarshal(raw.FullBytes, &info); err != nil {
		return nil, err
	}
	switch {
	case info.Type.Equal(oidData):
		var data []byte
		err := unmarshal(info.Content.Bytes, &data)
		return data, err
	case !info.Type.Equal(oidEncrypted):
		return nil, errors.New("it is encrypted for a certificate, not by a passphrase: write the store anew with openssl pkcs12")
	case s.passphrase == nil:
		return nil, ErrPassphraseNeeded
	}
	var e encryptedData
	if err := unmarshal(info.Content.Bytes, &e); err != nil {
		return nil, err
	}
	return decrypt(e.Info.Algorithm, e.Info.Content, s.passphrase)
}

// marshal writes the store with its MAC made anew by the same algorithm, salt
// and rounds; a store without one stays so.
func (s safe) marshal() ([]byte, error) {
	content, err := asn1.Marshal(s.parts)
	if err != nil {
		return nil, err
	}
	p := pfx{Version: 3, Mac: s.mac}
	if !s.mac.none() {
		if p.Mac.Mac.Digest, err = s.digest(content); err != nil {
			return nil, err
		}
	}
	if p.Safe, err = dataInfo(content); err != nil {
		return nil, err
	}
	return asn1.Marshal(p)
}

// dataInfo wraps a content unencrypted.
func dataInfo(content []byte) (contentInfo, error) {
	octets, err := asn1.Marshal(content)
	return contentInfo{oidData, explicit(octets)}, err
}

// explicit is a value under the tag [0].
func explicit(der []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}
}

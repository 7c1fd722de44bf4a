package keystore

import (
	"crypto/sha256"
	"encoding/asn1"
)

// trustBags writes entries as Java wants them: each with its name, trusted for
// any usage.
func trustBags(entries []Entry) ([]byte, error) {
	usage, err := asn1.Marshal(oidAnyUsage)
	if err != nil {
		return nil, err
	}
	var bags []bag
	for _, e := range entries {
		cert, err := asn1.Marshal(certBag{oidX509, e.Certificate.Raw})
		if err != nil {
			return nil, err
		}
		name, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagBMPString, Bytes: utf16be([]byte(e.Alias))})
		if err != nil {
			return nil, err
		}
		bags = append(bags, bag{oidCertBag, explicit(cert), []attribute{
			{oidFriendlyName, set(name)}, {oidJavaTrust, set(usage)}}})
	}
	return asn1.Marshal(bags)
}

func set(der []byte) asn1.RawValue {
	return asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: der}
}

// trust adds a part with trusted entries: encrypted in a store that has a
// passphrase, for Java asks for that, and open in one that has none. Salt and
// IV are hashes of the entries, which are public, and never of the passphrase,
// so that the same export is the same file and tells nothing about it.
func (s *safe) trust(entries []Entry) error {
	bags, err := trustBags(entries)
	if err != nil {
		return err
	}
	info, err := s.wrap(bags)
	if err != nil {
		return err
	}
	der, err := asn1.Marshal(info)
	if err != nil {
		return err
	}
	s.parts = append(s.parts, asn1.RawValue{FullBytes: der})
	return nil
}

func (s *safe) wrap(bags []byte) (contentInfo, error) {
	if s.open() {
		return dataInfo(bags)
	}
	random := sha256.Sum256(append([]byte("usher trust store part\x00"), bags...))
	var e encryptedData
	var err error
	e.Info.Type = oidData
	e.Info.Algorithm, e.Info.Content, err = encrypt(bags, s.passphrase, random[:], storeIterations)
	if err != nil {
		return contentInfo{}, err
	}
	der, err := asn1.Marshal(e)
	return contentInfo{oidEncrypted, explicit(der)}, err
}

// open tells a store that has no passphrase: no MAC, and nothing encrypted.
func (s *safe) open() bool {
	for _, raw := range s.parts {
		var info contentInfo
		if unmarshal(raw.FullBytes, &info) != nil || !info.Type.Equal(oidData) {
			return false
		}
	}
	return s.mac.none()
}

// pkcs12Store writes a new trust store as Java 17 does: PBES2 with AES-256, and
// a MAC of SHA-256.
func pkcs12Store(entries []Entry, passphrase []byte) ([]byte, error) {
	bags, err := trustBags(entries)
	if err != nil {
		return nil, err
	}
	salt := sha256.Sum256(append([]byte("usher trust store\x00"), bags...))
	s := safe{mac: defaultMAC(salt[:16]), passphrase: passphrase}
	if err := s.trust(entries); err != nil {
		return nil, err
	}
	return s.marshal()
}

package keystore

import (
	"crypto"
	_ "crypto/sha1" // what the files of older tools are hashed with
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"fmt"
)

// The hashes by themselves and in an HMAC (RFC 8018, appendix B.1).
var (
	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA224 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 4}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}

	oidHMACSHA1   = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}
	oidHMACSHA224 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 8}
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidHMACSHA384 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 10}
	oidHMACSHA512 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 11}
)

// hmacHash is the hash of an HMAC; SHA-1 where a file names none.
func hmacHash(oid asn1.ObjectIdentifier) (crypto.Hash, error) {
	switch {
	case len(oid) == 0, oid.Equal(oidHMACSHA1):
		return crypto.SHA1, nil
	case oid.Equal(oidHMACSHA224):
		return crypto.SHA224, nil
	case oid.Equal(oidHMACSHA256):
		return crypto.SHA256, nil
	case oid.Equal(oidHMACSHA384):
		return crypto.SHA384, nil
	case oid.Equal(oidHMACSHA512):
		return crypto.SHA512, nil
	}
	return 0, fmt.Errorf("its hash (%s) is not known here", oid)
}

// macHash is the hash of a PKCS12 file's MAC.
func macHash(oid asn1.ObjectIdentifier) (crypto.Hash, error) {
	switch {
	case oid.Equal(oidSHA1):
		return crypto.SHA1, nil
	case oid.Equal(oidSHA224):
		return crypto.SHA224, nil
	case oid.Equal(oidSHA256):
		return crypto.SHA256, nil
	case oid.Equal(oidSHA384):
		return crypto.SHA384, nil
	case oid.Equal(oidSHA512):
		return crypto.SHA512, nil
	}
	return 0, fmt.Errorf("the store's integrity check (%s; 1.2.840.113549.1.5.14 is PBMAC1) is not known here: write it anew with openssl pkcs12 -macalg sha256", oid)
}

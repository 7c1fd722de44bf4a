package model

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// Pin is a public key by its hash: `sha256/` and the base64 of the SHA-256 of
// the certificate's SubjectPublicKeyInfo (RFC 7469, 2.4). Equal pins are equal
// texts.
type Pin string

const pinPrefix = "sha256/"

// Hash is the base64 alone, as Envoy wants it (verify_certificate_spki).
func (p Pin) Hash() string { return strings.TrimPrefix(string(p), pinPrefix) }

// ParsePin reads a pin as people have it: with `sha256/`, with curl's `sha256//`
// or without, in base64 or in hexadecimal digits, colons between them or not.
func ParsePin(s string) (Pin, error) {
	text := strings.TrimSuffix(strings.TrimPrefix(s, pinPrefix), "=")
	if len(text) == 44 {
		text = strings.TrimPrefix(text, "/") // curl's second slash
	}
	hash, err := base64.RawStdEncoding.DecodeString(text)
	if digits := strings.ReplaceAll(text, ":", ""); len(digits) == 64 {
		hash, err = hex.DecodeString(digits)
	}
	if err != nil || len(hash) != 32 {
		return "", errors.New("not the SHA-256 of a public key")
	}
	return Pin(pinPrefix + base64.StdEncoding.EncodeToString(hash)), nil
}

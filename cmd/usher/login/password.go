package login

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Bounds of a password, in bytes.
const (
	shortestPassword = 8
	longestPassword  = 1024
)

// cost is what one look at a password takes.
type cost struct {
	memory uint32 // KiB
	time   uint32
	lanes  uint8
}

// usual is RFC 9106's second recommendation, for machines that have other work:
// 64 MiB, three passes, four lanes.
var usual = cost{memory: 64 << 10, time: 3, lanes: 4}

// The most that a users file may ask of this machine for one look.
var dearest = cost{memory: 256 << 10, time: 16, lanes: 16}

// hash is a password as it is kept: argon2id, by its PHC string.
type hash struct {
	cost
	salt, sum []byte
}

// encoding is that of PHC strings: without padding, and strict.
var encoding = base64.RawStdEncoding.Strict()

// checkPassword refuses what is too short to be one, or too long to be typed.
func checkPassword(password string) error {
	switch {
	case len(password) < shortestPassword:
		return fmt.Errorf("the password has %d characters: %d are the least", utf8.RuneCountInString(password), shortestPassword)
	case len(password) > longestPassword:
		return fmt.Errorf("the password is longer than %d bytes", longestPassword)
	case strings.ContainsAny(password, "\r\n\x00"):
		return errors.New("the password has more than one line")
	}
	return nil
}

// newHash hashes a password with a new salt.
func newHash(password string, c cost) hash {
	h := hash{cost: c, salt: make([]byte, 16)}
	_, _ = rand.Read(h.salt) // never fails
	h.sum = h.of(password, 32)
	return h
}

func (h hash) of(password string, size uint32) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.lanes, size)
}

// matches tells whether it is this password, in a time that does not say how
// much of it is right.
func (h hash) matches(password string) bool {
	return subtle.ConstantTimeCompare(h.sum, h.of(password, uint32(len(h.sum)))) == 1 //nolint:gosec // G115: parseHash bounds it by 64
}

func (h hash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.lanes,
		encoding.EncodeToString(h.salt), encoding.EncodeToString(h.sum))
}

// parseHash reads a PHC string of argon2id. What is weaker than any
// recommendation, or dearer than this machine should bear, is refused.
func parseHash(text string) (h hash, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return hash{}, errors.New("not a hash of argon2id: let `usher user passwd` write it")
	}
	var version int
	if _, err := fmt.Sscanf(parts[2]+"$"+parts[3], "v=%d$m=%d,t=%d,p=%d", &version, &h.memory, &h.time, &h.lanes); err != nil || version != argon2.Version {
		return hash{}, fmt.Errorf("%q is not argon2id's version and cost", parts[2]+"$"+parts[3])
	}
	if h.salt, err = encoding.DecodeString(parts[4]); err == nil {
		h.sum, err = encoding.DecodeString(parts[5])
	}
	switch {
	case err != nil || len(h.salt) < 8 || len(h.salt) > 64 || len(h.sum) < 16 || len(h.sum) > 64:
		return hash{}, errors.New("salt or sum of the hash is not base64 of 8 to 64 bytes (the sum: 16)")
	case h.memory < 8<<10 || h.time < 1 || h.lanes < 1:
		return hash{}, fmt.Errorf("m=%d,t=%d,p=%d is too weak: m=%d,t=%d,p=%d is usual", h.memory, h.time, h.lanes, usual.memory, usual.time, usual.lanes)
	case h.memory > dearest.memory || h.time > dearest.time || h.lanes > dearest.lanes:
		return hash{}, fmt.Errorf("m=%d,t=%d,p=%d is too dear: m=%d,t=%d,p=%d is the most", h.memory, h.time, h.lanes, dearest.memory, dearest.time, dearest.lanes)
	case h.String() != text:
		return hash{}, errors.New("not as `usher user passwd` writes it")
	}
	return h, nil
}

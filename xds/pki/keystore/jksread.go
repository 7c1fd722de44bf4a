package keystore

import (
	"crypto/x509"
	"encoding/binary"
)

// reader takes values from the front of a file, until one is missing.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) take(n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.rest)) {
		r.err = errCutOff
	}
	if r.err != nil {
		return nil
	}
	var taken []byte
	taken, r.rest = r.rest[:n], r.rest[n:]
	return taken
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// text is what Java's writeUTF wrote.
func (r *reader) text() string {
	if b := r.take(2); b != nil {
		return string(r.take(int(binary.BigEndian.Uint16(b))))
	}
	return ""
}

// certificate reads one; nil where it is of a kind that x509 cannot read, which
// old stores hold.
func (r *reader) certificate(version uint32) *x509.Certificate {
	if version == 2 {
		r.text() // always X.509
	}
	der := r.take(int(r.uint32()))
	if r.err != nil {
		return nil
	}
	cert, _ := x509.ParseCertificate(der)
	return cert
}

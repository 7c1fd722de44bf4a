package keystore

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// Passphrase is the first line of a passphrase file, without its line end, as
// openssl's -pass file: takes it. An empty one is an error.
func Passphrase(file []byte) ([]byte, error) {
	line, _, _ := bytes.Cut(file, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 {
		return nil, errors.New("the first line of the passphrase file is empty")
	}
	return line, nil
}

// utf16be is a passphrase as PKCS12 and JKS hash it: UTF-16, the high byte
// first. Bytes that are no UTF-8 count as Latin-1, as openssl takes them.
func utf16be(passphrase []byte) []byte {
	text := []rune(string(passphrase))
	if !utf8.Valid(passphrase) {
		text = text[:0]
		for _, b := range passphrase {
			text = append(text, rune(b))
		}
	}
	var out []byte
	for _, unit := range utf16.Encode(text) {
		out = append(out, byte(unit>>8), byte(unit)) //nolint:gosec // the two bytes of the unit
	}
	return out
}

package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"regexp"
	"strings"
)

// begin is the first line of a PEM block. pem.Decode silently skips a block
// that it cannot read, so the blocks are counted by these lines.
var begin = regexp.MustCompile(`(?m)^-----BEGIN `)

// blocks are all PEM blocks of a file, or a fault where one is broken or none
// is there. Text between blocks is a comment.
func blocks(in string, text []byte) ([]*pem.Block, error) {
	var all []*pem.Block
	for rest := text; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		all = append(all, b)
	}
	wanted := len(begin.FindAllIndex(text, -1))
	switch {
	case wanted > len(all):
		return nil, &Fault{in, fmt.Sprintf("only %d of the file's %d PEM blocks can be read", len(all), wanted),
			"the file is cut off or was damaged by an editor: copy it again"}
	case len(all) > 0:
		return all, nil
	case len(bytes.TrimSpace(text)) == 0:
		return nil, &Fault{in, "the file is empty", ""}
	case len(text) > 1 && text[0] == 0x30 && text[1] >= 0x80: // a long ASN.1 SEQUENCE
		return nil, &Fault{in, "the file is DER or PKCS#12, not PEM", toPEM[in]}
	}
	return nil, &Fault{in, "there is no PEM block in the file", `a PEM block begins with a line "-----BEGIN …-----"`}
}

// toPEM are the commands that turn other formats into PEM.
var toPEM = map[string]string{
	InChain: "openssl x509 -inform der -in FILE -out NEW, or openssl pkcs12 -nokeys -in FILE -out NEW",
	InKey:   "openssl pkey -inform der -in FILE -out NEW, or openssl pkcs12 -nocerts -nodes -in FILE -out NEW",
	InCA:    "openssl x509 -inform der -in FILE -out NEW",
}

// certificates are those of a file in its order. Private keys beside them are
// left out: one PEM file may hold both.
func certificates(in string, text []byte) ([]*x509.Certificate, error) {
	all, err := blocks(in, text)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for i, b := range all {
		if b.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, &Fault{in, fmt.Sprintf("PEM block %d is not a certificate: %v", i+1, err), ""}
		}
		certs = append(certs, cert)
	}
	if certs == nil {
		return nil, &Fault{in, fmt.Sprintf("there is no certificate in the file, its first PEM block is %q", all[0].Type), instead(all[0].Type)}
	}
	return certs, nil
}

// instead is what to do about a file whose first block is of an unwanted kind.
func instead(kind string) string {
	switch {
	case kind == "TRUSTED CERTIFICATE":
		return "openssl x509 -in FILE -out NEW makes a plain certificate of it"
	case kind == "CERTIFICATE REQUEST", kind == "NEW CERTIFICATE REQUEST":
		return "this is what an authority is asked with; name the certificate that it answered with"
	case kind == "CERTIFICATE", strings.HasSuffix(kind, "PRIVATE KEY"):
		return "are chain and key swapped?"
	}
	return ""
}

// certificatesPEM writes certificates and nothing else.
func certificatesPEM(certs ...*x509.Certificate) []byte {
	var text []byte
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}

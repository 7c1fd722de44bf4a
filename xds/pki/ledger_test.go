package pki

import (
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestASerialNumberIsNeverGivenTwice(t *testing.T) {
	s, p := rotated(t)
	r := Request{Hosts: []string{"node1"}, Lifetime: day, Serial: big.NewInt(4711)}
	first := must[Pair](t)(s.IssueElsewhere(r, noon))
	if first.Leaf.SerialNumber.Int64() != 4711 {
		t.Errorf("serial number %v", first.Leaf.SerialNumber)
	}
	ca, _, _ := s.Authority(noon)
	for _, used := range []*big.Int{big.NewInt(4711), p.Leaf.SerialNumber, ca.Certificate.SerialNumber} {
		r.Serial = used
		if _, err := s.IssueElsewhere(r, noon); err == nil || !strings.Contains(err.Error(), "leave --serial out for a random one") {
			t.Errorf("serial number %x: %v", used, err)
		}
	}
	for _, no := range []*big.Int{big.NewInt(0), big.NewInt(-1), maxSerial} {
		r.Serial = no
		if _, err := s.IssueElsewhere(r, noon); err == nil || !strings.Contains(err.Error(), "at most 20 octets") {
			t.Errorf("serial number %x: %v", no, err)
		}
	}
	if all := must[[]*x509.Certificate](t)(s.Ledger()); len(all) != 1 || !all[0].Equal(first.Leaf) {
		t.Errorf("%d certificates in the ledger", len(all))
	}
}

func TestOfManyAtOnceOneGetsTheSerialNumber(t *testing.T) {
	s, _ := rotated(t)
	var wg sync.WaitGroup
	given := make(chan Pair, 8)
	for range cap(given) {
		wg.Go(func() {
			if p, err := s.IssueElsewhere(Request{Hosts: []string{"a"}, Lifetime: day, Serial: big.NewInt(1)}, noon); err == nil {
				given <- p
			}
		})
	}
	wg.Wait()
	if len(given) != 1 {
		t.Errorf("given %d times", len(given))
	}
}

func TestWhatIsRefusedIsNotInTheLedger(t *testing.T) {
	s, _ := rotated(t)
	if _, err := s.IssueElsewhere(Request{Hosts: []string{"a b"}, Lifetime: day}, noon); err == nil {
		t.Error("a host with a blank")
	}
	if left := tree(t, filepath.Join(s.Dir, ledgerFolder)); left != "" {
		t.Error(left)
	}
}

// TestARequestOfOpenSSLIsSigned, of a node's existing key pair.
func TestARequestOfOpenSSLIsSigned(t *testing.T) {
	s, _ := rotated(t)
	dir := t.TempDir()
	key, csr := filepath.Join(dir, "node.key"), filepath.Join(dir, "node.csr")
	openssl(t, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", csr, "-subj", "/O=Acme/CN=is1.example.org",
		"-addext", "subjectAltName=DNS:is1.example.org,DNS:is1.internal,IP:10.0.0.1")
	text := must[[]byte](t)(os.ReadFile(csr))
	for _, allowed := range [][]string{{"is1.example.org", "10.0.0.1"}, nil, {"*.org", "is1.internal", "10.0.0.1"}} {
		if _, err := s.Sign(text, Request{Lifetime: day}, allowed, noon); err == nil || !strings.Contains(err.Error(), "which is not allowed here: name it by --allow") {
			t.Errorf("allowed %v: %v", allowed, err)
		}
	}
	p := must[Pair](t)(s.Sign(text, Request{Lifetime: day}, []string{"*.example.org", "IS1.internal", "10.0.0.1"}, noon))
	if _, err := ParsePair(p.Chain, must[[]byte](t)(os.ReadFile(key)), noon); err != nil {
		t.Error("the certificate is not for the request's key:", err)
	}
	if p.Leaf.Subject.String() != "CN=is1.example.org" || p.Leaf.IsCA || p.Key != nil {
		t.Errorf("subject %s, authority %t", p.Leaf.Subject, p.Leaf.IsCA)
	}
	if all := must[[]*x509.Certificate](t)(s.Ledger()); len(all) != 1 || !all[0].Equal(p.Leaf) {
		t.Errorf("%d certificates in the ledger", len(all))
	}
}

func TestRequestsThatAreNoGood(t *testing.T) {
	dir := t.TempDir()
	request := func(args ...string) []byte {
		t.Helper()
		csr := filepath.Join(dir, "r.csr")
		openssl(t, append([]string{"req", "-new", "-nodes", "-keyout", filepath.Join(dir, "r.key"), "-out", csr, "-subj", "/CN=a"}, args...)...)
		return must[[]byte](t)(os.ReadFile(csr))
	}
	good := request("-newkey", "rsa:2048")
	broken, _ := pem.Decode(good)
	broken.Bytes[len(broken.Bytes)-1] ^= 1
	for _, c := range []struct {
		name, want string
		text       []byte
	}{
		{"the guide's key size", "an RSA key of 1024 bits is too short", request("-newkey", "rsa:1024")},
		{"a mail address", "only DNS names and IP addresses are signed", request("-newkey", "rsa:2048", "-addext", "subjectAltName=email:a@b.example")},
		{"another signature", "is not signed by its own key", pem.EncodeToMemory(broken)},
		{"no request", "there is no certificate request in the file", []byte("hello")},
	} {
		if _, _, err := ParseRequest(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, got %v", c.name, c.want, err)
		}
	}
	if _, hosts, err := ParseRequest(good); err != nil || len(hosts) != 1 || hosts[0] != "a" {
		t.Error("the common name counts where there is nothing else:", hosts, err)
	}
}

func TestOurOwnRequestIsOneForOpenSSL(t *testing.T) {
	for _, kind := range []KeyType{ECDSA, RSA} {
		csr, key, err := NewRequest(Request{CommonName: "a.example", Hosts: []string{"a.example", "10.0.0.1"}, Key: kind})
		if err != nil {
			t.Fatal(err)
		}
		text := openssl(t, "req", "-verify", "-noout", "-text", "-in", at(t, "a.csr", csr))
		if !strings.Contains(text, "DNS:a.example, IP Address:10.0.0.1") || !strings.Contains(text, "verify OK") {
			t.Error(text)
		}
		openssl(t, "pkey", "-noout", "-check", "-in", at(t, "a.key", key))
	}
}

package pki

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestLeafPassesOpenSSL puts leaves to `openssl verify -x509_strict` for each
// of their hosts and for one that is not theirs.
func TestLeafPassesOpenSSL(t *testing.T) {
	ca := authority(t)
	caFile := at(t, "ca.crt", ca.PEM)
	for _, r := range []Request{
		{Hosts: []string{"localhost"}, Lifetime: 90 * day},
		{Hosts: []string{"LOCALHOST.", "localhost", "127.0.0.1", "::1", "::ffff:192.0.2.1"}, Lifetime: 825 * day, CommonName: "localhost"},
		{Hosts: []string{"*.example.com", "example.com", "xn--bcher-kva.example"}, Lifetime: time.Minute},
		{Hosts: []string{"is_node1.cluster", strings.Repeat("a", 63) + ".example"}, Lifetime: time.Hour},
		{Hosts: []string{"envoy"}, Lifetime: 90 * day, Use: ForClients, CommonName: "envoy"},
		{Hosts: []string{"usher"}, Lifetime: 90 * day, Use: ForBoth},
		{Hosts: []string{"localhost", "::1"}, Lifetime: 90 * day, Key: RSA},
		{Hosts: []string{"envoy"}, Lifetime: 90 * day, Use: ForClients, CommonName: "envoy"},
	} {
		p := must[Pair](t)(ca.Issue(r, noon))
		leaf := at(t, "leaf.pem", p.Chain)
		purposes := map[Use][]string{ForServers: {"sslserver"}, ForClients: {"sslclient"}, ForBoth: {"sslserver", "sslclient"}}[r.Use]
		for _, h := range r.Hosts {
			for _, purpose := range purposes {
				out := openssl(t, "verify", "-x509_strict", "-purpose", purpose, "-attime", strconv.FormatInt(noon.Unix(), 10), "-CAfile", caFile, asked(h), clean(h), leaf)
				if !strings.HasSuffix(out, ": OK\n") {
					t.Errorf("%v: %s", r, out)
				}
			}
		}
		if FitForClients(p.Leaf) != (r.Use != ForServers) {
			t.Errorf("%v: fit for clients: %t", r, FitForClients(p.Leaf))
		}
		if err := p.Leaf.VerifyHostname("other.example.org"); err == nil {
			t.Errorf("%v: good for other.example.org", r.Hosts)
		}
	}
}

// asked is openssl's option for a host; clean is how it wants to read it.
func asked(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return "-verify_ip"
	}
	return "-verify_hostname"
}

func clean(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().String()
	}
	return strings.TrimSuffix(strings.Replace(host, "*", "any", 1), ".")
}

// TestCertificatesAsOpenSSLReadsThem holds the fields that RFC 5280 asks for.
func TestCertificatesAsOpenSSLReadsThem(t *testing.T) {
	ca := authority(t)
	p := must[Pair](t)(ca.Issue(Request{Hosts: []string{"localhost", "127.0.0.1"}, Lifetime: day}, noon))
	for _, c := range []struct {
		pem  []byte
		want []string
	}{
		{ca.PEM, []string{"CA:TRUE, pathlen:0", "Basic Constraints: critical", "Key Usage: critical", "Certificate Sign, CRL Sign", "Subject Key Identifier", "prime256v1", "CN = test CA"}},
		{p.Chain, []string{"CA:FALSE", "Key Usage: critical", "Digital Signature\n", "TLS Web Server Authentication\n", "Authority Key Identifier", "Subject Key Identifier",
			"Subject Alternative Name: critical", "DNS:localhost, IP Address:127.0.0.1", "prime256v1", "ecdsa-with-SHA256"}},
	} {
		text := openssl(t, "x509", "-noout", "-text", "-in", at(t, "c.pem", c.pem))
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in\n%s", want, text)
			}
		}
	}
	if string(p.Leaf.AuthorityKeyId) != string(ca.Certificate.SubjectKeyId) {
		t.Error("the leaf's authority key identifier is not the authority's")
	}
}

func TestSerialNumbersAreRandomAndPositive(t *testing.T) {
	ca, seen := authority(t), map[string]bool{}
	for range 50 {
		p := must[Pair](t)(ca.Issue(Request{Hosts: []string{"a"}, Lifetime: day}, noon))
		n := p.Leaf.SerialNumber
		if n.Sign() <= 0 || n.BitLen() > 129 || n.BitLen() < 80 || seen[n.String()] {
			t.Fatalf("serial number %v", n)
		}
		seen[n.String()] = true
	}
}

// TestLife tells when leaves begin, end and are renewed, by what is left of
// the authority.
func TestLife(t *testing.T) {
	ca := authority(t)
	end := ca.Certificate.NotAfter
	for _, c := range []struct {
		name          string
		lifetime      time.Duration
		now           time.Time
		from, to, due time.Duration // from now
	}{
		{"a minute", time.Minute, noon, -6 * time.Second, 54 * time.Second, 34 * time.Second},
		{"an hour", time.Hour, noon, -6 * time.Minute, 54 * time.Minute, 34 * time.Minute},
		{"ninety days", 90 * day, noon, -time.Hour, 90*day - time.Hour, 60*day - time.Hour},
		{"parts of a second are cut off", 90*time.Second + 700*time.Millisecond, noon.Add(300 * time.Millisecond), -9*time.Second - 300*time.Millisecond, 81*time.Second - 300*time.Millisecond, 51*time.Second - 300*time.Millisecond},
		{"the authority ends in ten days", 90 * day, end.Add(-10 * day), -time.Hour, 10 * day, (10*day+time.Hour)/3*2 - time.Hour},
		{"the authority ends in ten minutes", 90 * day, end.Add(-10 * time.Minute), -time.Minute, 10 * time.Minute, 6*time.Minute + 20*time.Second},
		{"the clock is behind the authority", time.Hour, noon.Add(-2 * time.Hour), time.Hour, 2 * time.Hour, 100 * time.Minute},
	} {
		p := must[Pair](t)(ca.Issue(Request{Hosts: []string{"a"}, Lifetime: c.lifetime}, c.now))
		got := []time.Duration{p.Leaf.NotBefore.Sub(c.now), p.Leaf.NotAfter.Sub(c.now)}
		if want := []time.Duration{c.from, c.to}; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: from, to are %v, not %v", c.name, got, want)
		}
		if late := RenewAt(p.Leaf).Sub(c.now) - c.due; late < 0 || late > (c.to-c.from)/30 {
			t.Errorf("%s: due %v later than after two thirds", c.name, late)
		}
	}
}

// TestRenewalsAreSpread holds that certificates issued together are due at
// different times, and the same one always at the same.
func TestRenewalsAreSpread(t *testing.T) {
	ca, seen := authority(t), map[time.Time]bool{}
	for range 20 {
		p := must[Pair](t)(ca.Issue(Request{Hosts: []string{"a"}, Lifetime: 90 * day}, noon))
		seen[RenewAt(p.Leaf)] = true
		if !RenewAt(p.Leaf).Equal(RenewAt(p.Leaf)) {
			t.Error("due twice")
		}
	}
	if len(seen) < 10 {
		t.Errorf("20 certificates are due at %d times", len(seen))
	}
}

func TestIssueRefuses(t *testing.T) {
	ca := authority(t)
	good := Request{Hosts: []string{"a"}, Lifetime: day}
	for _, c := range []struct {
		want string
		ca   Authority
		r    Request
		now  time.Time
	}{
		{"there is no authority", Authority{}, good, noon},
		{`the authority "test CA" expired on 2037-05-29T11:00:00Z`, ca, good, noon.Add(AuthorityLifetime)},
		{"a lifetime of 59s is too short: 1m0s is the least", ca, Request{Hosts: good.Hosts, Lifetime: 59 * time.Second}, noon},
		{"at least one host", ca, Request{Lifetime: day}, noon},
		{"longer than 64 characters", ca, Request{CommonName: strings.Repeat("a", 65), Hosts: good.Hosts, Lifetime: day}, noon},
	} {
		if _, err := c.ca.Issue(c.r, c.now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q, got %v", c.want, err)
		}
	}
	for _, host := range []string{"", "*", "a.*.b", "*.*.a", "bücher.example", "a b", "-a", "a-", "a..b", ".a", "a:443", "http://a", "fe80::1%eth0", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a"} {
		if _, err := ca.Issue(Request{Hosts: []string{host}, Lifetime: day}, noon); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q is neither a DNS name", host)) {
			t.Errorf("host %q: %v", host, err)
		}
	}
}

func TestTwoAuthoritiesOfOneNameAreTwoToClients(t *testing.T) {
	a, b := authority(t), authority(t)
	if string(a.Certificate.RawSubject) == string(b.Certificate.RawSubject) {
		t.Error("both have the subject", a.Certificate.Subject)
	}
}

// TestAuthorityOfTheOperatorIsUsed puts one made with openssl into the folder,
// as the older guides make it.
func TestAuthorityOfTheOperatorIsUsed(t *testing.T) {
	dir := t.TempDir()
	s := Store{Dir: dir}
	if err := makeDir(filepath.Join(dir, "ca")); err != nil {
		t.Fatal(err)
	}
	crt, key := filepath.Join(dir, "ca", "ca.crt"), filepath.Join(dir, "ca", "ca.key")
	openssl(t, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", crt, "-days", "3650", "-subj", "/O=Acme/CN=Acme Local CA")
	ca, made, err := s.Authority(noon)
	if err != nil || made {
		t.Fatal(made, err)
	}
	p, _, err := s.Certificate("server", Request{Hosts: []string{"localhost"}, Lifetime: day}, ca, noon)
	if err != nil {
		t.Fatal(err)
	}
	// Without -x509_strict: such an authority has no key usage.
	openssl(t, "verify", "-purpose", "sslserver", "-verify_hostname", "localhost", "-attime", strconv.FormatInt(noon.Unix(), 10), "-CAfile", crt, at(t, "leaf", p.Chain))
}

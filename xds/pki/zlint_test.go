package pki

import (
	"encoding/pem"
	"testing"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

// TestZlintFindsNothing puts everything that is ever issued to zlint, by the
// profiles for any certificate. That of public authorities (CA/Browser Forum)
// asks for what a local one cannot have, such as a revocation service.
func TestZlintFindsNothing(t *testing.T) {
	rules, err := lint.GlobalRegistry().Filter(lint.FilterOptions{
		IncludeSources: lint.SourceList{lint.RFC3279, lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC8813, lint.MozillaRootStorePolicy, lint.Community},
	})
	if err != nil {
		t.Fatal(err)
	}
	ca := authority(t)
	rsaCA := must[Authority](t)(AuthorityRequest{Name: "RSA CA", Lifetime: AuthorityLifetime, Key: RSA}.New(noon))
	all := map[string][]byte{"CA": ca.PEM, "RSA CA": rsaCA.PEM}
	for name, r := range map[string]Request{
		"leaf":        {CommonName: "localhost", Hosts: []string{"localhost", "is.example.org", "127.0.0.1", "::1"}, Lifetime: 90 * day},
		"wildcard":    {Hosts: []string{"*.example.com"}, Lifetime: 825 * day},
		"RSA leaf":    {Hosts: []string{"is.example.org"}, Lifetime: day, Key: RSA},
		"client":      {CommonName: "envoy", Hosts: []string{"envoy.example.org"}, Lifetime: day, Use: ForClients},
		"both":        {Hosts: []string{"usher.example.org"}, Lifetime: day, Use: ForBoth},
		"of a minute": {Hosts: []string{"is.example.org"}, Lifetime: MinLifetime},
	} {
		for issuer, a := range map[string]Authority{"": ca, ", by RSA": rsaCA} {
			all[name+issuer] = must[Pair](t)(a.Issue(r, noon)).Chain
		}
	}
	for name, text := range all {
		block, _ := pem.Decode(text)
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		results := zlint.LintCertificateEx(c, rules).Results
		if len(results) < 100 {
			t.Errorf("only %d rules", len(results))
		}
		for rule, found := range results {
			if found.Status >= lint.Warn {
				t.Errorf("%s: %s: %s %s", name, rule, found.Status, found.Details)
			}
		}
	}
}

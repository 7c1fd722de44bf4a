package keystore_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/xds/pki/keystore"
)

// twoKeys makes a store as a real keytool does: two keys with their chains, a
// trusted certificate, and in PKCS12 a secret.
func twoKeys(t *testing.T, dir, store, format string) {
	t.Helper()
	for _, alias := range []string{"tomcat", "signing"} {
		keytool(t, dir, store, "-genkeypair", "-alias", alias, "-keyalg", "EC", "-dname", "CN="+alias, "-keypass", pass, "-storetype", format)
	}
	write(t, dir, "other.pem", authority(t, "other CA").PEM)
	keytool(t, dir, store, "-importcert", "-alias", "other", "-file", "other.pem")
	if format == "pkcs12" {
		keytool(t, dir, store, "-genseckey", "-alias", "secret", "-keyalg", "AES", "-keysize", "128")
	}
}

// TestAddTrustedKeepsEveryOtherEntry merges into the stores of a real keytool,
// which then still reads their keys and secrets.
func TestAddTrustedKeepsEveryOtherEntry(t *testing.T) {
	for _, format := range []string{"jks", "pkcs12"} {
		t.Run(format, func(t *testing.T) {
			dir, store, ca := t.TempDir(), "store."+format, authority(t, "usher CA")
			twoKeys(t, dir, store, format)
			want := aliasesOf(t, dir, store)
			before := details(t, dir, store, want)
			merged, changed, err := keystore.AddTrusted(read(t, dir, store), []byte(pass), entry("usher", ca))
			if err != nil || !changed {
				t.Fatal(changed, err)
			}
			write(t, dir, store, merged)
			if diff := cmp.Diff(before, details(t, dir, store, want)); diff != "" {
				t.Errorf("-before +after\n%s", diff)
			}
			want["usher"] = "trustedCertEntry"
			if diff := cmp.Diff(want, aliasesOf(t, dir, store)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			keyOpens(t, dir, store)
			again, changed, err := keystore.AddTrusted(merged, []byte(pass), entry("another-name", ca))
			if err != nil || changed || !bytes.Equal(again, merged) {
				t.Error("what is trusted already was added again:", changed, err)
			}
		})
	}
}

// details is all that keytool tells of each of some entries.
func details(t *testing.T, dir, store string, aliases map[string]string) string {
	t.Helper()
	var text strings.Builder
	for _, alias := range []string{"tomcat", "signing", "other", "secret"} {
		if aliases[alias] != "" {
			text.WriteString(keytool(t, dir, store, "-list", "-v", "-alias", alias))
		}
	}
	return text.String()
}

// keyOpens signs a request with one of the keys, which needs it decrypted.
func keyOpens(t *testing.T, dir, store string) {
	t.Helper()
	if out := keytool(t, dir, store, "-certreq", "-alias", "tomcat"); !strings.Contains(out, "BEGIN NEW CERTIFICATE REQUEST") {
		t.Error(out)
	}
}

// TestAddTrustedToStoresOfOpenssl: the key of a store that openssl made, in
// today's encryption and in that of its version 1, is still openssl's to read.
func TestAddTrustedToStoresOfOpenssl(t *testing.T) {
	for name, flags := range map[string][]string{"today": nil, "legacy": {"-legacy"}, "sha512": {"-macalg", "sha512"}} {
		t.Run(name, func(t *testing.T) {
			dir := serverFiles(t)
			run(t, dir, "openssl", append([]string{"pkcs12", "-export", "-name", "tomcat", "-in", "chain.pem", "-inkey", "server.key", "-out", "store.p12", "-passout", "pass:" + pass}, flags...)...)
			merged, _, err := keystore.AddTrusted(read(t, dir, "store.p12"), []byte(pass), entry("usher", authority(t, "usher CA")))
			if err != nil {
				t.Fatal(err)
			}
			write(t, dir, "store.p12", merged)
			out := run(t, dir, "openssl", "pkcs12", "-legacy", "-in", "store.p12", "-nodes", "-passin", "pass:"+pass)
			if strings.Count(out, "BEGIN CERTIFICATE") != 3 || strings.Count(out, "BEGIN PRIVATE KEY") != 1 {
				t.Error(out)
			}
		})
	}
}

// TestAddTrustedToAStoreWithoutAPassword leaves it without one, as Java 18's
// cacerts is.
func TestAddTrustedToAStoreWithoutAPassword(t *testing.T) {
	dir, first, second := t.TempDir(), authority(t, "first CA"), authority(t, "second CA")
	write(t, dir, "first.pem", first.PEM)
	run(t, dir, "keytool", "-J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE", "-J-Dkeystore.pkcs12.macAlgorithm=NONE",
		"-importcert", "-alias", "first", "-file", "first.pem", "-storetype", "pkcs12", "-keystore", "open.p12", "-storepass", pass, "-noprompt")
	store, changed, err := keystore.AddTrusted(read(t, dir, "open.p12"), nil, entry("second", second))
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	c := must[keystore.Contents](t)(keystore.Read(store, nil))
	if diff := cmp.Diff([]string{"first", "second"}, names(c)); diff != "" {
		t.Error(diff)
	}
	write(t, dir, "open.p12", store)
	if got := aliasesOf(t, dir, "open.p12"); len(got) != 2 {
		t.Error(got)
	}
}

func names(c keystore.Contents) []string {
	var all []string
	for _, e := range c.Trusted {
		all = append(all, e.Alias)
	}
	return all
}

func TestAddTrustedToABundle(t *testing.T) {
	ca, other := authority(t, "usher CA"), authority(t, "other CA")
	existing := append([]byte("# other CA\n"), bytes.TrimSpace(other.PEM)...)
	store, changed, err := keystore.AddTrusted(existing, nil, entry("usher", ca))
	if want := string(existing) + "\n" + string(ca.PEM); err != nil || !changed || string(store) != want {
		t.Errorf("%v %v\n%s", changed, err, store)
	}
	if again, changed, err := keystore.AddTrusted(store, nil, entry("usher", ca)); err != nil || changed || !bytes.Equal(again, store) {
		t.Error(changed, err)
	}
}

// TestAddTrustedRefuses gives back nothing that could be written over a store.
func TestAddTrustedRefuses(t *testing.T) {
	ca, other := authority(t, "usher CA"), authority(t, "other CA")
	for _, format := range []keystore.Format{keystore.JKS, keystore.PKCS12} {
		store := must[[]byte](t)(keystore.TrustStore(format, []keystore.Entry{entry("other", other)}, []byte(pass)))
		for name, c := range map[string]struct {
			store, password []byte
			alias, want     string
		}{
			"a name in use":   {store, []byte(pass), "other", `the store has another entry of the name "other"`},
			"a name for Java": {store, []byte(pass), "Usher", `"Usher" is not a name for a trusted certificate`},
			"wrong password":  {store, []byte("changeme"), "usher", "the passphrase is wrong"},
			"no password":     {store, nil, "usher", "it is protected by a passphrase, and none was given"},
			"cut off":         {store[:len(store)-7], []byte(pass), "usher", "the file is cut off"},
			"no store":        {[]byte("hello"), []byte(pass), "usher", "the file is neither PEM, DER, PKCS12 nor JKS"},
			"DER":             {other.Certificate.Raw, nil, "usher", "a DER file holds one certificate"},
		} {
			got, changed, err := keystore.AddTrusted(c.store, c.password, entry(c.alias, ca))
			if err == nil || got != nil || changed || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%s, %s: want %q, got %v", format, name, c.want, err)
			}
		}
	}
}

// TestTrustStoreIsTheSameEachTime lets an export tell that nothing changed.
func TestTrustStoreIsTheSameEachTime(t *testing.T) {
	entries := []keystore.Entry{entry("usher", authority(t, "usher CA")), entry("other", authority(t, "other CA"))}
	for _, format := range []keystore.Format{keystore.PEM, keystore.JKS, keystore.PKCS12} {
		first := must[[]byte](t)(keystore.TrustStore(format, entries, []byte(pass)))
		if again := must[[]byte](t)(keystore.TrustStore(format, entries, []byte(pass))); !bytes.Equal(first, again) {
			t.Errorf("%s: another file each time", format)
		}
		c := must[keystore.Contents](t)(keystore.Read(first, []byte(pass)))
		if c.Format != format || len(c.Chain)+len(c.Trusted) != 2 {
			t.Errorf("%s: %+v", format, c)
		}
	}
}

func TestTrustStoreRefuses(t *testing.T) {
	one := entry("usher", authority(t, "usher CA"))
	for name, c := range map[string]struct {
		format   keystore.Format
		entries  []keystore.Entry
		password string
		want     string
	}{
		"nothing":              {keystore.PEM, nil, "", "there is no certificate to trust"},
		"two in DER":           {keystore.DER, []keystore.Entry{one, one}, "", "a DER file holds one certificate, not 2"},
		"a short password":     {keystore.JKS, []keystore.Entry{one}, "12345", "the password of a store has at least 6 characters"},
		"a password not ASCII": {keystore.PKCS12, []keystore.Entry{one}, "změnit-it", "the password of a store has at least 6 characters, all of them ASCII"},
		"a name twice":         {keystore.PKCS12, []keystore.Entry{one, one}, pass, `the name "usher" is there twice`},
	} {
		if _, err := keystore.TrustStore(c.format, c.entries, []byte(c.password)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: want %q, got %v", name, c.want, err)
		}
	}
}

// TestOpensslReadsExports checks PEM, DER and PKCS12 by the real openssl.
func TestOpensslReadsExports(t *testing.T) {
	dir, ca := t.TempDir(), authority(t, "usher CA")
	for format, args := range map[keystore.Format][]string{
		keystore.PEM:    {"x509", "-in", "ca.pem"},
		keystore.DER:    {"x509", "-inform", "der", "-in", "ca.der"},
		keystore.PKCS12: {"pkcs12", "-in", "ca.pkcs12", "-passin", "pass:" + pass},
	} {
		write(t, dir, "ca."+string(format), must[[]byte](t)(keystore.TrustStore(format, []keystore.Entry{entry("usher", ca)}, []byte(pass))))
		c := must[keystore.Contents](t)(keystore.Read([]byte(run(t, dir, "openssl", args...)), nil))
		if len(c.Chain) != 1 || !bytes.Equal(c.Chain[0].Raw, ca.Certificate.Raw) {
			t.Error(format, c.Chain)
		}
	}
}

package keystore_test

import (
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/xds/pki"
	"usher/xds/pki/keystore"
)

// TestJavaClientsTrustExportedStores connects a real Java program to a server
// whose certificate our authority issued. Nothing is switched off in it: host
// name and chain are checked as Java does by itself.
func TestJavaClientsTrustExportedStores(t *testing.T) {
	dir, ca, other := t.TempDir(), authority(t, "usher CA"), authority(t, "other CA")
	url := serve(t, ca)
	for _, format := range []keystore.Format{keystore.JKS, keystore.PKCS12} {
		for name, entries := range map[string][]keystore.Entry{
			"alone":    {entry("usher", ca)},
			"together": {entry("other", other), entry("usher", ca)},
		} {
			t.Run(string(format)+" "+name, func(t *testing.T) {
				store := must[[]byte](t)(keystore.TrustStore(format, entries, []byte(pass)))
				trusts(t, dir, name+"."+string(format), store, url)
			})
		}
		t.Run(string(format)+" merged", func(t *testing.T) {
			file := "merged." + string(format)
			write(t, dir, "other.pem", other.PEM)
			keytool(t, dir, file, "-importcert", "-alias", "other", "-file", "other.pem", "-storetype", string(format))
			distrusts(t, dir, file, url)
			store, changed, err := keystore.AddTrusted(read(t, dir, file), []byte(pass), entry("usher", ca))
			if err != nil || !changed {
				t.Fatal(changed, err)
			}
			trusts(t, dir, file, store, url)
		})
	}
	t.Run("no store", func(t *testing.T) {
		out, err := try(t, ".", "java", "testdata/Client.java", url)
		if err == nil || !strings.Contains(out, "SSLHandshakeException") {
			t.Errorf("Java's own authorities let it connect: %v\n%s", err, out)
		}
	})
}

// serve answers on localhost with a certificate of the authority.
func serve(t *testing.T, ca pki.Authority) string {
	t.Helper()
	p := must[pki.Pair](t)(ca.Issue(pki.Request{Hosts: []string{"localhost"}, Lifetime: time.Hour}, time.Now()))
	cert := must[tls.Certificate](t)(tls.X509KeyPair(p.Chain, p.Key))
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that distrust it are wanted
	s.StartTLS()
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
}

func trusts(t *testing.T, dir, file string, store []byte, url string) {
	t.Helper()
	write(t, dir, file, store)
	if out, err := client(t, dir, file, url); err != nil || strings.TrimSpace(out) != "200 hello" {
		t.Errorf("%s: %v\n%s", file, err, out)
	}
}

func distrusts(t *testing.T, dir, file, url string) {
	t.Helper()
	if out, err := client(t, dir, file, url); err == nil || !strings.Contains(out, "SSLHandshakeException") {
		t.Errorf("%s: a client without the authority connects: %v\n%s", file, err, out)
	}
}

func client(t *testing.T, dir, file, url string) (string, error) {
	t.Helper()
	return try(t, ".", "java", "-Djavax.net.ssl.trustStore="+filepath.Join(dir, file),
		"-Djavax.net.ssl.trustStorePassword="+pass, "testdata/Client.java", url)
}

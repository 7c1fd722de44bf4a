package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const certHeader = "X-Wso2-Mutual-Auth-Cert"

// forgeries are ways to claim a certificate.
var forgeries = []string{"x-wso2-mutual-auth-cert", "X-WSO2-MUTUAL-AUTH-CERT", "x_wso2_mutual_auth_cert", "x-wso2_mutual-auth_cert"}

// clients are an authority with a client of its own, and a stranger.
type clients struct {
	ca             string // a PEM file
	known, unknown tls.Certificate
}

func makeClients(t *testing.T) clients {
	t.Helper()
	dir := t.TempDir()
	make := func(name string, args ...string) tls.Certificate {
		t.Helper()
		crt, key := filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
		all := append([]string{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/O=Acme, Co/CN=" + name, "-out", crt, "-keyout", key}, args...)
		if out, err := exec.Command("openssl", all...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		pair, err := tls.LoadX509KeyPair(crt, key)
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	make("ca")
	ca := filepath.Join(dir, "ca.pem")
	signed := []string{"-CA", ca, "-CAkey", filepath.Join(dir, "ca.key"), "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=clientAuth"}
	return clients{ca, make("known", signed...), make("unknown")}
}

// asking is the site's file with client certificates.
func (s *site) asking(f file, client string) string {
	return strings.Replace(s.text(f), "certificate: server}", "certificate: server, client: "+client+"}", 1)
}

// reaching is a client with a connection for each request, to whatever port.
func (s *site) reaching(port int, http2 bool, config *tls.Config) *http.Client {
	config.RootCAs = s.roots()
	tr := &http.Transport{TLSClientConfig: config, DisableKeepAlives: !http2, ForceAttemptHTTP2: http2,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		}}
	s.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// told are the headers with which a request with forged ones reaches the node.
func told(t *testing.T, client *http.Client, url string) (http.Header, *http.Response, error) {
	t.Helper()
	req, _ := http.NewRequest(http.MethodGet, url, nil)
	for _, name := range forgeries {
		req.Header[name] = []string{"forged", "forged twice"}
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	var seen struct{ Headers http.Header }
	if resp.StatusCode == http.StatusOK {
		if err := json.NewDecoder(resp.Body).Decode(&seen); err != nil {
			t.Fatal(err)
		}
	}
	for name, values := range seen.Headers {
		if strings.Contains(strings.Join(values, " "), "forged") {
			t.Errorf("a forged %s reached the node", name)
		}
	}
	return seen.Headers, resp, nil
}

// shown is the certificate in a header.
func shown(t *testing.T, h http.Header) string {
	t.Helper()
	if len(h[certHeader]) != 1 {
		t.Errorf("the node was told %q", h[certHeader])
		return ""
	}
	text, err := url.PathUnescape(h[certHeader][0])
	if err != nil {
		t.Error(err)
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(strings.TrimSpace(string(rest))) > 0 {
		t.Errorf("not one certificate: %q", text)
		return ""
	}
	return string(block.Bytes)
}

func TestTheNodeIsToldOfAVerifiedCertificateAndOfNoOther(t *testing.T) {
	c := makeClients(t)
	s := newIdleSite(t, 1, file{})
	plain := freePort(t)
	f := s.file
	f.more = fmt.Sprintf("  - {name: plain, address: \"127.0.0.1:%d\", routes: [{path: /, pool: identity}]}\n", plain)
	s.save(s.asking(f, "{ca: "+c.ca+", mode: request}"))
	s.run()
	for _, http2 := range []bool{false, true} {
		for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			h, _, err := told(t, s.reaching(s.port, http2, &tls.Config{MinVersion: v, MaxVersion: v}), s.url("/headers"))
			if err != nil || h.Get(certHeader) != "" {
				t.Errorf("without a certificate, version %x: told %q, %v", v, h.Get(certHeader), err)
			}
			known := s.reaching(s.port, false, &tls.Config{MinVersion: v, MaxVersion: v, Certificates: []tls.Certificate{c.known}, ClientSessionCache: tls.NewLRUClientSessionCache(1)})
			for i := range 3 {
				h, resp, err := told(t, known, s.url("/headers"))
				if err != nil {
					t.Fatal(err)
				}
				if resp.TLS.DidResume {
					t.Errorf("request %d, version %x: the certificate of before was believed again", i, v)
				}
				if shown(t, h) != string(c.known.Certificate[0]) {
					t.Error("another certificate than the client's")
				}
			}
			for _, refused := range []tls.Certificate{c.unknown, s.serverPair()} {
				config := &tls.Config{MinVersion: v, MaxVersion: v, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &refused, nil }}
				if h, _, err := told(t, s.reaching(s.port, http2, config), s.url("/headers")); err == nil {
					t.Errorf("an untrusted certificate was served, told %q", h.Get(certHeader))
				}
			}
		}
	}
	h, _, err := told(t, s.reaching(plain, false, &tls.Config{}), fmt.Sprintf("http://localhost:%d/headers", plain))
	if err != nil || h.Get(certHeader) != "" {
		t.Errorf("over plain HTTP: told %q, %v", h.Get(certHeader), err)
	}
}

// serverPair is the listener's own certificate, which the local CA issued, but
// for no client.
func (s *site) serverPair() tls.Certificate {
	s.t.Helper()
	file := filepath.Join(s.state(), "certificates", "server.pem")
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		s.t.Fatal(err)
	}
	return pair
}

func TestARequiredCertificateIsRequiredAndItsAuthorityFollowed(t *testing.T) {
	first, second := makeClients(t), makeClients(t)
	s := newIdleSite(t, 1, file{})
	ca := filepath.Join(s.dir, "clients.pem")
	trust := func(c clients) {
		t.Helper()
		text, err := os.ReadFile(c.ca)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(ca, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust(first)
	s.save(s.asking(s.file, "{ca: clients.pem, header: SSL_CLIENT_S_DN, format: subject}"))
	s.run()
	if _, _, err := told(t, s.reaching(s.port, false, &tls.Config{}), s.url("/headers")); err == nil {
		t.Error("served without a certificate")
	}
	client := s.reaching(s.port, false, &tls.Config{Certificates: []tls.Certificate{first.known}, ClientSessionCache: tls.NewLRUClientSessionCache(1)})
	h, _, err := told(t, client, s.url("/headers"))
	if got := h["Ssl_client_s_dn"]; err != nil || len(got) != 1 || got[0] != `CN=known,O=Acme\, Co` {
		t.Errorf("told %q, %v", got, err)
	}
	trust(second)
	until(t, patience, "the first authority's client to be refused", func() bool {
		_, _, err := told(t, client, s.url("/headers"))
		return err != nil
	})
	if _, _, err := told(t, s.reaching(s.port, false, &tls.Config{Certificates: []tls.Certificate{second.known}}), s.url("/headers")); err != nil {
		t.Errorf("the second authority's client: %v", err)
	}
}

// brief is a client's certificate for two seconds from now.
func (c clients) brief(t *testing.T) tls.Certificate {
	t.Helper()
	ca, err := tls.LoadX509KeyPair(c.ca, strings.TrimSuffix(c.ca, "pem")+"key")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(5), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(2 * time.Second),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca.Leaf, key.Public(), ca.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestAnExpiredCertificateIsNotBelievedForItsSession(t *testing.T) {
	c := makeClients(t)
	s := newIdleSite(t, 1, file{})
	s.save(s.asking(s.file, "{ca: "+c.ca+"}"))
	s.run()
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		brief := c.brief(t)
		client := s.reaching(s.port, false, &tls.Config{MinVersion: v, MaxVersion: v, ClientSessionCache: tls.NewLRUClientSessionCache(1),
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &brief, nil }})
		if _, _, err := told(t, client, s.url("/headers")); err != nil {
			t.Fatal(err)
		}
		until(t, 5*time.Second, "the certificate to be refused", func() bool {
			_, _, err := told(t, client, s.url("/headers"))
			return err != nil
		})
	}
}

func TestAPathMayRequireACertificate(t *testing.T) {
	c := makeClients(t)
	s := newIdleSite(t, 1, file{routes: []string{"{path: /headers, pool: identity, client_certificate: require}"}})
	s.save(s.asking(s.file, "{ca: "+c.ca+", mode: request}"))
	s.run()
	status := func(client *http.Client, path string) int {
		t.Helper()
		resp, err := client.Get(s.url(path))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := func(certs ...tls.Certificate) *tls.Config {
			return &tls.Config{MinVersion: v, MaxVersion: v, Certificates: certs, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		}
		for _, http2 := range []bool{false, true} {
			nobody := s.reaching(s.port, http2, config())
			for path, want := range map[string]int{"/": 200, "/headersx": 200, "/headers": 403, "/headers/x": 403, "/headers;x": 403, "/headers;x/y;z": 403, "/%68eaders": 403, "/a/../headers": 403, "//headers": 403, "/a/..;/headers": 403, "/a/..;x/headers": 403, "/;/headers": 404, "/;x=y/headers/x": 404} {
				if got := status(nobody, path); got != want {
					t.Errorf("version %x, without a certificate, %s: %d, want %d", v, path, got, want)
				}
			}
		}
		known := s.reaching(s.port, false, config(c.known))
		for i := range 3 {
			if got := status(known, "/headers"); got != 200 {
				t.Errorf("version %x, with a certificate, request %d: %d", v, i, got)
			}
		}
	}
}

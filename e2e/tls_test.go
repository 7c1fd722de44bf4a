package e2e

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shows is the first name in the certificate that a client sees.
func (s *site) shows(config *tls.Config) (*tls.ConnectionState, error) {
	config.InsecureSkipVerify = true
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port), config)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // looked at
	state := conn.ConnectionState()
	return &state, nil
}

func TestSeveralHostsOnOnePort(t *testing.T) {
	s := newSite(t, 1, file{more: ""})
	s.change("a second host", func(f *file) {
		f.more = fmt.Sprintf("  - {name: api, address: \"127.0.0.1:%d\", hosts: [api.example.org], tls: {}, routes: [{path: /only-api, deny: true}, {path: /, pool: identity}]}\n", s.port)
	})
	for sni, want := range map[string]string{"localhost": "localhost", "api.example.org": "api.example.org", "": "localhost", "unknown.example.org": "localhost"} {
		until(t, patience, "the certificate of "+want+" for "+sni, func() bool {
			state, err := s.shows(&tls.Config{ServerName: sni})
			return err == nil && state.PeerCertificates[0].DNSNames[0] == want
		})
	}
	out, err := exec.Command("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", filepath.Join(s.state(), "ca", "ca.crt"),
		"--resolve", fmt.Sprintf("api.example.org:%d:127.0.0.1", s.port), fmt.Sprintf("https://api.example.org:%d/only-api", s.port)).Output()
	if err != nil || string(out) != "404" {
		t.Errorf("api.example.org/only-api: %s %v", out, err)
	}
	if _, resp := s.ask("/only-api", ""); resp.StatusCode != 200 {
		t.Errorf("localhost/only-api: %d", resp.StatusCode)
	}
}

func TestWhatTLSIsOffered(t *testing.T) {
	s := newSite(t, 1, file{})
	for _, v := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if _, err := s.shows(&tls.Config{MinVersion: v, MaxVersion: v}); err == nil {
			t.Errorf("version %x was accepted", v)
		}
	}
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		state, err := s.shows(&tls.Config{MinVersion: v, MaxVersion: v, NextProtos: []string{"h2", "http/1.1"}})
		if err != nil || state.NegotiatedProtocol != "h2" {
			t.Errorf("version %x: %v, %v", v, state, err)
		}
	}
}

// accepted are the offers that a listener takes, each made alone.
func accepted[T any](s *site, offers []T, config func(T) *tls.Config) (taken []T) {
	for _, o := range offers {
		if _, err := s.shows(config(o)); err == nil {
			taken = append(taken, o)
		}
	}
	return taken
}

func TestTheProfileIsMozillasIntermediate(t *testing.T) {
	s := newSite(t, 1, file{})
	older := uint16(tls.VersionTLS12)
	var all []uint16
	for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		all = append(all, c.ID)
	}
	suites := accepted(s, all, func(id uint16) *tls.Config {
		return &tls.Config{MaxVersion: older, CipherSuites: []uint16{id}}
	})
	slices.Sort(suites)
	if diff := cmp.Diff([]uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}, suites); diff != "" {
		t.Errorf("suites with an ECDSA certificate (-want +got)\n%s", diff)
	}
	groups := []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384}
	got := accepted(s, append(groups, tls.CurveP521), func(id tls.CurveID) *tls.Config { return &tls.Config{CurvePreferences: []tls.CurveID{id}} })
	if diff := cmp.Diff(groups, got); diff != "" {
		t.Errorf("groups (-want +got)\n%s", diff)
	}
	s.save(strings.Replace(s.text(s.file), "certificate: server}", "certificate: server, min_version: 1.3}", 1))
	until(t, patience, "TLS 1.2 to be refused", func() bool { _, err := s.shows(&tls.Config{MaxVersion: older}); return err != nil })
	if state, err := s.shows(&tls.Config{}); err != nil || state.Version != tls.VersionTLS13 {
		t.Errorf("with min_version 1.3: %v, %v", state, err)
	}
}

func TestSessionsAreResumedOnBothSides(t *testing.T) {
	s := newSite(t, 1, file{})
	for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := &tls.Config{RootCAs: s.roots(), ServerName: "localhost", MinVersion: v, MaxVersion: v, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		for _, want := range []bool{false, true, true} {
			if resumed := s.once(config); resumed != want {
				t.Errorf("version %x: resumed %t, want %t", v, resumed, want)
			}
		}
	}
	until(t, patience, "a session with a node to be resumed", func() bool {
		s.ask("/", "") // its answer brings the node's ticket
		s.get("/reset", "", patience)
		return s.stat("cluster.identity.ssl.session_reused") > 0
	})
	if n := s.stat("cluster.identity.ssl.versions.TLSv1.3"); n == 0 {
		t.Error("no node was spoken to by TLS 1.3")
	}
}

// once makes one request on a connection of its own and tells whether its
// session is that of an earlier one.
func (s *site) once(config *tls.Config) (resumed bool) {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: config}}
	resp, err := client.Get(s.url("/"))
	if err != nil {
		s.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.TLS.DidResume
}

func TestHSTSIsSaidOnceAndByTheFile(t *testing.T) {
	s := newSite(t, 1, file{routes: []string{"{path: /denied, deny: true}"}})
	said := func(path string) string {
		_, resp := s.ask(path, "")
		return strings.Join(resp.Header["Strict-Transport-Security"], " and ")
	}
	if got := said("/"); got != "" {
		t.Errorf("without the key: %q", got)
	}
	if got := said("/carbon/"); got != "max-age=15768000;includeSubDomains" {
		t.Errorf("without the key, of the node: %q", got)
	}
	s.save(strings.Replace(s.text(s.file), "certificate: server}", "certificate: server, hsts: {max_age: 1d, include_subdomains: true}}", 1))
	const want = "max-age=86400; includeSubDomains"
	until(t, patience, "HSTS", func() bool { return said("/") == want })
	s.nodes[0].kill()
	for path, status := range map[string]int{"/denied": 404, "/": 503} {
		until(t, patience, path, func() bool { _, resp := s.ask(path, ""); return resp.StatusCode == status })
		if got := said(path); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
	s.nodes[0].again(t)
	until(t, patience, "the node to serve again", func() bool { node, _ := s.ask("/", ""); return node != "" })
	if got := said("/carbon/"); got != want {
		t.Errorf("where the node says otherwise: %q", got)
	}
}

func TestECDSAAndRSASideBySide(t *testing.T) {
	s := newIdleSite(t, 1, file{})
	both := strings.Replace(s.text(s.file), "certificate: server}", "certificates: [server, old]}", 1) + "  - {name: old, hosts: [localhost], key_type: rsa}\n"
	s.save(both)
	s.run()
	rsaOnly := map[string][]string{"1.2": {"-tls1_2", "-cipher", "aRSA"}, "1.3": {"-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256:rsa_pkcs1_sha256"}}
	for _, name := range [][]string{{"-servername", "localhost"}, {"-noservername"}, {"-servername", "unknown.example.org"}} {
		for version, args := range rsaOnly {
			if got := s.keyShown(append(args, name...)); got != "rsaEncryption, 3072 (bit)" {
				t.Errorf("a client of TLS %s that knows RSA alone, %v: %q", version, name, got)
			}
			if got := s.keyShown(append(args[:1:1], name...)); got != "id-ecPublicKey, 256 (bit)" {
				t.Errorf("a client of TLS %s that knows both, %v: %q", version, name, got)
			}
		}
	}
	s.save(strings.Replace(both, "key_type: rsa", "key_type: ecdsa", 1))
	until(t, patience, "no RSA certificate any more", func() bool { return s.keyShown(rsaOnly["1.2"]) == "" })
}

// keyShown is the kind of key in the certificate that OpenSSL's client is shown,
// empty where there is none.
func (s *site) keyShown(args []string) string {
	all := append([]string{"s_client", "-connect", fmt.Sprintf("127.0.0.1:%d", s.port)}, args...)
	out, _ := exec.Command("openssl", all...).CombinedOutput()
	_, after, _ := strings.Cut(string(out), "a:PKEY: ")
	key, _, _ := strings.Cut(after, ";")
	return key
}

func TestALeafOfAMinuteIsRenewedWithoutAWord(t *testing.T) {
	t.Parallel() // with the other that mostly waits
	s := newIdleSite(t, 1, file{})
	s.save(strings.Replace(s.text(s.file), "hosts: [localhost]}", "hosts: [localhost], lifetime: 60s}", 1))
	s.run()
	first, err := s.shows(&tls.Config{})
	if err != nil {
		t.Fatal(err)
	}
	before := s.updates()
	u := (&users{s: s, pause: 50 * time.Millisecond}).begin(5)
	u.during(func() {
		until(t, 50*time.Second, "another leaf", func() bool {
			now, err := s.shows(&tls.Config{})
			return err == nil && now.PeerCertificates[0].SerialNumber.Cmp(first.PeerCertificates[0].SerialNumber) != 0
		})
	})
	u.mustNotFail(t)
	after := s.updates()
	before.secrets = after.secrets
	if after != before || u.closed.Load() > 0 {
		t.Errorf("more than the secret was pushed: %+v, before %+v; %d connections closed", after, before, u.closed.Load())
	}
}

func TestFilesOfTheOperatorsOwnAreFollowed(t *testing.T) {
	s := newIdleSite(t, 1, file{})
	dir := t.TempDir()
	issue := func(name string) {
		t.Helper()
		out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
			"-keyout", filepath.Join(dir, "server.key"), "-out", filepath.Join(dir, "server.pem"), "-subj", "/CN="+name, "-addext", "subjectAltName=DNS:"+name).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	sees := func(name string) func() bool {
		return func() bool {
			state, err := s.shows(&tls.Config{})
			return err == nil && state.PeerCertificates[0].DNSNames[0] == name
		}
	}
	issue("first.example.org")
	s.save(strings.Replace(s.text(s.file), "hosts: [localhost]}", fmt.Sprintf("chain: %s/server.pem, key: %s/server.key}", dir, dir), 1))
	s.run()
	until(t, patience, "the first certificate", sees("first.example.org"))
	issue("second.example.org")
	until(t, patience, "the second certificate", sees("second.example.org"))
}

func TestNodesAreVerified(t *testing.T) {
	s := newIdleSite(t, 0, file{})
	dir := t.TempDir()
	for _, args := range [][]string{
		{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", dir + "/good.key", "-out", dir + "/good.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,DNS:node.example.org"},
		{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", dir + "/other.key", "-out", dir + "/other.pem", "-subj", "/CN=other", "-addext", "subjectAltName=DNS:other.example.org"},
	} {
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	good := startStub(t, "good", "--cert", dir+"/good.pem", "--key", dir+"/good.key")
	other := startStub(t, "other", "--cert", dir+"/other.pem", "--key", dir+"/other.key")
	bundle := filepath.Join(dir, "ca.pem")
	if out, err := exec.Command("sh", "-c", "cat "+dir+"/good.pem "+dir+"/other.pem > "+bundle).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.file.pool = "tls: {verify: ca}"
	s.file.pool = fmt.Sprintf("tls: {ca: %s}", bundle)
	s.file.nodes = []string{fmt.Sprintf("{name: good, address: localhost:%d}", good.port), fmt.Sprintf("{name: other, address: localhost:%d}", other.port)}
	s.save(s.text(s.file))
	s.run()
	until(t, patience, "the node with the right name", func() bool { node, _ := s.ask("/", ""); return node == "good" })
	s.always("good", "/", "")
	s.file.pool = fmt.Sprintf("tls: {ca: \"%s\"}", dir+"/other.pem")
	s.save(s.text(s.file))
	until(t, patience, "nobody to be trusted", func() bool { node, _ := s.ask("/", ""); return node == "" })
}

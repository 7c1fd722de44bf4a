package e2e

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
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

// selfSigned makes a certificate for a node, and returns the arguments of
// the stub and the pin of its key.
func selfSigned(t *testing.T, name string, more ...string) (args []string, pin string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	openssl := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	openssl(append([]string{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
		"-keyout", file + ".key", "-out", file + ".pem", "-subj", "/CN=" + name}, more...)...)
	openssl("pkey", "-in", file+".key", "-pubout", "-outform", "DER", "-out", file+".spki")
	spki, err := os.ReadFile(file + ".spki")
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(spki)
	return []string{"--cert", file + ".pem", "--key", file + ".key"}, "sha256/" + base64.StdEncoding.EncodeToString(hash[:])
}

func TestAPinnedNodeIsKnownByItsKeyAlone(t *testing.T) {
	s := newIdleSite(t, 0, file{})
	right, rightPin := selfSigned(t, "right") // self-signed, with no name that anybody asks for
	_, wrongPin := selfSigned(t, "wrong")
	node := startStub(t, "isNode1", right...)
	s.file.nodes = []string{fmt.Sprintf("{name: isNode1, address: 127.0.0.1:%d}", node.port)}
	s.file.pool = fmt.Sprintf("tls: {verify: pin,pins: [%q,%q]}", wrongPin, rightPin)
	s.save(strings.ReplaceAll(s.text(s.file), "\n    pins", " pins"))
	s.run()
	until(t, patience, "the node with the right key", func() bool { node, _ := s.ask("/", ""); return node == "isNode1" })
	if got := s.stat("cluster.identity.ssl.fail_verify_cert_hash"); got > 0 {
		t.Errorf("%d handshakes failed with the right key", got)
	}
	before := s.updates()
	s.change("another pin", func(f *file) { f.pool = fmt.Sprintf("tls: {verify: pin,pins: [%q]}", wrongPin) })
	until(t, patience, "the node with the wrong key to be refused", func() bool {
		_, resp := s.ask("/", "")
		return resp.StatusCode == 503
	})
	after := s.updates()
	if before.secrets = after.secrets; after != before {
		t.Errorf("more than the secret was pushed: %+v, before %+v", after, before)
	}
	s.change("the right pin again", func(f *file) { f.pool = fmt.Sprintf("tls: {verify: pin,pins: [%q]}", rightPin) })
	until(t, patience, "the node to be back", func() bool { node, _ := s.ask("/", ""); return node == "isNode1" })
}

// seenByNode are the names in the certificate that the node was shown, over a
// connection made for it.
func (s *site) seenByNode() string {
	s.t.Helper()
	if resp, err := s.client(false, nil).Post(s.url("/reset"), "", nil); err == nil { // ends the connection to the node
		_ = resp.Body.Close()
	}
	resp, err := s.client(false, nil).Get(s.url("/headers"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	var seen struct{ Client []string }
	if err := json.NewDecoder(resp.Body).Decode(&seen); err != nil {
		return resp.Status
	}
	return strings.Join(seen.Client, " ")
}

func TestANodeThatDemandsACertificateGetsIt(t *testing.T) {
	s := newSite(t, 1, file{}) // and with it a local CA
	node := startStub(t, "mutual", "--clients", filepath.Join(s.state(), "ca", "ca.crt"))
	s.change("a node that demands a certificate", func(f *file) {
		f.nodes = []string{fmt.Sprintf("{name: mutual, address: 127.0.0.1:%d}", node.port)}
	})
	until(t, patience, "a client without a certificate to be refused", func() bool {
		_, resp := s.ask("/", "")
		return resp.StatusCode == 503
	})
	took := s.change("the certificate", func(f *file) { f.pool = "tls: {verify: none,certificate: server}" })
	warm := until(t, 2*time.Second, "the cluster to be warm", func() bool { return s.stat("cluster_manager.warming_clusters") == 0 })
	until(t, patience, "the node to answer", func() bool { node, _ := s.ask("/", ""); return node == "mutual" })
	t.Logf("accepted after %s, warm after another %s", took, warm)

	before := s.updates()
	text := strings.Replace(s.text(s.file), "{name: server, hosts: [localhost]}", "{name: server, hosts: [localhost, second.example.org]}", 1)
	s.save(text)
	until(t, patience, "the node to see the next certificate", func() bool { return s.seenByNode() == "localhost second.example.org" })
	after := s.updates()
	if before.secrets++; after != before {
		t.Errorf("more than the secret was pushed: %+v, before %+v", after, before)
	}

	// A cluster that is built anew with the same secrets gets warm as well.
	s.save(strings.Replace(text, "    nodes:", "    health: {interval: 600ms}\n    nodes:", 1))
	until(t, 2*time.Second, "the cluster to be built anew", func() bool {
		return s.updates().clusters > before.clusters && s.stat("cluster_manager.warming_clusters") == 0
	})
	s.always("mutual", "/", "")

	// A new pool with its route: nobody may meet a cluster that is not warm.
	s.save(strings.Replace(strings.Replace(text, "    routes:\n", "    routes:\n      - {path: /second, pool: second}\n", 1), "pools:\n",
		fmt.Sprintf("pools:\n  - {name: second, tls: {verify: none, certificate: server}, nodes: [{name: other, address: localhost:%d}]}\n", node.port), 1))
	bad := 0
	until(t, patience, "the second pool's route", func() bool {
		_, resp := s.ask("/second", "")
		if resp.StatusCode != 200 {
			bad++
		}
		return s.updates().routes > after.routes
	})
	s.always("mutual", "/second", "")
	if bad > 0 {
		t.Errorf("%d requests failed while the pool came", bad)
	}
}

func TestNodesThatAreNotVerifiedAreSaidAtEveryStart(t *testing.T) {
	const words = "pool identity: the nodes' certificates are not verified (tls.verify: none), so that anyone in between can listen; `usher check --live` says"
	s := newSite(t, 1, file{})
	said := func() {
		t.Helper()
		if n := strings.Count(s.usher.output(), words); n != 1 {
			t.Errorf("said %d times:\n%s", n, s.usher.output())
		}
		st, _ := s.status()
		if len(st.Warnings) != 1 || !strings.HasPrefix(st.Warnings[0], words) {
			t.Errorf("in the status: %q", st.Warnings)
		}
		if out, code := s.usherCLI("status", "--config", s.config()); code != 0 || !strings.Contains(out, "warning: "+words) {
			t.Errorf("usher status: exit %d\n%s", code, out)
		}
	}
	said()
	s.change("a denied path", func(f *file) { f.routes = []string{"{path: /x, deny: true}"} })
	said() // no new line for an old warning
	s.usher.end()
	s.run()
	said()
}

func TestANodeThatSpeaksOneVersionOfTLSAloneIsReached(t *testing.T) {
	s := newSite(t, 1, file{})
	for name, version := range map[string]uint16{"old": tls.VersionTLS12, "modern": tls.VersionTLS13} {
		node := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Node", name) }))
		node.TLS = &tls.Config{MinVersion: version, MaxVersion: version}
		node.StartTLS()
		defer node.Close()
		s.change(name, func(f *file) { f.nodes = []string{fmt.Sprintf("{name: %s, address: %q}", name, node.Listener.Addr())} })
		until(t, patience, "the node "+name, func() bool { got, _ := s.ask("/", ""); return got == name })
	}
}

package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/e2e/pebble"
)

const isHost = "is" + pebble.Domain

// acmeSite is a site with a second host, whose certificate comes from pebble.
// The users of the first one are on the same port.
type acmeSite struct {
	*site
	directory *pebble.Pebble
	challenge string
	plain     int // the port without TLS
}

func newACMESite(t *testing.T, challenge string, o pebble.Options) *acmeSite {
	t.Helper()
	s := &acmeSite{site: newIdleSite(t, 1, file{}), challenge: challenge, plain: freePort(t)}
	o.HTTPPort, o.TLSPort = s.plain, s.port
	s.directory = pebble.Start(t, o)
	if err := os.WriteFile(filepath.Join(s.dir, "pebble.pem"), s.directory.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	s.wish(isHost, "login"+pebble.Domain)
	return s
}

// wish saves a file with these hosts in the certificate.
func (s *acmeSite) wish(hosts ...string) {
	s.t.Helper()
	all := strings.Join(hosts, ", ")
	s.file.more = fmt.Sprintf("  - {name: is, address: \"127.0.0.1:%d\", hosts: [%s], tls: {certificate: public}, routes: [{path: /, pool: identity}]}\n", s.port, all)
	if s.challenge == "http-01" {
		s.file.more += fmt.Sprintf("  - {name: plain, address: \"127.0.0.1:%d\", hosts: [%s], routes: [{path: /, deny: true}]}\n", s.plain, all)
	}
	s.save(s.text(s.file) + fmt.Sprintf("  - {name: public, hosts: [%s], acme: {directory: %q, email: admin@example.org, ca: pebble.pem, challenge: %s}}\n",
		all, s.directory.Directory, s.challenge))
}

// leaf is what a new client of the second host sees.
func (s *acmeSite) leaf() *x509.Certificate {
	state, err := s.shows(&tls.Config{ServerName: isHost})
	if err != nil {
		return nil
	}
	return state.PeerCertificates[0]
}

func byPebble(c *x509.Certificate) bool {
	return c != nil && strings.HasPrefix(c.Issuer.CommonName, pebble.Issuer)
}

// obtains waits for another certificate of pebble's than the last.
func (s *acmeSite) obtains(last *x509.Certificate) (next *x509.Certificate) {
	s.t.Helper()
	took := until(s.t, 3*patience, "a certificate of pebble's", func() bool {
		next = s.leaf()
		return byPebble(next) && (last == nil || !next.Equal(last))
	})
	s.t.Logf("a new handshake saw %s after %s", next.Issuer.CommonName, took)
	return next
}

// settles waits until nothing is under way.
func (s *acmeSite) settles() {
	s.t.Helper()
	until(s.t, patience, "the challenges to be gone", func() bool {
		st, ok := s.status()
		return ok && st.Accepted && !strings.Contains(s.admin("/config_dump?resource=dynamic_route_configs"), "acme-challenge")
	})
}

func TestACertificateIsProvenThroughEnvoy(t *testing.T) {
	for _, challenge := range []string{"http-01", "tls-alpn-01"} {
		t.Run(challenge, func(t *testing.T) {
			s := newACMESite(t, challenge, pebble.Options{})
			release := s.directory.Hold(t)
			s.run()
			until(t, patience, "the local CA's certificate to stand in", func() bool { c := s.leaf(); return c != nil && c.Issuer.CommonName == "usher local CA" })
			until(t, patience, "the directory to be asked", func() bool { return s.directory.Orders.Load() == 1 })
			u := (&users{s: s.site, pause: 20 * time.Millisecond}).begin(10)
			before := s.updates()
			var leaf *x509.Certificate
			u.during(func() { release(); leaf = s.obtains(nil); s.settles() })
			u.mustNotFail(t)
			after := s.updates()
			if after.listeners != before.listeners || after.clusters != before.clusters || u.closed.Load() > 0 {
				t.Errorf("more than a secret and a route changed: %+v, before %+v; %d connections closed", after, before, u.closed.Load())
			}
			if out, code := s.usherCLI("status", "--config", s.config()); code != 0 || !strings.Contains(out, "by "+pebble.Issuer) || !strings.Contains(out, "asked next at ") {
				t.Errorf("exit %d:\n%s", code, out)
			}
			s.mayBeAskedByStrangers()
			s.restart()
			if got := s.leaf(); !got.Equal(leaf) || s.directory.Orders.Load() != 1 {
				t.Errorf("after a restart: by %s, %d orders", got.Issuer, s.directory.Orders.Load())
			}
		})
	}
}

// mayBeAskedByStrangers holds that ordinary clients of the host get what they
// always got, and a stranger who plays the directory nothing.
func (s *acmeSite) mayBeAskedByStrangers() {
	s.t.Helper()
	for _, protocols := range [][]string{nil, {"h2"}, {"http/1.1"}, {"h2", "http/1.1"}} {
		state, err := s.shows(&tls.Config{ServerName: isHost, NextProtos: protocols})
		if err != nil || !byPebble(state.PeerCertificates[0]) {
			s.t.Errorf("a client of %v: %v", protocols, err)
		}
	}
	if s.challenge != "tls-alpn-01" {
		return
	}
	for _, host := range []string{isHost, "localhost", ""} {
		state, err := s.shows(&tls.Config{ServerName: host, NextProtos: []string{"acme-tls/1"}})
		if err != nil || state.PeerCertificates[0].DNSNames[0] != "acme.invalid" {
			s.t.Errorf("acme-tls/1 for %q: %v, %v", host, state, err)
		}
	}
}

// restart ends usher and its Envoy, and starts both anew.
func (s *acmeSite) restart() {
	s.t.Helper()
	s.usher.end()
	s.run()
}

func TestAnACMECertificateIsRenewedWithoutAWord(t *testing.T) {
	s := newACMESite(t, "tls-alpn-01", pebble.Options{Seconds: 20})
	s.run()
	first := s.obtains(nil)
	s.settles()
	u := (&users{s: s.site, pause: 20 * time.Millisecond}).begin(10)
	before := s.updates()
	u.during(func() { s.obtains(first); s.settles() })
	u.mustNotFail(t)
	if after := s.updates(); after.listeners != before.listeners || after.routes != before.routes || u.closed.Load() > 0 {
		t.Errorf("more than secrets was pushed: %+v, before %+v; %d connections closed", after, before, u.closed.Load())
	}
}

func TestARefusedOrderHarmsNobodyAndWaits(t *testing.T) {
	s := newACMESite(t, "http-01", pebble.Options{})
	s.run()
	good := s.obtains(nil)
	s.settles()
	s.wish(isHost, "nobody.example.org")
	s.isRefused()
	if n := s.directory.Orders.Load(); n != 2 {
		t.Errorf("%d orders", n)
	}
	if got := s.leaf(); !got.Equal(good) {
		t.Errorf("the last certificate does not serve on: by %s", got.Issuer)
	}
	out, code := s.usherCLI("status", "--config", s.config())
	if code != 1 || !strings.Contains(out, "certificates[1].acme: no certificate could be obtained: the directory could not verify nobody.example.org") ||
		!strings.Contains(out, "the next try is at 20") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	for range 3 { // as a service manager does that restarts what fails
		s.usher.kill()
		s.run()
		s.isRefused()
	}
	if n := s.directory.Orders.Load(); n != 2 {
		t.Errorf("%d orders after three restarts", n)
	}
	if got := s.leaf(); !got.Equal(good) {
		t.Errorf("the last certificate does not serve on after restarts: by %s", got.Issuer)
	}
	s.wish(isHost)
	s.obtains(good)
	until(t, patience, "no problem to be left", func() bool { st, ok := s.status(); return ok && len(st.Problems) == 0 })
}

func TestBeingStoppedInAnOrderCostsNoTime(t *testing.T) {
	s := newACMESite(t, "http-01", pebble.Options{})
	release := s.directory.Hold(t)
	s.run()
	until(t, patience, "the directory to be asked", func() bool { return s.directory.Orders.Load() == 1 })
	s.usher.end()
	if out := s.usher.output(); strings.Contains(out, "could not be obtained") {
		t.Errorf("an end is a failure:\n%s", out)
	}
	release()
	s.run()
	s.obtains(nil)
}

func TestAChangedWishEndsTheOrderOfTheOld(t *testing.T) {
	s := newACMESite(t, "tls-alpn-01", pebble.Options{})
	release := s.directory.Hold(t)
	s.run()
	until(t, patience, "the directory to be asked", func() bool { return s.directory.Orders.Load() == 1 })
	s.wish(isHost)
	until(t, patience, "the directory to be asked for less", func() bool { return s.directory.Orders.Load() == 2 })
	release()
	if got := s.obtains(nil); len(got.DNSNames) != 1 {
		t.Errorf("issued for %v", got.DNSNames)
	}
	if out := s.usher.output(); strings.Contains(out, "could not be obtained") {
		t.Errorf("a changed wish is a failure:\n%s", out)
	}
}

// isRefused waits for the problem at its place.
func (s *acmeSite) isRefused() {
	s.t.Helper()
	until(s.t, patience, "the refusal in the status", func() bool {
		st, ok := s.status()
		return ok && st.Serving && len(st.Problems) == 1 && st.Problems[0].Field == "certificates[1].acme" && st.Problems[0].Line > 0
	})
}

func TestAStateFolderThatTakesNothingAsksNobody(t *testing.T) {
	s := newACMESite(t, "tls-alpn-01", pebble.Options{})
	if err := os.Mkdir(s.state(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.state(), "acme"), nil, 0o600); err != nil { // where a folder belongs
		t.Fatal(err)
	}
	s.run()
	s.isRefused()
	s.save(s.text(s.file) + "# without the certificate that is asked for\n")
	until(t, patience, "the faulty file to be refused", func() bool {
		st, ok := s.status()
		return ok && len(st.Problems) > 0 && st.Problems[0].Field != "certificates[1].acme"
	})
	if n := strings.Count(s.usher.output(), "could not be obtained"); n != 1 || s.directory.Requests.Load() != 0 {
		t.Errorf("%d attempts, %d requests to the directory", n, s.directory.Requests.Load())
	}
}

func TestLookingAtAFileAsksNoDirectory(t *testing.T) {
	s := newACMESite(t, "tls-alpn-01", pebble.Options{})
	for _, verb := range []string{"check", "show"} {
		args := []string{verb, s.config()}
		if verb == "check" {
			args = append(args, "--envoy", envoyPath())
		}
		if out, code := s.usherCLI(args...); code != 0 {
			t.Errorf("%s: exit %d\n%s", verb, code, out)
		}
	}
	if n := s.directory.Requests.Load(); n != 0 {
		t.Errorf("%d requests to the directory", n)
	}
	if _, err := os.Stat(s.state()); err == nil {
		t.Error("a state folder was made")
	}
}

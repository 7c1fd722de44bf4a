package pki

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// listening is a TLS server that shakes hands, and its address.
func listening(t *testing.T, config *tls.Config) string {
	t.Helper()
	lis := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { _ = lis.Close() })
	go func() {
		for {
			conn, err := lis.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close() //nolint:errcheck // the test ends
				if config == nil {
					_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
				} else if c := tls.Server(conn, config); c.Handshake() != nil {
					return
				}
				_, _ = conn.Read(make([]byte, 1000))
			}()
		}
	}()
	return lis.Addr().String()
}

func serverPair(t *testing.T, p Pair) tls.Certificate {
	t.Helper()
	return must[tls.Certificate](t)(tls.X509KeyPair(p.Chain, p.Key))
}

func TestWhatAServerShowsIsSeen(t *testing.T) {
	ca := authority(t)
	p := must[Pair](t)(ca.Issue(Request{Hosts: []string{"node.example"}, Lifetime: 90 * day}, noon))
	client := must[Pair](t)(ca.Issue(Request{Hosts: []string{"usher"}, Lifetime: 90 * day, Use: ForClients}, noon))
	strange := must[Pair](t)(authority(t).Issue(Request{Hosts: []string{"usher"}, Lifetime: 90 * day, Use: ForClients}, noon))
	clients := x509.NewCertPool()
	clients.AddCert(ca.Certificate)
	base := &tls.Config{Certificates: []tls.Certificate{serverPair(t, p)}, MinVersion: tls.VersionTLS12, Time: func() time.Time { return noon }}
	mutual := base.Clone()
	mutual.ClientAuth, mutual.ClientCAs = tls.RequireAndVerifyClientCert, clients
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		base, mutual := base.Clone(), mutual.Clone()
		base.MaxVersion, mutual.MaxVersion = version, version
		for _, c := range []struct {
			name    string
			config  *tls.Config
			client  Pair
			asks    bool
			refused bool
		}{
			{"plain", base, Pair{}, false, false},
			{"asks and gets none", mutual, Pair{}, true, true},
			{"asks and gets one", mutual, client, true, false},
			{"asks and gets a stranger's", mutual, strange, true, true},
		} {
			t.Run(tls.VersionName(version)+" "+c.name, func(t *testing.T) {
				seen, err := Probe(t.Context(), listening(t, c.config), "node.example", c.client, noon)
				if err != nil {
					t.Fatal(err)
				}
				if !seen.Leaf().Equal(p.Leaf) || seen.Asks != c.asks || (seen.Refusal != "") != c.refused {
					t.Errorf("%+v", seen)
				}
			})
		}
	}
}

func TestTheNameIsSentAsSNI(t *testing.T) {
	asked := make(chan string, 1)
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		asked <- hello.ServerName
		return nil, errors.New("no certificate")
	}}
	for name, want := range map[string]string{"is.example.org": "is.example.org", "192.0.2.1": "", "": ""} {
		if _, err := Probe(t.Context(), listening(t, config), name, Pair{}, noon); err == nil {
			t.Error("a handshake without a certificate was taken")
		}
		if got := <-asked; got != want {
			t.Errorf("%q was sent as %q", name, got)
		}
	}
}

func TestWhoDoesNotSpeakTLSIsTold(t *testing.T) {
	if _, err := Probe(t.Context(), listening(t, nil), "", Pair{}, noon); !errors.Is(err, ErrNoTLS) {
		t.Errorf("plain text: %v", err)
	}
	lis := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	_ = lis.Close()
	if _, err := Probe(t.Context(), lis.Addr().String(), "", Pair{}, noon); !errors.Is(err, ErrNoConnection) || err.Error() != "no connection: connect: connection refused" {
		t.Errorf("a closed port: %v", err)
	}
}

func TestASilentServerEndsWithTheContext(t *testing.T) {
	lis := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0")) // the kernel accepts
	defer lis.Close()                                              //nolint:errcheck // the test ends
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Probe(ctx, lis.Addr().String(), "", Pair{}, noon); err == nil || err.Error() != "no answer in time" {
		t.Errorf("%v", err)
	}
}

// certificateBy lets the real openssl make what usher's own authority never
// would.
func certificateBy(t *testing.T, args ...string) *x509.Certificate {
	t.Helper()
	dir := t.TempDir()
	openssl(t, append([]string{"req", "-x509", "-nodes", "-keyout", dir + "/key", "-out", dir + "/crt", "-subj", "/CN=wso2carbon"}, args...)...)
	certs := must[[]*x509.Certificate](t)(certificates(InChain, must[[]byte](t)(read(dir+"/crt"))))
	return certs[0]
}

func TestWhyACertificateWouldNotPass(t *testing.T) {
	ca, other := authority(t), authority(t)
	leaf := func(a Authority, use Use, life time.Duration) *x509.Certificate {
		return must[Pair](t)(a.Issue(Request{Hosts: []string{"node.example", "*.wild.example", "10.0.0.1"}, Lifetime: life, Use: use}, noon)).Leaf
	}
	good := leaf(ca, ForServers, 90*day)
	noSAN := certificateBy(t, "-newkey", "rsa:1024", "-days", "2")
	for _, c := range []struct {
		name  string
		leaf  *x509.Certificate
		roots []byte
		names []string
		at    time.Time
		want  string
	}{
		{"good", good, ca.PEM, []string{"node.example"}, noon, ""},
		{"one of several names", good, ca.PEM, []string{"10.0.0.9", "10.0.0.1"}, noon, ""},
		{"a wildcard", good, ca.PEM, []string{"a.wild.example"}, noon, ""},
		{"self-signed and trusted", noSAN, certificatesPEM(noSAN), nil, noSAN.NotBefore, `it has no subjectAltName, only the common name "wso2carbon", which does not count`},
		{"another name", good, ca.PEM, []string{"is.example"}, noon, "it is for *.wild.example, node.example, 10.0.0.1, not for is.example"},
		{"expired", good, ca.PEM, []string{"node.example"}, noon.Add(90 * day), "it expired on 2027-08-30"},
		{"not yet valid", good, ca.PEM, []string{"node.example"}, noon.Add(-2 * time.Hour), "it is not valid before 2027-06-01T11:00:00Z"},
		{"for clients", leaf(ca, ForClients, 90*day), ca.PEM, []string{"node.example"}, noon, "it is not for TLS servers (extended key usage)"},
		{"another authority", good, other.PEM, []string{"node.example"}, noon, "its issuer " + ca.Certificate.Subject.String() + " is not one of the pool's authorities"},
		{"everything at once", noSAN, ca.PEM, []string{"is.example"}, noSAN.NotAfter.Add(time.Hour),
			"it expired on " + noSAN.NotAfter.Format(time.DateOnly) + "; it is self-signed, and no authority of the pool; it has no subjectAltName, only the common name \"wso2carbon\", which does not count"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, o := range (Seen{Chain: []*x509.Certificate{c.leaf}, At: c.at}).ByCA(c.roots, c.names) {
				got = append(got, o.What)
				if o.Hint == "" {
					t.Errorf("%s: no hint", o.What)
				}
			}
			if diff := cmp.Diff(c.want, strings.Join(got, "; ")); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestAPinIsThatOfTheKey(t *testing.T) {
	ca := authority(t)
	p, q := must[Pair](t)(ca.Issue(Request{Hosts: []string{"a"}, Lifetime: day}, noon)), must[Pair](t)(ca.Issue(Request{Hosts: []string{"a"}, Lifetime: day}, noon))
	seen := Seen{Chain: []*x509.Certificate{p.Leaf}, At: noon}
	if all := seen.ByPins([]string{Pin(q.Leaf), Pin(p.Leaf)}); len(all) > 0 {
		t.Errorf("the right pin: %v", all)
	}
	if all := seen.ByPins([]string{Pin(q.Leaf)}); len(all) != 1 || !strings.Contains(all[0].Hint, Pin(p.Leaf)) {
		t.Errorf("a wrong pin: %v", all)
	}
	crt := at(t, "crt", p.Chain)
	der := at(t, "der", nil)
	openssl(t, "x509", "-in", crt, "-pubkey", "-noout", "-out", der+".pub")
	openssl(t, "pkey", "-pubin", "-in", der+".pub", "-outform", "DER", "-out", der)
	if want := "sha256/" + strings.TrimSpace(openssl(t, "dgst", "-sha256", "-binary", "-out", der+".bin", der)+openssl(t, "base64", "-in", der+".bin")); Pin(p.Leaf) != want {
		t.Errorf("%s, openssl says %s", Pin(p.Leaf), want)
	}
}

func TestDaysLeftAreWholeDays(t *testing.T) {
	c := &x509.Certificate{NotAfter: noon}
	for before, want := range map[time.Duration]int{0: 0, day - time.Second: 0, day: 1, -time.Second: -1, 10*day + time.Hour: 10} {
		if got := DaysLeft(c, noon.Add(-before)); got != want {
			t.Errorf("%s before: %d, want %d", before, got, want)
		}
	}
}

func TestAWeakKeyIsRemarkedOn(t *testing.T) {
	for size, want := range map[string]int{"rsa:1024": 1, "rsa:2048": 0} {
		c := certificateBy(t, "-newkey", size, "-days", "2")
		if got := (Seen{Chain: []*x509.Certificate{c}}).Remarks(); len(got) != want {
			t.Errorf("%s: %v", size, got)
		}
	}
}

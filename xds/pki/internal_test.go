package pki

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func internal(t *testing.T) Internal {
	t.Helper()
	in, made, err := Store{}.Internal(noon)
	if err != nil || !made {
		t.Fatal(made, err)
	}
	return in
}

// clock is a time that a test moves.
type clock struct{ atomic.Pointer[time.Time] }

func (c *clock) set(now time.Time) { c.Store(&now) }
func (c *clock) now() time.Time    { return *c.Load() }

// listen serves TLS on loopback and answers every good connection with "hi".
func listen(t *testing.T, config *tls.Config) string {
	t.Helper()
	l := must[net.Listener](t)(tls.Listen("tcp", "127.0.0.1:0", config))
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = c.SetDeadline(time.Now().Add(10 * time.Second))
				_, _ = c.Write([]byte("hi"))
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// greet connects, waits for the greeting (in TLS 1.3 a client learns only then
// that its certificate was refused), and gives the server's certificate.
func greet(address string, config *tls.Config) (*x509.Certificate, error) {
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", address, config)
	if err != nil {
		return nil, err
	}
	defer c.Close() //nolint:errcheck // the test ends
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 2)); err != nil {
		return nil, err
	}
	return c.ConnectionState().PeerCertificates[0], nil
}

// envoy is the TLS that an Envoy would use, with a client certificate.
func envoy(t *testing.T, in Internal, p Pair, now func() time.Time) *tls.Config {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(in.CA.Certificate)
	config := &tls.Config{RootCAs: roots, ServerName: ServerName, Time: now, MinVersion: tls.VersionTLS12}
	if p.Leaf != nil {
		cert := must[tls.Certificate](t)(tls.X509KeyPair(p.Chain, p.Key))
		// Certificates would send only what the server says it wants.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	}
	return config
}

func TestOnlyClientsOfTheInternalAuthorityGetIn(t *testing.T) {
	in := internal(t)
	now := func() time.Time { return noon.Add(time.Hour) }
	address := listen(t, in.ServerTLS(now))
	client := Request{Hosts: []string{ClientName}, Lifetime: day, Use: ForClients}
	server := Request{Hosts: []string{ServerName}, Lifetime: day}
	for _, c := range []struct {
		name string
		p    Pair
		most uint16
		want string
	}{
		{"its client", must[Pair](t)(in.CA.Issue(client, noon)), 0, ""},
		{"no certificate", Pair{}, 0, "certificate required"},
		{"a client of the local authority", must[Pair](t)(authority(t).Issue(client, noon)), 0, "unknown certificate authority"},
		{"a server's certificate", must[Pair](t)(in.CA.Issue(server, noon)), 0, "bad certificate"},
		{"an expired client", must[Pair](t)(in.CA.Issue(Request{Hosts: client.Hosts, Lifetime: time.Minute, Use: ForClients}, noon)), 0, "expired certificate"},
		{"TLS 1.2", must[Pair](t)(in.CA.Issue(client, noon)), tls.VersionTLS12, "protocol version not supported"},
	} {
		config := envoy(t, in, c.p, now)
		config.MaxVersion = c.most
		_, err := greet(address, config)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: want %q, got %v", c.name, c.want, err)
		}
	}
}

func TestServerCertificateIsRenewedWithoutRestart(t *testing.T) {
	in := internal(t)
	var c clock
	c.set(noon)
	address := listen(t, in.ServerTLS(c.now))
	meet := func(now time.Time) *x509.Certificate {
		t.Helper()
		c.set(now)
		p := must[Pair](t)(in.CA.Issue(Request{Hosts: []string{ClientName}, Lifetime: day, Use: ForClients}, now))
		return must[*x509.Certificate](t)(greet(address, envoy(t, in, p, c.now)))
	}
	first := meet(noon)
	if again := meet(RenewAt(first).Add(-time.Second)); !again.Equal(first) {
		t.Error("renewed before two thirds have passed")
	}
	if next := meet(RenewAt(first)); next.Equal(first) {
		t.Error("not renewed when two thirds have passed")
	}
	if back := meet(noon.Add(day)); back.NotBefore.After(noon.Add(day)) {
		t.Error("after the clock was set back, a certificate from the future")
	}
}

func TestInternalAuthorityIsKeptApart(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	ca, _, err := s.Authority(noon)
	if err != nil {
		t.Fatal(err)
	}
	in, made, err := s.Internal(noon)
	if err != nil || !made || in.CA.Certificate.Equal(ca.Certificate) || in.CA.Certificate.Subject.CommonName != "usher internal CA" {
		t.Fatal(made, err, in.CA.Certificate.Subject)
	}
	again, made, err := s.Internal(noon)
	if err != nil || made || !again.CA.Certificate.Equal(in.CA.Certificate) {
		t.Error("another one at the second start:", made, err)
	}
}

// wrote calls WriteClient and gives the pair in the folder.
func wrote(t *testing.T, in Internal, dir string, now time.Time, want bool) Pair {
	t.Helper()
	renew, written, err := in.WriteClient(dir, now)
	if err != nil || written != want {
		t.Fatalf("written %t, %v", written, err)
	}
	p := must[Pair](t)(LoadPair(filepath.Join(dir, ClientCertFile), filepath.Join(dir, ClientKeyFile), now))
	if !renew.Equal(RenewAt(p.Leaf)) || !renew.After(now) {
		t.Error("to be renewed at", renew)
	}
	if ca := must[[]byte](t)(os.ReadFile(filepath.Join(dir, CAFile))); !bytes.Equal(ca, in.CA.PEM) {
		t.Error("ca.crt is not the internal authority")
	}
	return p
}

func TestClientFilesAreRenewedAndElseLeftAlone(t *testing.T) {
	in, dir := internal(t), filepath.Join(t.TempDir(), "xds")
	first := wrote(t, in, dir, noon, true)
	openssl(t, "verify", "-x509_strict", "-purpose", "sslclient", "-verify_hostname", ClientName, "-attime", strconv.FormatInt(noon.Unix(), 10),
		"-CAfile", filepath.Join(dir, CAFile), filepath.Join(dir, ClientCertFile))

	due := RenewAt(first.Leaf)
	if p := wrote(t, in, dir, due.Add(-time.Second), false); !p.Leaf.Equal(first.Leaf) {
		t.Error("renewed before two thirds have passed")
	}
	p := wrote(t, in, dir, due, true)
	if p.Leaf.Equal(first.Leaf) || !bytes.Equal(p.Key, first.Key) {
		t.Error("not renewed, or with another key")
	}
	if got, want := tree(t, dir), "-rw------- ca.crt\n-rw------- client.crt\n-rw------- client.key\n"; got != want {
		t.Error(got)
	}
}

func TestClientFilesHealAfterTampering(t *testing.T) {
	in, strange := internal(t), authority(t)
	stranger := must[Pair](t)(strange.Issue(Request{Hosts: []string{ClientName}, Lifetime: day, Use: ForClients}, noon))
	for name, damage := range map[string]func(t *testing.T, dir string){
		"no ca.crt":        func(t *testing.T, dir string) { put(t, filepath.Join(dir, CAFile), nil) },
		"another ca.crt":   func(t *testing.T, dir string) { write(t, filepath.Join(dir, CAFile), strange.PEM) },
		"no client.crt":    func(t *testing.T, dir string) { put(t, filepath.Join(dir, ClientCertFile), nil) },
		"another client":   func(t *testing.T, dir string) { write(t, filepath.Join(dir, ClientCertFile), stranger.Chain) },
		"no client.key":    func(t *testing.T, dir string) { put(t, filepath.Join(dir, ClientKeyFile), nil) },
		"another key":      func(t *testing.T, dir string) { write(t, filepath.Join(dir, ClientKeyFile), stranger.Key) },
		"empty client.key": func(t *testing.T, dir string) { write(t, filepath.Join(dir, ClientKeyFile), nil) },
		"a foreign pair": func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, ClientKeyFile), stranger.Key)
			write(t, filepath.Join(dir, ClientCertFile), stranger.Chain)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			wrote(t, in, dir, noon, true)
			damage(t, dir)
			p := wrote(t, in, dir, noon, true)
			if p.Leaf.CheckSignatureFrom(in.CA.Certificate) != nil {
				t.Error("not of the internal authority")
			}
			wrote(t, in, dir, noon, false)
		})
	}
}

func TestClientFilesFollowANewAuthority(t *testing.T) {
	dir := t.TempDir()
	wrote(t, internal(t), dir, noon, true)
	wrote(t, internal(t), dir, noon, true)
}

// Package pebble runs an ACME directory inside a test: Let's Encrypt's own test
// server, which verifies challenges for real, on ports that the test chooses.
// It serves the tests of usher/xds/pki/acme and of usher/e2e.
package pebble

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// Domain is what all names end in that it finds at 127.0.0.1; any other name
// does not exist.
const Domain = ".usher.test"

// Issuer begins the common name of what signs its certificates.
const Issuer = "Pebble Intermediate CA"

// Pebble is a running directory.
type Pebble struct {
	Directory string // its URL
	CA        []byte // PEM: who vouches for the server behind it
	Requests  atomic.Int64
	Orders    atomic.Int64
	refusal   atomic.Pointer[Refusal]
	gate      sync.RWMutex // new orders pass it
}

// Refusal is what new orders are answered with.
type Refusal struct {
	Status     int
	RetryAfter string
	Problem    string // application/problem+json
}

// Options are where challenges are looked for and what is issued.
type Options struct {
	HTTPPort, TLSPort int
	Seconds           uint64 // the life of a certificate; 0 is 90 days
}

// Start runs one until the test ends.
func Start(t *testing.T, o Options) *Pebble {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_AUTHZREUSE", "0")      // every order is verified anew
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0") // no refusals by chance: orders are counted
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	issue := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "the only one", ValidityPeriod: o.Seconds}})
	verify := va.New(quiet, o.HTTPPort, o.TLSPort, true, resolver(t), store)
	front := wfe.New(quiet, store, verify, issue, []string{"pebble.usher.test"}, true, false, 0, 1)
	p := &Pebble{}
	inner := front.Handler()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.Requests.Add(1)
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/order-plz") {
			p.Orders.Add(1)
			p.gate.RLock()
			p.gate.RUnlock() //nolint:staticcheck // to have passed is all
			if no := p.refusal.Load(); no != nil {
				no.write(w)
				return
			}
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.Directory = server.URL + "/dir"
	p.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return p
}

// Refuse answers all new orders in a way; nil takes them again.
func (p *Pebble) Refuse(r *Refusal) { p.refusal.Store(r) }

// Hold keeps all new orders waiting until release is called, or the test ends.
func (p *Pebble) Hold(t *testing.T) (release func()) {
	t.Helper()
	p.gate.Lock()
	release = sync.OnceFunc(p.gate.Unlock)
	t.Cleanup(release)
	return release
}

func (r *Refusal) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/problem+json")
	if r.RetryAfter != "" {
		w.Header().Set("Retry-After", r.RetryAfter)
	}
	w.WriteHeader(r.Status)
	_, _ = io.WriteString(w, r.Problem) // the client has gone
}

// resolver is a name server for Domain, by its address.
func resolver(t *testing.T) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: lis, Handler: dns.HandlerFunc(answer)}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = lis.Close(); <-done })
	return lis.Addr().String()
}

func answer(w dns.ResponseWriter, question *dns.Msg) {
	m := new(dns.Msg).SetReply(question)
	q := question.Question[0]
	switch {
	case !strings.HasSuffix(q.Name, Domain+"."):
		m.Rcode = dns.RcodeNameError
	case q.Qtype == dns.TypeA:
		m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: net.IPv4(127, 0, 0, 1)}}
	}
	_ = w.WriteMsg(m) // the client has gone
}

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// patient is a node in this process with a health page that answers as it is told.
type patient struct {
	entry  string
	status atomic.Int32
	body   atomic.Value // string
	header atomic.Value // string
	asked  atomic.Value // string: the last question
}

func newPatient(t *testing.T, name string) *patient {
	p := &patient{}
	p.status.Store(200)
	p.body.Store(`{"health":[]}`)
	p.header.Store("")
	p.asked.Store("")
	p.entry = serves(t, name, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "health") {
			p.asked.Store(fmt.Sprintf("%s %s %s %s", r.Method, r.Host, r.URL.Path, r.Header.Get("X-Check")))
			if h := p.header.Load().(string); h != "" {
				w.Header().Set(h, "1")
			}
			w.WriteHeader(int(p.status.Load()))
			_, _ = io.WriteString(w, p.body.Load().(string))
			return
		}
		switch r.URL.Path {
		case "/slow":
			select {
			case <-r.Context().Done():
			case <-time.After(patience):
			}
		case "/cut":
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("X-Node", name)
	})
	return p
}

func patients(t *testing.T, keys string) (s *site, a, b *patient) {
	t.Helper()
	a, b = newPatient(t, "isNode1"), newPatient(t, "isNode2")
	s = newSite(t, 0, file{pool: "sticky: {jvm_route: JSESSIONID}\n" + keys, nodes: []string{a.entry, b.entry}})
	s.served("both are well", "isNode1", "isNode2")
	return s, a, b
}

func TestACheckAsksAsTheFileSaysAndReadsTheAnswer(t *testing.T) {
	s, a, b := patients(t, `health: {path: /health/x, method: OPTIONS, host: is.internal, headers: {X-Check: usher}, status: [200-204, 299], body: '"health"', interval: 200ms, timeout: 1s, passes: 2, fails: 2}`)
	until(t, patience, "the question", func() bool { return a.asked.Load() == "OPTIONS is.internal /health/x usher" })
	b.status.Store(299)
	s.served("299 is good", "isNode1", "isNode2")
	b.status.Store(205)
	s.served("205 is not", "isNode1")
	b.status.Store(204) // without a body
	s.served("nor is an answer without the text", "isNode1")
	b.status.Store(200)
	s.served("it is well again", "isNode1", "isNode2")
	a.body.Store("switched off")
	s.served("the text is gone", "isNode2")
	s.always("isNode2", "/", "JSESSIONID=A.isNode1")
}

func TestPathAndTCPAreBothAsked(t *testing.T) {
	s, a, _ := patients(t, "health: {path: /health, tcp: true, interval: 200ms, tcp_interval: 200ms}")
	a.status.Store(503)
	s.served("one fails its page", "isNode2")
	if n := s.stat("cluster.identity.health_check.name.tcp.success"); n == 0 {
		t.Error("no connection is tried")
	}
	a.status.Store(200)
	s.served("it is well again", "isNode1", "isNode2")
}

func TestACheckSpeaksHTTP2WhereThePoolDoes(t *testing.T) {
	for _, tls := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 2 {
				w.WriteHeader(http.StatusHTTPVersionNotSupported)
			}
			if r.URL.Path == "/health" {
				w.Header().Set("X-Drain", "1")
			}
			w.Header().Set("X-Node", "a")
		}))
		t.Cleanup(server.Close)
		server.Config.Protocols = new(http.Protocols)
		server.Config.Protocols.SetUnencryptedHTTP2(!tls)
		server.Config.Protocols.SetHTTP2(tls)
		server.EnableHTTP2 = tls
		start, pool := server.Start, "protocol: http2\nsticky: {jvm_route: JSESSIONID}\nhealth: {path: /health, interval: 200ms, drain_header: X-Drain}"
		if tls {
			start, pool = server.StartTLS, pool+"\ntls: {verify: none}"
		}
		start()
		s := newSite(t, 0, file{pool: pool, nodes: []string{fmt.Sprintf("{name: a, address: %s}", server.Listener.Addr())}})
		until(t, patience, "the node's wish", func() bool { st, _ := s.status(); return st.Pools[0].Nodes[0].Asks == "drain" })
		s.always("a", "/", "JSESSIONID=A.a")
		s.end()
	}
}

func TestARequestThatFailsTakesANodeOutWhereOneIsEnough(t *testing.T) {
	for what, status := range map[string]int{"/slow": http.StatusGatewayTimeout, "/cut": http.StatusServiceUnavailable} {
		s, _, _ := patients(t, "timeout: 200ms\nattempts: 0\nhealth: {passive: 1}\nretry: 1m")
		if _, resp := s.ask(what, "JSESSIONID=A.isNode1"); resp.StatusCode != status {
			t.Fatal(what, resp.Status)
		}
		until(t, patience, "the node to be out", func() bool { node, _ := s.ask("/", "JSESSIONID=A.isNode1"); return node == "isNode2" })
		s.always("isNode2", "/", "JSESSIONID=A.isNode1")
	}
}

func TestANodeMayAskToBeDrained(t *testing.T) {
	for how, ask := range map[string]func(*patient, bool){
		"by 404": func(p *patient, yes bool) { p.status.Store(map[bool]int32{true: 404, false: 200}[yes]) },
		"by a header": func(p *patient, yes bool) {
			p.header.Store(map[bool]string{true: "X-Drain", false: ""}[yes])
		},
	} {
		t.Run(how, func(t *testing.T) {
			s, _, b := patients(t, "health: {path: /health, interval: 300ms, drain_status: 404, drain_header: X-Drain}")
			ask(b, true)
			s.served("nobody new comes", "isNode1")
			s.always("isNode2", "/", "JSESSIONID=A.isNode2")
			until(t, patience, "the status to say so", func() bool {
				st, _ := s.status()
				return st.Pools[0].Nodes[1].Asks == "drain" && st.Pools[0].Nodes[1].State == "active"
			})
			s.change("another save", func(f *file) { f.routes = []string{"{path: /denied, deny: true}"} })
			s.served("it still asks after a save", "isNode1")
			ask(b, false)
			s.served("it asks no more", "isNode1", "isNode2")
		})
	}
}

func TestASwitchedOffHealthAPIIsToldFromAHealthyOne(t *testing.T) {
	s, a, b := patients(t, "health: {preset: wso2, interval: 1s}")
	if warned := strings.Join(s.warnings(), "\n"); strings.Contains(warned, "health API") {
		t.Errorf("healthy nodes are warned of: %s", warned)
	}
	b.body.Store("")
	until(t, patience, "the warning", func() bool {
		return strings.Contains(strings.Join(s.warnings(), "\n"), "pool identity, node isNode2: its health API is switched off")
	})
	s.served("it serves all the same", "isNode1", "isNode2")
	a.status.Store(503)
	a.body.Store(`{"errors":[{"code":"HC_00001"}]}`)
	s.served("an unhealthy one does not", "isNode2")
	b.body.Store(`{"health":[]}`)
	until(t, patience, "no warning", func() bool { return !strings.Contains(strings.Join(s.warnings(), "\n"), "isNode2") })
}

func (s *site) warnings() []string {
	s.t.Helper()
	st, _ := s.status()
	return st.Warnings
}

func TestWithoutACheckANodeIsKnownByItsRequests(t *testing.T) {
	s := newSite(t, 2, file{pool: "sticky: {jvm_route: JSESSIONID}\ntls: {verify: none}\nhealth: {tcp: false}"})
	if n := s.stat("cluster.identity.health_check.attempt"); n != 0 {
		t.Errorf("%d checks", n)
	}
	s.nodes[1].kill()
	s.always("isNode1", "/", "JSESSIONID=A.isNode2")
	s.nodes[1].again(t)
	until(t, patience, "the node to be tried again", func() bool { node, _ := s.ask("/", "JSESSIONID=A.isNode2"); return node == "isNode2" })
}

package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strings"
	"sync"
)

const (
	cookieName  = "JSESSIONID"
	maxSessions = 100_000 // the oldest make room
)

// node is one server with its sessions.
type node struct {
	name string
	mux  *http.ServeMux

	mu       sync.Mutex
	sessions map[string]int // requests, by session id without the route
	order    []string
	requests int
}

func newNode(name string) *node {
	n := &node{name: name, mux: http.NewServeMux(), sessions: map[string]int{}}
	n.mux.HandleFunc("/", n.page)
	n.mux.HandleFunc("/carbon/", n.carbon)
	n.mux.HandleFunc("/health", n.health)
	n.mux.HandleFunc("/api/health-check/v1.0/health", n.health)
	n.mux.HandleFunc("/headers", n.headers)
	n.mux.HandleFunc("/stats", n.stats)
	n.faults()
	return n
}

// ServeHTTP names the node in every answer. Path parameters count for the
// session and for nothing else, as in a servlet container.
func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Node", n.name)
	n.mu.Lock()
	n.requests++
	n.mu.Unlock()
	path, _, _ := strings.Cut(r.URL.Path, ";")
	clean := r.Clone(r.Context())
	clean.URL.Path = path
	clean.RequestURI = r.URL.Path // keeps the parameters for session
	n.mux.ServeHTTP(w, clean)
}

// visit is what a request means to its session.
type visit struct {
	Node    string `json:"node"`
	Session string `json:"session"` // with the route
	Count   int    `json:"count"`   // requests of this session on this node
	New     bool   `json:"new"`
}

// session finds the request's session, or begins one: an id that this node does
// not know is as good as none. The cookie goes before the path, as in Tomcat.
func (n *node) session(w http.ResponseWriter, r *http.Request) visit {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, value := range given(r) {
		id, _, _ := strings.Cut(value, ".")
		if _, known := n.sessions[id]; known {
			n.sessions[id]++
			return visit{n.name, id + "." + n.name, n.sessions[id], false}
		}
	}
	id := n.begin()
	value := id + "." + n.name
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: value, Path: "/", Secure: true, HttpOnly: true})
	return visit{n.name, value, 1, true}
}

func given(r *http.Request) []string {
	var all []string
	for _, c := range r.CookiesNamed(cookieName) {
		all = append(all, c.Value)
	}
	if _, after, ok := strings.Cut(r.RequestURI, ";jsessionid="); ok {
		value, _, _ := strings.Cut(after, ";")
		value, _, _ = strings.Cut(value, "/")
		all = append(all, value)
	}
	return all
}

func (n *node) begin() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	id := strings.ToUpper(hex.EncodeToString(b[:]))
	if len(n.order) >= maxSessions {
		delete(n.sessions, n.order[0])
		n.order = n.order[1:]
	}
	n.sessions[id], n.order = 1, append(n.order, id)
	return id
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<meta charset="utf-8"><title>{{.Node}}</title>
<h1>{{.Node}}</h1>
<p>Session <code>{{.Session}}</code>, request {{.Count}}{{if .New}} (new){{end}}.</p>
`))

func (n *node) page(w http.ResponseWriter, r *http.Request) {
	v := n.session(w, r)
	if _, asJSON := r.URL.Query()["json"]; asJSON {
		answer(w, v)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, v) // the client has gone
}

// carbon redirects to the node's own address, as the management console does
// that knows nothing of a proxy, and speaks of HSTS by itself.
func (n *node) carbon(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Strict-Transport-Security", "max-age=15768000;includeSubDomains")
	if r.URL.Path == "/carbon/admin/" {
		n.page(w, r)
		return
	}
	own, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	_, port, _ := net.SplitHostPort(own.String())
	w.Header().Set("Location", "https://localhost:"+port+"/carbon/admin/")
	w.WriteHeader(http.StatusFound)
}

func (n *node) health(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"health": []any{map[string]string{"key": "nodeId", "value": n.name}}})
}

// headers shows what reached the node.
func (n *node) headers(w http.ResponseWriter, r *http.Request) {
	var client []string // the names in the certificate that the client has shown
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		client = r.TLS.PeerCertificates[0].DNSNames
	}
	answer(w, map[string]any{"node": n.name, "host": r.Host, "proto": r.Proto, "headers": r.Header, "client": client})
}

func (n *node) stats(w http.ResponseWriter, _ *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answer(w, map[string]int{"requests": n.requests, "sessions": len(n.sessions)})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		fmt.Println("answer:", err)
	}
}

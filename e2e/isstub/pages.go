package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
)

func (n *node) pages() {
	n.mux.HandleFunc("/", n.page)
	n.mux.HandleFunc("/carbon/", n.carbon)
	n.mux.HandleFunc("/headers", n.headers)
	n.mux.HandleFunc("/stats", n.stats)
	n.mux.HandleFunc(control, n.control)
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

// headers shows what reached the node.
func (n *node) headers(w http.ResponseWriter, r *http.Request) {
	var client []string // the names in the certificate that the client has shown
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		client = r.TLS.PeerCertificates[0].DNSNames
	}
	size, _ := io.Copy(io.Discard, io.LimitReader(r.Body, maxBig))
	answer(w, map[string]any{
		"node": n.name, "method": r.Method, "uri": r.RequestURI, "query": r.URL.RawQuery, "host": r.Host, "proto": r.Proto,
		"headers": r.Header, "bytes": size, "remote": r.RemoteAddr, "client": client,
	})
}

func (n *node) stats(w http.ResponseWriter, _ *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answer(w, map[string]int{"requests": n.requests, "sessions": len(n.sessions.of)})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		fmt.Println("answer:", err)
	}
}

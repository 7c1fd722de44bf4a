//go:build httpd

package httpd

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// node is a server behind both balancers. It answers with what it has seen, and
// says in its headers what the query asks for: ?Location=…&Set-Cookie=…&status=302.
type node struct {
	name string
	addr string

	mu     sync.Mutex
	server *http.Server
	ill    atomic.Bool // its health check is answered with 503
}

// seen is what a request looked like to a node.
type seen struct {
	Node, Method, Path, Host string
	Header                   http.Header
	Body                     int64
}

func newNode(t *testing.T, name string) *node {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{name: name, addr: lis.Addr().String()}
	n.serve(lis)
	t.Cleanup(n.stop)
	return n
}

func (n *node) port() string {
	_, port, _ := net.SplitHostPort(n.addr)
	return port
}

func (n *node) serve(lis net.Listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server = &http.Server{Handler: n} //nolint:gosec // a node of a test
	go func(s *http.Server) { _ = s.Serve(lis) }(n.server)
}

// stop closes the node's listener and cuts its connections.
func (n *node) stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	_ = n.server.Close()
}

// start opens it again on its old port.
func (n *node) start(t *testing.T) {
	t.Helper()
	lis, err := net.Listen("tcp", n.addr)
	if err != nil {
		t.Fatal(err)
	}
	n.serve(lis)
}

// ServeHTTP answers.
func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/health" && n.ill.Load() {
		http.Error(w, "broken", http.StatusServiceUnavailable)
		return
	}
	body, _ := io.Copy(io.Discard, r.Body)
	w.Header().Set("X-Node", n.name)
	status := http.StatusOK
	for key, values := range r.URL.Query() {
		switch key {
		case "status":
			status, _ = strconv.Atoi(values[0])
		case "Location", "Content-Location", "URI", "Destination", "Set-Cookie", "Refresh", "Link":
			w.Header()[key] = values
		}
	}
	if status < 200 || status > 599 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(seen{n.name, r.Method, r.RequestURI, r.Host, r.Header, body})
}

package main

import (
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"

	"google.golang.org/grpc"
)

// node is one server with its sessions.
type node struct {
	name string
	mux  *http.ServeMux
	grpc *grpc.Server

	mu       sync.Mutex
	sessions shelf[sessionKey, int] // requests
	logins   shelf[string, login]   // by sessionDataKey
	requests int
	mood     mood
}

func newNode(name string) *node {
	n := &node{
		name: name, mux: http.NewServeMux(), mood: mood{Health: healthy},
		sessions: newShelf[sessionKey, int](100_000),
		logins:   newShelf[string, login](10_000),
	}
	n.grpc = n.grpcServer()
	n.pages()
	n.wellness()
	n.entitlement()
	n.signOn()
	n.faults()
	n.outward()
	n.wires()
	return n
}

// ServeHTTP names the node in every answer.
func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Node", n.name)
	r.URL.Path, r.URL.RawPath = plainPath(r.URL), ""
	m := n.count(r.URL.Path)
	switch {
	case !spared(r.URL.Path) && m.misbehaves(w, r):
	case r.ProtoMajor == 2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc"):
		n.grpc.ServeHTTP(w, r)
	default:
		n.mux.ServeHTTP(w, r)
	}
}

var parameters = regexp.MustCompile(`;[^/]*`)

// plainPath is the path without its parameters, which count for the session and
// for nothing else, as in a servlet container.
func plainPath(u *url.URL) string {
	plain, err := url.PathUnescape(parameters.ReplaceAllString(u.EscapedPath(), ""))
	if err != nil || !strings.HasPrefix(plain, "/") {
		return u.Path // such as * of OPTIONS
	}
	clean := path.Clean(plain)
	if strings.HasSuffix(plain, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// count notes the request, unless it is about the stub itself.
func (n *node) count(path string) mood {
	n.mu.Lock()
	defer n.mu.Unlock()
	if path != control {
		n.requests++
	}
	return n.mood
}

// shelf has room for so many things; the oldest make room.
type shelf[K comparable, V any] struct {
	of    map[K]V
	order []K
	room  int
}

func newShelf[K comparable, V any](room int) shelf[K, V] {
	return shelf[K, V]{of: map[K]V{}, room: room}
}

func (s *shelf[K, V]) add(key K, v V) {
	if len(s.order) >= s.room {
		delete(s.of, s.order[0])
		s.order = s.order[1:]
	}
	s.of[key], s.order = v, append(s.order, key)
}

package main

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
)

const cookieName = "JSESSIONID"

// applications are the web applications with sessions of their own; what is not
// below their paths belongs to the one at the root.
var applications = []string{"/authenticationendpoint", "/oauth2"}

// application is the path of the one that a request is for.
func application(path string) string {
	for _, a := range applications {
		if path == a || strings.HasPrefix(path, a+"/") {
			return a
		}
	}
	return "/"
}

type sessionKey struct {
	application string
	id          string // without the route
}

// visit is what a request means to its session.
type visit struct {
	Node    string `json:"node"`
	Session string `json:"session"` // with the route
	Count   int    `json:"count"`   // requests of this session on this node
	New     bool   `json:"new"`
}

// session finds the request's session, or begins one: an id that this node does
// not know is as good as none. The cookie goes before the path, and of several
// cookies the first that is known counts, as in Tomcat.
func (n *node) session(w http.ResponseWriter, r *http.Request) visit {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := sessionKey{application: application(r.URL.Path)}
	for _, value := range given(r) {
		key.id, _, _ = strings.Cut(value, ".")
		if _, known := n.sessions.of[key]; known {
			n.sessions.of[key]++
			return visit{n.name, key.id + "." + n.name, n.sessions.of[key], false}
		}
	}
	key.id = random()
	n.sessions.add(key, 1)
	value := key.id + "." + n.name
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: value, Path: key.application, Secure: true, HttpOnly: true})
	return visit{n.name, value, 1, true}
}

func given(r *http.Request) []string {
	var all []string
	for _, c := range r.CookiesNamed(cookieName) {
		all = append(all, c.Value)
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if _, after, ok := strings.Cut(path, ";jsessionid="); ok {
		value, _, _ := strings.Cut(after, ";")
		value, _, _ = strings.Cut(value, "/")
		all = append(all, value)
	}
	return all
}

// random is what Tomcat's ids look like.
func random() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToUpper(hex.EncodeToString(b[:]))
}

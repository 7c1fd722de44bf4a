package main

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
)

// login is one on its way, kept by the node where it began: a step that comes to
// another node, or twice, fails.
type login struct {
	back  string // redirect_uri
	state string
	user  string // once it has been said
}

func (n *node) signOn() {
	n.mux.HandleFunc("/oauth2/authorize", n.authorize)
	n.mux.HandleFunc("/authenticationendpoint/login.do", n.loginPage)
	n.mux.HandleFunc("/commonauth", n.commonAuth)
}

// authorize begins a login, and ends it where there is a key.
func (n *node) authorize(w http.ResponseWriter, r *http.Request) {
	n.session(w, r)
	if key := r.FormValue("sessionDataKey"); key != "" {
		n.granted(w, key)
		return
	}
	key := random()
	n.mu.Lock()
	n.logins.add(key, login{back: r.FormValue("redirect_uri"), state: r.FormValue("state")})
	n.mu.Unlock()
	sendTo(w, "/authenticationendpoint/login.do?sessionDataKey="+key)
}

func (n *node) loginPage(w http.ResponseWriter, r *http.Request) {
	n.session(w, r)
	key := r.FormValue("sessionDataKey")
	if _, ok := n.login(key, ""); !ok {
		n.refuse(w)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, `<!doctype html><meta charset="utf-8"><title>%s</title><form action="../commonauth" method="post">`+
		`<input name="username"><input name="sessionDataKey" type="hidden" value="%s"><button>Sign in</button></form>`,
		n.name, html.EscapeString(key))
}

// commonAuth takes any name, and no password.
func (n *node) commonAuth(w http.ResponseWriter, r *http.Request) {
	n.session(w, r)
	r.Body = http.MaxBytesReader(w, r.Body, maxAsked)
	key, user := r.PostFormValue("sessionDataKey"), r.PostFormValue("username")
	if _, ok := n.login(key, user); !ok || user == "" {
		n.refuse(w)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "commonAuthId", Value: random(), Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode})
	sendTo(w, "/oauth2/authorize?sessionDataKey="+key)
}

// granted sends the client back with a code, or shows it where nobody waits.
func (n *node) granted(w http.ResponseWriter, key string) {
	l, ok := n.login(key, "")
	if !ok || l.user == "" {
		n.refuse(w)
		return
	}
	n.mu.Lock()
	delete(n.logins.of, key)
	n.mu.Unlock()
	code := url.Values{"code": {random()}, "state": {l.state}}
	if l.back == "" {
		answer(w, map[string]string{"node": n.name, "user": l.user, "code": code.Get("code")})
		return
	}
	sendTo(w, l.back+"?"+code.Encode())
}

// login finds one that began here, and notes who says to be its user.
func (n *node) login(key, user string) (login, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l, ok := n.logins.of[key]
	if ok && user != "" {
		l.user = user
		n.logins.of[key] = l
	}
	return l, ok
}

func (n *node) refuse(w http.ResponseWriter) {
	http.Error(w, "Authentication Error! "+n.name+" knows nothing of this login.", http.StatusBadRequest)
}

func sendTo(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusFound)
}

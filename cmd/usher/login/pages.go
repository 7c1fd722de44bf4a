package login

import (
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed pages
var pagesFS embed.FS

var pageTemplate = template.Must(template.ParseFS(pagesFS, "pages/page.html"))

// page is what a page of login shows.
type page struct {
	Title   string
	Words   string
	User    User   // who is logged in
	Token   string // of his session
	Form    bool   // for name and password
	Name    string // that was typed
	Next    string // where to go after a login
	OIDC    string // the link to the provider
	Hint    string // how else to become operator
	Onward  string // a page that leads on by itself
	Login   string // a link to the page for logins
	Console bool   // a link to the console
}

func show(w http.ResponseWriter, code int, p page) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_ = pageTemplate.Execute(w, p) // the client has gone
}

// pages are what a gate answers itself.
func (t *Gate) pages() {
	if t.mode == Local {
		t.own.HandleFunc("POST /login/link", t.giveLink)
		return
	}
	t.own.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { t.form(w, r, http.StatusOK, "") })
	t.own.HandleFunc("POST /login", t.logIn)
	t.own.HandleFunc("POST /logout", t.logOut)
	t.own.HandleFunc("GET /login/link", t.useLink)
	t.own.HandleFunc("GET /login/style.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=3600")
		http.ServeFileFS(w, r, pagesFS, "pages/style.css")
	})
	if t.guard.OIDC != nil {
		t.own.HandleFunc("GET /login/oidc", t.toProvider)
		t.own.HandleFunc("GET /login/oidc/callback", t.fromProvider)
	}
}

const becomeOperator = "Everybody on this machine may look. To change something, run `usher console` on it: it prints a link that makes you operator."

// form is the page to log in, or to log out.
func (t *Gate) form(w http.ResponseWriter, r *http.Request, code int, fault string) {
	next := onward(r.FormValue("next"))
	p := page{Title: "usher", Words: fault, Next: next, Name: r.PostFormValue("name"), Console: t.mode == Loopback}
	if a, _ := r.Context().Value(askerKey).(asker); a.session != nil {
		p.User, p.Token, p.Console = a.User, a.session.token, true
		show(w, code, p)
		return
	}
	p.Form = t.mode == Remote && t.guard.OIDC == nil || len(t.guard.users().Users) > 0
	if t.mode == Loopback {
		p.Hint = becomeOperator
	}
	if t.guard.OIDC != nil {
		p.OIDC = strings.Replace(loginPath(next), "/login", "/login/oidc", 1)
	}
	show(w, code, p)
}

// logIn looks at a name and a password.
func (t *Gate) logIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	name, password := r.PostFormValue("name"), r.PostFormValue("password")
	who, err := t.guard.password(r.Context(), name, password, origin(r))
	if err != nil {
		if !nameShape.MatchString(name) {
			name = "(no name)" // a password in the wrong field, say
		}
		t.failed(w, r, User{Name: name, Via: ViaPassword}, err)
		return
	}
	t.begin(w, r, User{Name: who.Name, Role: who.role, Via: ViaPassword}, who.stamp())
	http.Redirect(w, r, onward(r.PostFormValue("next")), http.StatusSeeOther)
}

// failed answers a login that came to nothing.
func (t *Gate) failed(w http.ResponseWriter, r *http.Request, u User, err error) {
	var wait waitError
	code, result := http.StatusUnauthorized, Failed
	switch {
	case errors.As(err, &wait):
		w.Header().Set("Retry-After", strconv.Itoa(wait.seconds()))
		code, result = http.StatusTooManyRequests, Refused
	case errors.Is(err, errBusy):
		code, result = http.StatusServiceUnavailable, Refused
	}
	if result == Refused {
		t.guard.noteRefusal(r.Context(), u, origin(r), "login", err.Error())
	} else {
		note(r.Context(), t.guard.Log, u, origin(r), "login", result, slog.String("why", err.Error()))
	}
	t.form(w, r, code, upper(err.Error()))
}

// upper begins a text as a sentence.
func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

// begin gives a browser a session, and ends the one that it had.
func (t *Gate) begin(w http.ResponseWriter, r *http.Request, u User, stamp key) {
	for _, old := range r.CookiesNamed(cookieName(r)) {
		t.guard.sessions.drop(old.Value)
	}
	id := t.guard.sessions.begin(u, stamp, placeOf(r), t.guard.Now())
	setCookie(w, r, id)
	note(r.Context(), t.guard.Log, u, origin(r), "login", Done)
}

// logOut ends a session. forged has seen that its own page asked for it.
func (t *Gate) logOut(w http.ResponseWriter, r *http.Request) {
	if a, _ := r.Context().Value(askerKey).(asker); a.session != nil {
		a.session.end()
		for _, c := range r.CookiesNamed(cookieName(r)) {
			t.guard.sessions.drop(c.Value)
		}
		note(r.Context(), t.guard.Log, a.User, a.from, "logout", Done)
	}
	setCookie(w, r, "")
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// given is a one-time link as the socket answers it.
type given struct {
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
}

func (t *Gate) giveLink(w http.ResponseWriter, r *http.Request) {
	u, known := From(r.Context())
	if !known {
		refuse(w, r, http.StatusForbidden, "the system does not say who you are")
		return
	}
	secret, expires, ok := t.guard.links.give(u.Name, t.guard.Now())
	if !ok {
		refuse(w, r, http.StatusServiceUnavailable, "too many links wait to be used: try again in some minutes")
		return
	}
	Audit(r.Context(), "one-time link", Done)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(given{t.guard.URL + "/login/link?secret=" + secret, expires}) // the client has gone
}

// useLink logs in by a one-time link. A HEAD, of a program that looks what a link
// is about, does not use it up.
func (t *Gate) useLink(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	u, ok := t.guard.links.take(r.FormValue("secret"), t.guard.Now())
	if !ok {
		note(r.Context(), t.guard.Log, User{Via: ViaLink}, origin(r), "login", Failed)
		t.form(w, r, http.StatusForbidden, "This link was used before, or is older than five minutes: run `usher console` again.")
		return
	}
	t.begin(w, r, u, key{})
	t.comeAgain(w, r, "/")
}

// comeAgain is a page that leads on by itself: what it leads to is asked by a
// page of usher's own, with the cookie that stays at home (SameSite=Strict) where
// another site has led here, also by way of redirects.
func (t *Gate) comeAgain(w http.ResponseWriter, _ *http.Request, next string) {
	show(w, http.StatusOK, page{Title: "usher", Onward: onward(next)})
}

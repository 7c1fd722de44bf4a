package login

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

// sealer keeps a flow in the browser's own cookie, where strangers who begin
// one after the other take no memory here.
type sealer struct{ aead cipher.AEAD }

func newSealer() sealer {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES is what it takes
	}
	return sealer{aead}
}

func (s sealer) seal(f flow) string {
	text, err := json.Marshal(f)
	if err != nil {
		panic(err) // texts and a time
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, text, nil)) //nolint:gosec // G407: it makes its own nonce
}

func (s sealer) open(sealed string) (f flow, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return f, false
	}
	text, err = s.aead.Open(nil, nil, text, nil)
	return f, err == nil && json.Unmarshal(text, &f) == nil
}

// setFlow gives a browser its flow to keep. Lax: the provider's page leads back.
func setFlow(w http.ResponseWriter, r *http.Request, value string) {
	c := &http.Cookie{Name: cookieName(r) + "-oidc", Value: value, Path: "/", HttpOnly: true, Secure: r.TLS != nil, //nolint:gosec // G124: without TLS only on loopback
		SameSite: http.SameSiteLaxMode, MaxAge: int(flowLife.Seconds())}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// longestNext is how long a path may be that waits in a cookie.
const longestNext = 1000

// toProvider sends a browser to the OpenID provider.
func (t *Gate) toProvider(w http.ResponseWriter, r *http.Request) {
	next := onward(r.FormValue("next"))
	// The provider sends him back to the console's one name, where the cookie has
	// to be. A proxy that changes Host must not make it a circle.
	if to, here := t.guard.OIDC.moved(r.Host, next); !here && !r.Form.Has("moved") {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	if len(next) > longestNext {
		next = "/"
	}
	to, f, err := t.guard.OIDC.begin(next)
	if err != nil {
		t.failedAbroad(w, r, User{Via: ViaOIDC}, err)
		return
	}
	setFlow(w, r, t.guard.flows.seal(f))
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// moved is where the login at the provider begins for who is at a host, which may
// be here.
func (p *Provider) moved(host, next string) (to string, here bool) {
	u, err := url.Parse(p.Console)
	if err != nil || strings.EqualFold(u.Host, host) {
		return "", true
	}
	return p.ConsoleURL() + "/login/oidc?moved=1&next=" + url.QueryEscape(next), false
}

// fromProvider takes a browser that comes back. Each one that comes to nothing
// counts for its address: it makes usher ask the provider.
func (t *Gate) fromProvider(w http.ResponseWriter, r *http.Request) {
	var f flow
	if c, err := r.Cookie(cookieName(r) + "-oidc"); err == nil {
		f, _ = t.guard.flows.open(c.Value)
	}
	setFlow(w, r, "")
	done, wait := t.guard.limits.visit(origin(r), t.guard.Now())
	if wait > 0 {
		t.failed(w, r, User{Via: ViaOIDC}, waitError(wait))
		return
	}
	u, err := t.guard.OIDC.finish(r.Context(), f, r.URL.Query())
	if err != nil {
		t.failedAbroad(w, r, u, err)
		return
	}
	done()
	t.begin(w, r, u, key{})
	t.comeAgain(w, r, f.Next)
}

// failedAbroad answers a login at the provider that came to nothing. Strangers
// are not told why; the log is.
func (t *Gate) failedAbroad(w http.ResponseWriter, r *http.Request, u User, err error) {
	u.Via = ViaOIDC
	note(r.Context(), t.guard.Log, u, origin(r), "login", Failed, slog.String("why", short(err.Error())))
	var wrong *url.Error
	switch {
	case errors.Is(err, errNoRole):
		t.form(w, r, http.StatusForbidden, "The provider knows you as "+u.Name+", but none of what it says of you gives you a role here.")
	case errors.As(err, &wrong):
		t.form(w, r, http.StatusBadGateway, "The provider does not answer. usher's log says more.")
	default:
		t.form(w, r, http.StatusForbidden, "The login at the provider came to nothing. usher's log says why.")
	}
}

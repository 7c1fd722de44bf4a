package login

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Mode is what a door is open to.
type Mode int

// The modes of a Gate.
const (
	// Local is the socket in the state folder: whoever can open it is operator.
	Local Mode = iota
	// Loopback is a port of this machine. Every process of every user reaches it:
	// without a login they may look, and change nothing.
	Loopback
	// Remote is a port that others reach: with TLS and a login, or not at all.
	Remote
)

// Gate stands before the handlers of one door.
type Gate struct {
	guard  *Guard
	mode   Mode
	origin *http.CrossOriginProtection
	own    *http.ServeMux // the pages of login
	next   http.Handler
}

// patience is how long the form of a login may take to arrive.
const patience = 10 * time.Second

// HeaderBackground marks requests that a page makes by itself, such as every
// second: they do not keep a session alive.
const HeaderBackground = "X-Background"

// Gate is a door of a mode.
func (g *Guard) Gate(mode Mode) *Gate {
	return &Gate{guard: g, mode: mode, origin: http.NewCrossOriginProtection()}
}

// Wrap lets those through to next who may: everybody to what is Open; else
// viewers, and for what is not just read (any method but GET, HEAD and OPTIONS, or
// a POST that just Asks) operators. It answers below /login and /logout itself. Of a request with a
// session that is not just read, it demands the session's Token, for which it
// may read a form, at most 4 MiB.
func (t *Gate) Wrap(next http.Handler) http.Handler {
	g := *t
	g.next, g.own = next, http.NewServeMux()
	g.pages()
	return &g
}

// ServeHTTP is the way of a request through the gate.
func (t *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if t.mode != Local {
		protect(w.Header(), r.TLS != nil)
	}
	if t.mode == Remote && r.TLS == nil {
		refuse(w, r, http.StatusForbidden, "only with TLS")
		return
	}
	a, known := t.who(r)
	if known {
		ctx, cancel := t.lasting(context.WithValue(r.Context(), askerKey, a), a)
		defer cancel()
		r = r.WithContext(ctx)
	}
	if why := t.forged(w, r, a); why != "" {
		t.turnAway(r, a, why)
		refuse(w, r, http.StatusForbidden, why)
		return
	}
	t.pass(w, r, a, known)
}

// pass leads to the handler for a request that is what it seems to be.
func (t *Gate) pass(w http.ResponseWriter, r *http.Request, a asker, known bool) {
	switch {
	case isOwn(r.URL.Path):
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience)) // as good as a connection can
		t.own.ServeHTTP(w, r)
	case slices.Contains(t.guard.Open, r.URL.Path) && readsOnly(r):
		t.next.ServeHTTP(w, r)
	case !known:
		t.askToLogIn(w, r, a)
	case t.changes(r) && !a.Role.May(Operator):
		t.turnAway(r, a, "needs the role operator")
		refuse(w, r, http.StatusForbidden, needs(Operator, a.User))
	default:
		t.next.ServeHTTP(w, r)
	}
}

// who tells who asks. Whoever shows a token is known by it or not at all.
func (t *Gate) who(r *http.Request) (a asker, known bool) {
	a = asker{from: origin(r), log: t.guard.Log}
	switch {
	case t.mode == Local:
		a.from = "socket"
		a.User, known = peerUser(r.Context())
		return a, known
	case r.Header.Get("Authorization") != "":
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if strings.EqualFold(scheme, "Bearer") {
			a.token = sha256.Sum256([]byte(strings.TrimSpace(token)))
			a.User, known = t.guard.bearer(a.token)
		}
		return a, known
	}
	if a.session = t.session(r); a.session != nil {
		a.User = a.session.user
		return a, true
	}
	if t.mode == Loopback {
		a.User = User{Name: "", Role: Viewer, Via: ViaLoopback}
		return a, true
	}
	return a, false
}

// session is that of the request's cookie. Another program on this machine may
// have set one of the same name, so that all are looked at, up to a few.
func (t *Gate) session(r *http.Request) *session {
	all := r.CookiesNamed(cookieName(r))
	for _, c := range all[:min(len(all), 4)] {
		s, stolen := t.guard.sessions.find(c.Value, placeOf(r), r.Header.Get(HeaderBackground) != "", t.guard.users(), t.guard.Now())
		if s != nil {
			return s
		}
		if stolen {
			t.turnAway(r, asker{from: origin(r)}, "the session of this cookie began at another address, or is another user's of this machine")
		}
	}
	return nil
}

func placeOf(r *http.Request) place { return place{peerID(r.Context()), network(origin(r))} }

// lasting ends with the asker's session or token, so that an answer which streams
// does not outlive it.
func (t *Gate) lasting(ctx context.Context, a asker) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	switch {
	case a.session != nil:
		stop := context.AfterFunc(a.session.ended, cancel)
		return ctx, func() { stop(); cancel() }
	case a.Via == ViaToken:
		over := t.guard.streams.add(a.token, cancel)
		return ctx, func() { over(); cancel() }
	}
	return ctx, cancel
}

// askToLogIn answers strangers.
func (t *Gate) askToLogIn(w http.ResponseWriter, r *http.Request, a asker) {
	if r.Header.Get("Authorization") == "" && r.Method == http.MethodGet && wantsPage(r) {
		if r.Header.Get("Sec-Fetch-Site") == "cross-site" { // his cookie stays at home: SameSite=Strict
			t.comeAgain(w, r, r.URL.RequestURI())
			return
		}
		http.Redirect(w, r, loginPath(r.URL.RequestURI()), http.StatusSeeOther) //nolint:gosec // G710: it begins with /login
		return
	}
	if r.Header.Get("Authorization") != "" {
		t.turnAway(r, a, "the token is not known, or has expired")
	} else {
		t.turnAway(r, a, "not logged in")
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="usher"`)
	refuse(w, r, http.StatusUnauthorized, "log in at /login, or show a token: Authorization: Bearer …")
}

// turnAway notes a request that is refused.
func (t *Gate) turnAway(r *http.Request, a asker, why string) {
	t.guard.noteRefusal(r.Context(), a.User, a.from, r.Method+" "+r.URL.Path, why)
}

// changes tells whether a request may change something.
func (t *Gate) changes(r *http.Request) bool {
	return !readsOnly(r) && (r.Method != http.MethodPost || !slices.Contains(t.guard.Asks, r.URL.Path))
}

func readsOnly(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
}

package login

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWhoGetsWhere(t *testing.T) {
	h := newHouse(t)
	remote, loopback := h.door(Remote), h.door(Loopback)
	bearer := func(name string) []string { return []string{"Authorization", "Bearer " + token(name)} }
	for _, c := range []struct {
		at, method, path string
		who              []string
		want             int
	}{
		{remote.URL, "GET", "/healthz", nil, 200},
		{remote.URL, "HEAD", "/healthz", nil, 200},
		{remote.URL, "POST", "/healthz", nil, 401},
		{remote.URL, "GET", "/healthz/x", nil, 401},
		{remote.URL, "GET", "/", nil, 401},
		{remote.URL, "GET", "/metrics", nil, 401},
		{remote.URL, "GET", "/status.json", nil, 401},
		{remote.URL, "GET", "//status.json", nil, 401},
		{remote.URL, "GET", "/login/../status.json", nil, 307},
		{remote.URL, "GET", "/login/x", nil, 404},
		{remote.URL, "GET", "/loginx", nil, 401},
		{remote.URL, "POST", "/login/link", nil, 405},
		{remote.URL, "POST", "/change", nil, 401},
		{remote.URL, "PROPFIND", "/", nil, 401},
		{remote.URL, "GET", "/metrics", bearer("prometheus"), 200},
		{remote.URL, "GET", "/status.json", bearer("prometheus"), 200},
		{remote.URL, "GET", "/secret", bearer("prometheus"), 403},
		{remote.URL, "POST", "/change", bearer("prometheus"), 403},
		{remote.URL, "DELETE", "/", bearer("prometheus"), 403},
		{remote.URL, "POST", "/api/explain", bearer("prometheus"), 200},
		{remote.URL, "PUT", "/api/explain", bearer("prometheus"), 403},
		{remote.URL, "POST", "/api/explain/", bearer("prometheus"), 403},
		{remote.URL, "POST", "/api/explain", nil, 401},
		{loopback.URL, "POST", "/api/explain", nil, 200},
		{loopback.URL, "POST", "/api/explain", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{remote.URL, "GET", "/secret", bearer("deployer"), 200},
		{remote.URL, "POST", "/change", bearer("deployer"), 200},
		{remote.URL, "GET", "/metrics", bearer("old"), 401},
		{remote.URL, "GET", "/metrics", bearer("unknown"), 401},
		{remote.URL, "GET", "/metrics", []string{"Authorization", "Bearer"}, 401},
		{remote.URL, "GET", "/metrics", []string{"Authorization", "Bearer " + h.Users.now().Tokens[0].SHA256}, 401},
		{remote.URL, "GET", "/metrics", []string{"Authorization", "Basic YWxpY2U6Y29ycmVjdCBob3JzZQ=="}, 401},
		{loopback.URL, "GET", "/", nil, 200},
		{loopback.URL, "GET", "/metrics", nil, 200},
		{loopback.URL, "GET", "/secret", nil, 403},
		{loopback.URL, "POST", "/change", nil, 403},
		{loopback.URL, "GET", "/", bearer("unknown"), 401},
		{loopback.URL, "POST", "/change", bearer("deployer"), 200},
		{loopback.URL, "POST", "/login/link", nil, 405},
	} {
		b := browse(t, remote)
		b.at = c.at
		if got := b.ask(c.method, c.path, nil, c.who...); got.code != c.want {
			t.Errorf("%s %s as %v: %d, not %d: %s", c.method, c.at+c.path, c.who, got.code, c.want, got.body)
		}
	}
	if got := browse(t, remote).get("/api/x"); got.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(got.body, `"status":401`) {
		t.Error(got)
	}
	h.mustLog("who=deployer", "via=token", `what="a change"`, "result=done")
	h.mustLog("what=\"GET /metrics\"", "result=refused", "not logged in")
}

func TestARemoteDoorWithoutTLSIsShut(t *testing.T) {
	h := newHouse(t)
	s := h.door(Loopback)
	s.Config.Handler = h.Gate(Remote).Wrap(rooms())
	if got := browse(t, s).get("/healthz"); got.code != 403 {
		t.Error(got)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	h := newHouse(t)
	remote, loopback := browse(t, h.door(Remote)), browse(t, h.door(Loopback))
	for _, got := range []answer{remote.get("/login"), remote.get("/healthz"), remote.get("/"), remote.ask("POST", "/login", nil, "Origin", "https://evil.example"), loopback.get("/")} {
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
		} {
			if got.header.Get(name) != want {
				t.Errorf("%d: %s is %q", got.code, name, got.header.Get(name))
			}
		}
	}
	if remote.get("/login").header.Get("Strict-Transport-Security") == "" || loopback.get("/login").header.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS is for TLS, and for TLS alone")
	}
}

func TestALoginAndALogout(t *testing.T) {
	h := newHouse(t)
	b := browse(t, h.door(Remote))
	if got := b.get("/pools?x=1", "Accept", "text/html"); got.code != 303 || got.header.Get("Location") != "/login?next=%2Fpools%3Fx%3D1" {
		t.Fatal(got)
	}
	got := b.ask("POST", "/login", url.Values{"name": {"alice"}, "password": {aliceSays}, "next": {"/pools?x=1"}})
	if got.code != 303 || got.header.Get("Location") != "/pools?x=1" {
		t.Fatal(got)
	}
	cookie := got.header.Get("Set-Cookie")
	for _, part := range []string{"__Host-usher-", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Strict"} {
		if !strings.Contains(cookie, part) || strings.Contains(cookie, "Domain") {
			t.Errorf("the cookie %q has not %q", cookie, part)
		}
	}
	if got := b.get("/secret"); got.code != 200 || !strings.HasPrefix(got.body, "alice is operator via password") {
		t.Fatal(got)
	}
	if got := b.ask("POST", "/change", url.Values{FormToken: {b.token()}, "to": {"drain"}}); got.code != 200 {
		t.Fatal(got)
	}
	if got := b.ask("PUT", "/", nil, HeaderToken, b.token()); got.code != 200 {
		t.Fatal(got)
	}
	if got := b.ask("POST", "/logout", url.Values{}); got.code != 403 {
		t.Fatal("a logout that another page asked for", got)
	}
	stolen := h.cookies(b)
	if got := b.ask("POST", "/logout", url.Values{FormToken: {b.token()}}); got.code != 303 || !strings.Contains(got.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Fatal(got)
	}
	if got := b.get("/", "Cookie", stolen); got.code != 401 {
		t.Error("the cookie of before the logout is good", got)
	}
	h.mustLog("who=alice", "what=login", "result=done", "from=127.0.0.1")
	h.mustLog("who=alice", "what=logout", "result=done")
	h.mustLog("who=alice", `what="a change"`, "body=drain")
}

// cookies are those that a browser would send.
func (h *house) cookies(b browser) string {
	u, err := url.Parse(b.at)
	if err != nil {
		h.t.Fatal(err)
	}
	var all []string
	for _, c := range b.Jar.Cookies(u) {
		all = append(all, c.String())
	}
	return strings.Join(all, "; ")
}

func TestForgedRequestsAreRefused(t *testing.T) {
	h := newHouse(t)
	for _, mode := range []Mode{Remote, Loopback} {
		b := browse(t, h.door(mode))
		if got := b.logIn("alice", aliceSays); got.code != 303 {
			t.Fatal(got)
		}
		good := b.token()
		mallory := browse(t, h.door(mode))
		mallory.logIn("bob", bobSays)
		for name, c := range map[string]struct {
			form    url.Values
			headers []string
		}{
			"no token":                  {url.Values{"to": {"x"}}, nil},
			"another's token":           {url.Values{FormToken: {mallory.token()}}, nil},
			"an empty token":            {url.Values{FormToken: {""}}, nil},
			"a token in the URL":        {nil, nil},
			"another origin":            {url.Values{FormToken: {good}}, []string{"Origin", "https://evil.example"}},
			"no origin":                 {url.Values{FormToken: {good}}, []string{"Origin", "null"}},
			"another port":              {url.Values{FormToken: {good}}, []string{"Sec-Fetch-Site", "same-site"}},
			"another site":              {url.Values{FormToken: {good}}, []string{"Sec-Fetch-Site", "cross-site"}},
			"another site's navigation": {url.Values{FormToken: {good}}, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}},
		} {
			if got := b.ask("POST", "/change?csrf="+good, c.form, c.headers...); got.code != 403 {
				t.Errorf("mode %d, %s: %d", mode, name, got.code)
			}
		}
		if got := b.ask("POST", "/change", url.Values{FormToken: {good}}, "Sec-Fetch-Site", "same-origin"); got.code != 200 {
			t.Errorf("mode %d: its own form: %v", mode, got)
		}
		if got := b.get("/status.json", "Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "script"); got.code != 403 {
			t.Errorf("mode %d: a page of another port reads along: %v", mode, got)
		}
		if got := b.ask("POST", "/login", url.Values{"name": {"bob"}, "password": {bobSays}}, "Sec-Fetch-Site", "cross-site"); got.code != 403 {
			t.Errorf("mode %d: another site logs its visitor in: %v", mode, got)
		}
	}
	h.mustLog("who=alice", "result=refused", "not of this session")
	h.mustLog("who=alice", "result=refused", "another site's page")
}

func TestWhoIsLedHereByAnotherSiteKeepsHisSession(t *testing.T) {
	h := newHouse(t)
	b := browse(t, h.door(Remote))
	led := []string{"Accept", "text/html", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	got := b.get("/pools/app?a=1&b=\"2", led...)
	if got.code != 200 || !strings.Contains(got.body, `content="0; url=/pools/app?a=1&amp;b=%222"`) && !strings.Contains(got.body, `content="0; url=/pools/app?a=1&amp;b=&#34;2"`) {
		t.Fatal(got)
	}
}

func TestCookiesThatAreNoGood(t *testing.T) {
	h := newHouse(t)
	s := h.door(Remote)
	login := func() (browser, string) {
		b := browse(t, s)
		if got := b.logIn("alice", aliceSays); got.code != 303 {
			t.Fatal(got)
		}
		return b, h.cookies(b)
	}
	stranger := browse(t, s)
	_, cookie := login()
	name, value, _ := strings.Cut(cookie, "=")
	for name, altered := range map[string]string{
		"shorter": cookie[:len(cookie)-1], "longer": cookie + "A", "empty": name + "=", "its hash": fmt.Sprintf("%s=%x", name, keyOf(value)),
		"another": cookie[:len(cookie)-2] + "__", "of the other kind": strings.TrimPrefix(cookie, "__Host-"),
	} {
		if got := stranger.get("/", "Cookie", altered); got.code != 401 {
			t.Errorf("%s: %d", name, got.code)
		}
	}
	h.clock.pass(idle - time.Second)
	if got := stranger.get("/", "Cookie", cookie, HeaderBackground, "1"); got.code != 200 {
		t.Error("before it was idle for too long:", got)
	}
	h.clock.pass(time.Second)
	if got := stranger.get("/", "Cookie", cookie); got.code != 401 {
		t.Error("idle for too long:", got)
	}
	_, cookie = login()
	for range int(longest/idle)*2 - 1 {
		h.clock.pass(idle / 2)
		if got := stranger.get("/", "Cookie", cookie); got.code != 200 {
			t.Fatal("in use:", got)
		}
	}
	h.clock.pass(idle / 2)
	if got := stranger.get("/", "Cookie", cookie); got.code != 401 {
		t.Error("too old:", got)
	}
}

func TestAStolenCookieIsNoGoodElsewhere(t *testing.T) {
	h := newHouse(t)
	gate := h.Gate(Remote).Wrap(rooms())
	ask := func(from string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "https://usher.example/", nil)
		r.RemoteAddr = from
		for pair := range slices.Chunk(headers, 2) {
			r.Header.Set(pair[0], pair[1])
		}
		w := httptest.NewRecorder()
		gate.ServeHTTP(w, r)
		return w
	}
	id := h.sessions.begin(User{Name: "carol", Role: Operator, Via: ViaOIDC}, key{}, place{unknownPeer, network("2001:db8::1")}, h.clock.now())
	for from, want := range map[string]int{
		"[2001:db8::1]:1": 200, "[2001:db8::2]:1": 200, "[2001:db8:0:1::1]:1": 401, "192.0.2.1:1": 401, "127.0.0.1:1": 401,
	} {
		if got := ask(from, "Cookie", "__Host-usher="+id); got.Code != want {
			t.Errorf("from %s: %d", from, got.Code)
		}
		if got := ask(from, "Cookie", "__Host-usher="+id, "X-Forwarded-For", "2001:db8::1", "Forwarded", "for=2001:db8::1"); got.Code != want {
			t.Errorf("from %s, by its word another: %d", from, got.Code)
		}
	}
	h.mustLog("from=192.0.2.1", "result=refused", "began at another address")
	if got := ask("[2001:db8::1]:1", "Cookie", "__Host-usher="+id); got.Code != 200 {
		t.Error("the thief has ended the session", got.Code)
	}
}

func TestAViewersLoginReads(t *testing.T) {
	h := newHouse(t)
	b := browse(t, h.door(Remote))
	b.logIn("bob", bobSays)
	form := url.Values{FormToken: {b.token()}}
	for path, want := range map[string]int{"GET /": 200, "GET /metrics": 200, "GET /secret": 403, "POST /change": 403, "DELETE /": 403, "POST /api/explain": 200} {
		method, path, _ := strings.Cut(path, " ")
		if got := b.ask(method, path, form, HeaderToken, form.Get(FormToken)); got.code != want {
			t.Errorf("%s %s: %v", method, path, got)
		}
	}
	if got := b.ask("POST", "/api/explain", url.Values{}); got.code != 403 {
		t.Error("a question that another page asks in his name:", got)
	}
	h.mustLog("who=bob", "role=viewer", `what="POST /change"`, "result=refused")
}

func TestSessionsEndWithTheirUsersRights(t *testing.T) {
	h := newHouse(t)
	s := h.door(Remote)
	for name, change := range map[string]func(*File) error{
		"password": func(f *File) error { return f.set("users", "alice", "password", newHash(aliceSays, cheap).String()) },
		"role":     func(f *File) error { return f.SetRole("alice", Viewer) },
		"removal":  func(f *File) error { return f.RemoveUser("alice") },
	} {
		h.write(usersText())
		alice, bob := browse(t, s), browse(t, s)
		alice.logIn("alice", aliceSays)
		bob.logIn("bob", bobSays)
		if got := alice.get("/"); got.code != 200 {
			t.Fatal(name, got)
		}
		if err := Change(h.file, change); err != nil {
			t.Fatal(err)
		}
		if a, b := alice.get("/"), bob.get("/"); a.code != 401 || b.code != 200 {
			t.Errorf("%s: hers %d, his %d", name, a.code, b.code)
		}
	}
}

func TestALoginEndsTheSessionBefore(t *testing.T) {
	h := newHouse(t)
	b := browse(t, h.door(Remote))
	b.logIn("bob", bobSays)
	before := h.cookies(b)
	if got := b.ask("POST", "/login", url.Values{"name": {"alice"}, "password": {aliceSays}, FormToken: {b.token()}}); got.code != 303 {
		t.Fatal(got)
	}
	if got := b.get("/", "Cookie", before); strings.Contains(got.body, "bob") {
		t.Error(got)
	}
	if got := b.get("/"); !strings.Contains(got.body, "alice is operator") {
		t.Error(got)
	}
}

func TestAnAnswerThatStreamsEndsWithItsSession(t *testing.T) {
	h := newHouse(t)
	s := h.door(Remote)
	began, over := make(chan struct{}), make(chan struct{})
	s.Config.Handler = h.Gate(Remote).Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-r.Context().Done()
		over <- struct{}{}
	}))
	b := browse(t, s)
	for _, headers := range [][]string{nil, {"Authorization", "Bearer " + token("prometheus")}} {
		h.write(usersText())
		b.logIn("alice", aliceSays)
		answered := make(chan answer)
		go func() { answered <- b.get("/stream", headers...) }()
		<-began
		h.sweep(t.Context())
		select {
		case <-over:
			t.Error("it ends without need")
			continue
		default:
		}
		h.write("users: []\n")
		h.sweep(t.Context())
		<-over
		<-answered
	}
	if len(h.streams.all) != 0 {
		t.Error("what is over is remembered")
	}
}

func TestWhereToGoAfterALogin(t *testing.T) {
	for next, want := range map[string]string{
		"": "/", "/": "/", "/pools?a=b#c": "/pools?a=b#c", "//evil.example": "/", "/\\evil.example": "/", "https://evil.example": "/", "evil": "/",
		"javascript:alert(1)": "/", "/a\nb": "/", "/\t/evil.example": "/", "/login": "/", "/login/link?secret=x": "/", "/logout": "/", "/logins": "/logins",
	} {
		if got := onward(next); got != want {
			t.Errorf("%q leads to %q", next, got)
		}
	}
}

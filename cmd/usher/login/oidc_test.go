package login

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
)

func TestALoginAtTheProvider(t *testing.T) {
	h := newHouse(t)
	p := newIDP(t, h.clock.now)
	h.withOIDC(p)
	b := browse(t, h.door(Remote))
	if got := b.get("/login/oidc?next=/pools%3Fx=1"); got.header.Get("Location") != "https://usher.example/login/oidc?moved=1&next=%2Fpools%3Fx%3D1" {
		t.Error("he does not begin at the console's one name:", got)
	}
	asked := b.leave(p, "/pools?x=1")
	want := map[string]string{"response_type": "code", "client_id": "usher", "scope": "openid profile", "redirect_uri": "https://usher.example" + Callback, "code_challenge_method": "S256"}
	for k, v := range want {
		if asked.Get(k) != v {
			t.Errorf("%s is %q", k, asked.Get(k))
		}
	}
	if len(asked.Get("state")) < 43 || len(asked.Get("nonce")) < 43 || len(asked.Get("code_challenge")) != 43 {
		t.Error(asked)
	}
	got := b.back(url.Values{"code": {"the code"}, "state": {asked.Get("state")}})
	if got.code != 200 || !strings.Contains(got.body, `content="0; url=/pools?x=1"`) {
		t.Fatal(got)
	}
	if got := b.get("/secret"); !strings.HasPrefix(got.body, "carol is operator via oidc") {
		t.Error(got)
	}
	if got := b.back(url.Values{"code": {"the code"}, "state": {asked.Get("state")}}); got.code != 403 {
		t.Error("the same answer again:", got)
	}
	h.mustLog("who=carol", "via=oidc", "what=login", "result=done")
	h.mustLog("via=oidc", "what=login", "result=failed", "not to a question of this browser")
}

func TestTokensThatAreNotForUs(t *testing.T) {
	h := newHouse(t)
	p := newIDP(t, h.clock.now)
	h.withOIDC(p)
	s := h.door(Remote)
	other := newIDP(t, h.clock.now)
	now := h.clock.now()
	for name, c := range map[string]struct {
		claims map[string]any
		sign   func(map[string]any) string
		want   string
	}{
		"another audience":      {map[string]any{"aud": "other"}, nil, "aud"},
		"audiences without azp": {map[string]any{"aud": []string{"usher", "other"}}, nil, "azp"},
		"another client's":      {map[string]any{"aud": []string{"usher", "other"}, "azp": "other"}, nil, "azp"},
		"another issuer":        {map[string]any{"iss": "https://evil.example"}, nil, "different provider"},
		"another nonce":         {map[string]any{"nonce": "x"}, nil, "nonce"},
		"no nonce":              {map[string]any{"nonce": nil}, nil, "nonce"},
		"expired":               {map[string]any{"exp": now.Add(-2 * time.Minute).Unix()}, nil, "expired"},
		"no end":                {map[string]any{"exp": nil}, nil, "expired"},
		"not valid yet":         {map[string]any{"nbf": now.Add(time.Hour).Unix()}, nil, "nbf"},
		"unsigned":              {nil, unsigned("none"), "none"},
		"unsigned, in capitals": {nil, unsigned("None"), "None"},
		"without a signature":   {nil, unsigned("ES256"), "signature"},
		"a shared secret":       {nil, func(c map[string]any) string { return sign(t, jose.HS256, []byte(strings.Repeat("hush", 8)), c) }, "HS256"},
		"another's key":         {nil, other.honest, "signature"},
		"altered": {nil, func(c map[string]any) string {
			parts := strings.Split(p.honest(c), ".")
			c["groups"] = "admins"
			return parts[0] + "." + strings.Split(unsigned("x")(c), ".")[1] + "." + parts[2]
		}, "signature"},
		"no token":         {nil, func(map[string]any) string { return "" }, "ID token"},
		"another at_hash":  {map[string]any{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, nil, "access token"},
		"no name":          {map[string]any{"preferred_username": ""}, nil, "not a name"},
		"a name in lines":  {map[string]any{"preferred_username": "a\nb"}, nil, "not a name"},
		"no role":          {map[string]any{"groups": []string{"everybody"}}, nil, "values that give a role"},
		"a role like ours": {map[string]any{"groups": "adminsx"}, nil, "values that give a role"},
	} {
		p.lie(func() { p.claims, p.sign = c.claims, c.sign })
		b := browse(t, s)
		asked := b.leave(p, "/")
		got := b.back(url.Values{"code": {"the code"}, "state": {asked.Get("state")}})
		if got.code != 403 || strings.Contains(strings.Join(got.header.Values("Set-Cookie"), "\n"), "SameSite=Strict") || b.get("/").code != 401 {
			t.Errorf("%s: %v", name, got)
		}
		last := h.log.String()[strings.LastIndex(h.log.String(), "what=login"):]
		if !strings.Contains(last, c.want) {
			t.Errorf("%s: the log says %s", name, last)
		}
		h.forget()
	}
}

func TestAnswersThatAreNotForUs(t *testing.T) {
	h := newHouse(t)
	p := newIDP(t, h.clock.now)
	h.withOIDC(p)
	s := h.door(Remote)
	for name, change := range map[string]func(b browser, answer url.Values){
		"another state":     func(_ browser, a url.Values) { a.Set("state", "x") },
		"no state":          func(_ browser, a url.Values) { a.Del("state") },
		"another code":      func(_ browser, a url.Values) { a.Set("code", "x") },
		"no code":           func(_ browser, a url.Values) { a.Del("code") },
		"a refusal":         func(_ browser, a url.Values) { a.Set("error", "access_denied") },
		"another issuer":    func(_ browser, a url.Values) { a.Set("iss", "https://evil.example") },
		"too late":          func(browser, url.Values) { h.clock.pass(flowLife) },
		"another's browser": func(b browser, _ url.Values) { b.leave(p, "/") },
	} {
		b := browse(t, s)
		answer := url.Values{"code": {"the code"}, "state": {b.leave(p, "/").Get("state")}}
		change(b, answer)
		if got := b.back(answer); got.code != 403 {
			t.Errorf("%s: %v", name, got)
		}
		h.forget()
	}
	// A flow without its cookie, and one that was altered.
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "https://"), ":")
	for _, cookie := range []string{"", "__Host-usher-" + port + "-oidc=x", "__Host-usher-" + port + "-oidc=" + strings.Repeat("A", 400)} {
		b := browse(t, s)
		if got := b.get(Callback+"?code=x&state=", "Cookie", cookie); got.code != 403 {
			t.Errorf("cookie %q: %v", cookie, got)
		}
	}
}

func TestRolesAndNamesByClaims(t *testing.T) {
	p := Provider{OIDC: OIDC{Name: "preferred_username", Roles: RoleClaim{Claim: "realm_access.roles", Operator: []string{"admins"}, Viewer: []string{"staff", "a, b"}}}}
	for _, c := range []struct {
		roles any
		want  Role
	}{
		{[]any{"admins"}, Operator}, {[]any{"staff", "admins"}, Operator}, {[]any{"staff"}, Viewer}, {"staff", Viewer}, {"x,admins", Operator}, {"x, staff", Viewer}, {"a, b", Viewer},
		{[]any{"Admins"}, 0}, {"", 0}, {nil, 0}, {[]any{1, nil, []any{"admins"}}, 0}, {map[string]any{"admins": true}, 0}, {true, 0},
	} {
		got, err := p.user(map[string]any{"preferred_username": "carol", "realm_access": map[string]any{"roles": c.roles}})
		if got.Role != c.want || (err == nil) != (c.want != 0) {
			t.Errorf("%v: %v, %v", c.roles, got, err)
		}
	}
	if got := dig(map[string]any{"realm_access.roles": "whole", "realm_access": map[string]any{"roles": "inner"}}, "realm_access.roles"); got != "whole" {
		t.Error(got)
	}
}

func TestWhatTheTokenLacksTheUserInfoTells(t *testing.T) {
	h := newHouse(t)
	p := newIDP(t, h.clock.now)
	h.withOIDC(p)
	s := h.door(Remote)
	p.lie(func() { p.claims = map[string]any{"groups": nil} })
	for subject, want := range map[string]int{"42": 200, "43": 403} {
		p.lie(func() {
			p.info = map[string]any{"sub": subject, "groups": "staff", "preferred_username": "somebody else"}
		})
		b := browse(t, s)
		if got := b.back(url.Values{"code": {"the code"}, "state": {b.leave(p, "/").Get("state")}}); got.code != want {
			t.Errorf("subject %s: %v", subject, got)
		}
	}
	h.mustLog("who=carol", "role=viewer", "result=done")
}

func TestAProviderThatIsDown(t *testing.T) {
	h := newHouse(t)
	p := newIDP(t, h.clock.now)
	h.withOIDC(p)
	b := browse(t, h.door(Remote))
	p.lie(func() { p.down = true })
	for range 3 {
		if got := b.get("/login/oidc?moved=1"); got.code != 403 && got.code != 502 {
			t.Error(got)
		}
	}
	p.lie(func() {
		if n := p.served["/.well-known/openid-configuration"]; n != 1 {
			t.Errorf("it was asked %d times", n)
		}
	})
	if got := b.logIn("alice", aliceSays); got.code != 303 {
		t.Error("the users of the file need it", got)
	}
	p.lie(func() { p.down = false })
	h.clock.pass(askAgain)
	b.leave(p, "/")
	p.lie(func() { p.down = true })
	h.clock.pass(rediscover)
	b.leave(p, "/") // by what it said before
}

func TestFaultsOfAnOIDCFile(t *testing.T) {
	dir := t.TempDir()
	save := func(name, text string, mode os.FileMode) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		setMode(t, file, mode)
		return file
	}
	save("secret", "hush\n", 0o600)
	save("open", "hush\n", 0o644)
	save("empty", "\n", 0o600)
	good := "issuer: https://idp.example/oauth2/token\nclient_id: usher\nconsole: https://usher.example:18443\nrole: {operator: [admins]}\nca: idp.crt\nclient_secret_file: secret\n"
	got, err := LoadOIDC(save("oidc.yaml", good, 0o644))
	want := OIDC{Issuer: "https://idp.example/oauth2/token", ClientID: "usher", SecretFile: filepath.Join(dir, "secret"), Console: "https://usher.example:18443", CA: filepath.Join(dir, "idp.crt"),
		Scopes: []string{"profile"}, Name: "preferred_username", Roles: RoleClaim{Claim: "groups", Operator: []string{"admins"}}, ClockSkew: time.Minute, ClientSecret: "hush"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"an open secret":   {"secret_file: secret", "secret_file: open", "chmod 600"},
		"an empty secret":  {"secret_file: secret", "secret_file: empty", "is empty"},
		"no secret":        {"secret_file: secret", "secret_file: none", "no such file"},
		"plain text":       {"https://idp", "http://idp", "has to begin with https"},
		"no URL":           {"https://idp.example", "idp.example", "is not a URL"},
		"a path":           {":18443", ":18443/console", "has a path"},
		"no client":        {"client_id: usher", "", "client_id is missing"},
		"no role":          {"operator: [admins]", "", "nobody would be let in"},
		"an unknown key":   {"client_id", "client", "field client not found"},
		"a secret in it":   {"client_secret_file: secret", "client_secret: hush", "not found"},
		"a skew of an age": {"ca: idp.crt", "clock_skew: 1h", "between 0s and 5m"},
	} {
		_, err := LoadOIDC(save("oidc.yaml", strings.Replace(good, c.old, c.new, 1), 0o644))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

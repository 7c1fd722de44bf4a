package login

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// idp is a small OpenID provider, which tests make lie.
type idp struct {
	*httptest.Server
	t   *testing.T
	key *ecdsa.PrivateKey
	now func() time.Time

	mu     sync.Mutex
	asked  url.Values                                 // of the last authorization
	claims map[string]any                             // beside the usual ones
	info   map[string]any                             // of the user info endpoint
	sign   func(claims map[string]any) (token string) // in place of ES256 by the key
	down   bool
	served map[string]int // requests by path
}

func newIDP(t *testing.T, now func() time.Time) *idp {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{t: t, key: key, now: now, served: map[string]int{}}
	p.Server = httptest.NewTLSServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *idp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.served[r.URL.Path]++
	switch {
	case p.down:
		http.Error(w, "down", http.StatusServiceUnavailable)
	case r.URL.Path == "/.well-known/openid-configuration":
		answerJSON(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"userinfo_endpoint": p.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"none", "HS256", "ES256"},
		})
	case r.URL.Path == "/keys":
		answerJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"}}})
	case r.URL.Path == "/token":
		p.token(w, r)
	case r.URL.Path == "/userinfo":
		answerJSON(w, p.info)
	default:
		http.NotFound(w, r)
	}
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// lie changes what it says from now on.
func (p *idp) lie(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// forget forgets all attempts that failed.
func (h *house) forget() {
	h.limits.mu.Lock()
	defer h.limits.mu.Unlock()
	h.limits.names, h.limits.addresses, h.limits.both = newTable(byName), newTable(byAddress), newTable(byPair)
}

// token gives tokens for a code, if whoever asks has what the code was given for.
func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	id, password, _ := r.BasicAuth()
	switch {
	case p.asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || p.asked.Get("code_challenge_method") != "S256",
		id != "usher" || password != "hush",
		r.PostFormValue("redirect_uri") != p.asked.Get("redirect_uri"), r.PostFormValue("code") != "the code":
		w.WriteHeader(http.StatusBadRequest)
		answerJSON(w, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{
		"iss": p.URL, "aud": "usher", "sub": "42", "exp": p.now().Add(time.Minute).Unix(), "iat": p.now().Unix(), "nonce": p.asked.Get("nonce"),
		"preferred_username": "carol", "groups": []string{"everybody", "admins"},
	}
	for k, v := range p.claims {
		if claims[k] = v; v == nil {
			delete(claims, k)
		}
	}
	sign := p.sign
	if sign == nil {
		sign = p.honest
	}
	answerJSON(w, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": sign(claims)})
}

func (p *idp) honest(claims map[string]any) string { return sign(p.t, jose.ES256, p.key, claims) }

func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key any, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	text, err := json.Marshal(claims)
	if err != nil {
		t.Error(err)
		return ""
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Error(err)
		return ""
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Error(err)
	}
	return token
}

// unsigned is a token of the algorithm none.
func unsigned(algorithm string) func(map[string]any) string {
	return func(claims map[string]any) string {
		text, _ := json.Marshal(claims)
		enc := base64.RawURLEncoding
		return enc.EncodeToString([]byte(`{"alg":"`+algorithm+`","kid":"1"}`)) + "." + enc.EncodeToString(text) + "."
	}
}

// withOIDC lets the house know the provider.
func (h *house) withOIDC(p *idp) {
	h.OIDC = NewProvider(OIDC{
		Issuer: p.URL, ClientID: "usher", ClientSecret: "hush", Console: "https://usher.example", Scopes: []string{"profile"}, Name: "preferred_username",
		Roles: RoleClaim{Claim: "groups", Operator: []string{"admins"}, Viewer: []string{"staff"}}, ClockSkew: time.Minute,
	}, p.Client(), h.clock.now)
}

// leave goes to the provider, and returns what it was asked.
func (b browser) leave(p *idp, next string) url.Values {
	b.t.Helper()
	got := b.get("/login/oidc?moved=1&next="+url.QueryEscape(next), "Sec-Fetch-Site", "same-origin")
	to, err := url.Parse(got.header.Get("Location"))
	if err != nil || got.code != 303 || !strings.HasPrefix(to.String(), p.URL+"/authorize?") {
		b.t.Fatal(got, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = to.Query()
	return p.asked
}

// back comes from the provider with an answer.
func (b browser) back(answer url.Values) answer {
	return b.get(Callback+"?"+answer.Encode(), "Accept", "text/html", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
}

package login

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Provider is an OpenID provider. It is asked for its discovery document when the
// first user comes, not at the start: it may sit behind the very balancer that
// usher drives.
type Provider struct {
	OIDC
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	found   *oidc.Provider
	foundAt time.Time
	fault   error
}

const (
	// rediscover is how long a discovery document holds.
	rediscover = time.Hour
	// askAgain is how soon a provider that does not answer is asked again.
	askAgain = 5 * time.Second
)

// NewProvider reaches a provider by a client, whose timeout bounds each question
// and whose transport trusts whom the file names.
func NewProvider(c OIDC, client *http.Client, now func() time.Time) *Provider {
	return &Provider{OIDC: c, client: client, now: now}
}

// ConsoleURL is the console's as its users know it, without a path.
func (p *Provider) ConsoleURL() string { return strings.TrimRight(p.Console, "/") }

// ConsoleHost is the host in it.
func (p *Provider) ConsoleHost() string {
	u, err := url.Parse(p.Console)
	if err != nil {
		return "" // LoadOIDC has read it
	}
	return u.Hostname()
}

// algorithms are those by which an ID token may be signed: none with a shared
// secret, and never none at all.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// discover is the provider as it describes itself. When it does not answer, what
// it said before holds.
func (p *Provider) discover() (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := p.now().Sub(p.foundAt)
	switch {
	case p.found != nil && age < rediscover:
		return p.found, nil
	case p.found == nil && p.fault != nil && age < askAgain:
		return nil, p.fault
	}
	// Its keys are asked for later as well, when this request is long over.
	found, err := oidc.NewProvider(oidc.ClientContext(context.Background(), p.client), p.Issuer)
	p.foundAt, p.fault = p.now(), err
	if err == nil {
		p.found = found
	}
	if p.found == nil {
		return nil, fmt.Errorf("ask the OpenID provider: %w", err)
	}
	return p.found, nil
}

func (p *Provider) oauth(found *oidc.Provider) oauth2.Config {
	return oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, Endpoint: found.Endpoint(),
		RedirectURL: p.ConsoleURL() + Callback,
		Scopes:      append([]string{oidc.ScopeOpenID}, p.Scopes...),
	}
}

// flow is what a browser takes along to the provider and back.
type flow struct {
	State, Nonce, Verifier, Next string
	Expires                      time.Time
}

// flowLife is how long somebody may take at the provider.
const flowLife = 10 * time.Minute

// begin is where to send a browser.
func (p *Provider) begin(next string) (to string, f flow, err error) {
	found, err := p.discover()
	if err != nil {
		return "", f, err
	}
	f = flow{State: secret(), Nonce: secret(), Verifier: oauth2.GenerateVerifier(), Next: next, Expires: p.now().Add(flowLife)}
	c := p.oauth(found)
	return c.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), f, nil
}

// errNoRole is somebody whom the provider knows, and who is nobody here.
var errNoRole = errors.New("none of the values that give a role")

// finish tells who has come back from the provider.
func (p *Provider) finish(ctx context.Context, f flow, answer url.Values) (User, error) {
	switch {
	case f.State == "" || subtle.ConstantTimeCompare([]byte(f.State), []byte(answer.Get("state"))) != 1:
		return User{}, errors.New("the answer is not to a question of this browser")
	case !p.now().Before(f.Expires):
		return User{}, errors.New("the answer took too long")
	case answer.Has("iss") && answer.Get("iss") != p.Issuer: // RFC 9207
		return User{}, fmt.Errorf("the answer is of another issuer: %s", answer.Get("iss"))
	case answer.Has("error"):
		return User{}, fmt.Errorf("the provider says: %s %s", answer.Get("error"), answer.Get("error_description"))
	}
	found, err := p.discover()
	if err != nil {
		return User{}, err
	}
	claims, err := p.claims(oidc.ClientContext(ctx, p.client), found, f, answer.Get("code"))
	if err != nil {
		return User{}, err
	}
	return p.user(claims)
}

// claims exchanges the code for tokens, and says what they say.
func (p *Provider) claims(ctx context.Context, found *oidc.Provider, f flow, code string) (map[string]any, error) {
	c := p.oauth(found)
	tokens, err := c.Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return nil, fmt.Errorf("exchange the code: %w", err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, claims, err := p.verify(ctx, found, raw, f.Nonce)
	if err != nil {
		return nil, err
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(tokens.AccessToken); err != nil {
			return nil, fmt.Errorf("the access token: %w", err)
		}
	}
	if dig(claims, p.Name) != nil && dig(claims, p.Roles.Claim) != nil {
		return claims, nil
	}
	return claims, p.more(ctx, found, tokens, id.Subject, claims)
}

// verify holds an ID token to its signature, issuer, audience, dates and nonce.
func (p *Provider) verify(ctx context.Context, found *oidc.Provider, raw, nonce string) (*oidc.IDToken, map[string]any, error) {
	v := found.Verifier(&oidc.Config{
		ClientID: p.ClientID, SupportedSigningAlgs: algorithms,
		Now: func() time.Time { return p.now().Add(-p.ClockSkew) }, // nbf has five minutes anyway
	})
	id, err := v.Verify(ctx, raw)
	if err != nil {
		return nil, nil, fmt.Errorf("the ID token: %w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 {
		return nil, nil, errors.New("the ID token is not for this login (nonce)")
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return nil, nil, fmt.Errorf("the ID token: %w", err)
	}
	if azp, there := claims["azp"]; (there || len(id.Audience) > 1) && azp != p.ClientID {
		return nil, nil, errors.New("the ID token is for another client (azp)")
	}
	return id, claims, nil
}

// more adds what only the user info endpoint tells.
func (p *Provider) more(ctx context.Context, found *oidc.Provider, tokens *oauth2.Token, subject string, claims map[string]any) error {
	if found.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return fmt.Errorf("ask for user info: %w", err)
	}
	if info.Subject != subject {
		return errors.New("the user info is of somebody else")
	}
	told := map[string]any{}
	if err := info.Claims(&told); err != nil {
		return fmt.Errorf("read the user info: %w", err)
	}
	for k, v := range told {
		if _, there := claims[k]; !there {
			claims[k] = v
		}
	}
	return nil
}

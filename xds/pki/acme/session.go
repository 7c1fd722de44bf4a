package acme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	xacme "golang.org/x/crypto/acme"

	"usher/xds/pki"
)

// agent is how usher names itself to a directory (RFC 8555, 6.1).
const agent = "usher"

// answerTime bounds one answer of the directory.
const answerTime = 30 * time.Second

// session is an account at a directory, ready to order.
type session struct {
	*xacme.Client
	kind string // of the challenges
}

// session enters the account of a request, made at its first use. Whoever
// writes a directory into the file agrees to its terms.
func (c Client) session(ctx context.Context, r Request) (*session, error) {
	key, err := pki.KeptKey(c.account(r))
	if err != nil {
		return nil, fmt.Errorf("the account's key: %w", err)
	}
	transport, err := trusting(r.Roots)
	if err != nil {
		return nil, err
	}
	s := &session{&xacme.Client{
		Key: key, DirectoryURL: r.Directory, UserAgent: agent, RetryBackoff: again,
		HTTPClient: &http.Client{Transport: transport, Timeout: answerTime},
	}, r.Type}
	if err := s.enter(ctx, r.Email); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) enter(ctx context.Context, email string) error {
	dir, err := s.Discover(ctx)
	if err != nil {
		return said("the directory does not answer as one", err)
	}
	if dir.ExternalAccountRequired {
		return errors.New("the directory wants an account made by hand (external account binding), which usher has no key for")
	}
	account := &xacme.Account{}
	if email != "" {
		account.Contact = []string{"mailto:" + email}
	}
	_, err = s.Register(ctx, account, xacme.AcceptTOS)
	if errors.Is(err, xacme.ErrAccountAlreadyExists) {
		return nil
	}
	return said("the directory refuses the account", err)
}

func (s *session) close() { s.HTTPClient.CloseIdleConnections() }

// trusting is a transport to a server of the given authorities, or the system's.
func trusting(roots []byte) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if roots == nil {
		return t, nil
	}
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(roots) {
		return nil, errors.New("there is no certificate among the authorities of the directory")
	}
	return t, nil
}

// again is how long a request waits that the directory could not serve: twice
// a moment, for a stale nonce or a restart. Who is told to wait (429, 503 with
// a time) ends the attempt.
func again(n int, _ *http.Request, resp *http.Response) time.Duration {
	if n > 2 || resp != nil && (resp.StatusCode == http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "") {
		return -1
	}
	return time.Duration(n) * 500 * time.Millisecond
}

// said puts what the directory says into one line, the error within reach.
func said(what string, err error) error {
	if err == nil {
		return nil
	}
	return &refusal{what + ": " + words(err), err}
}

// refusal is an error in other words.
type refusal struct {
	text string
	err  error
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.err }

// words are those of the directory, without the library's.
func words(err error) string {
	var one *xacme.Error
	var order *xacme.OrderError
	var authorization *xacme.AuthorizationError
	switch {
	case errors.As(err, &authorization) && len(authorization.Errors) > 0:
		return words(authorization.Errors[0])
	case errors.As(err, &order) && order.Problem != nil:
		return words(order.Problem)
	case errors.As(err, &one):
		text := oneLine(one.Detail)
		for _, sub := range one.Subproblems {
			text += "; " + oneLine(sub.Detail)
		}
		if kind := shortType(one.ProblemType); kind != "" {
			text += " (" + kind + ")"
		}
		return text
	}
	return oneLine(err.Error())
}

// pending finds the challenge of a kind, or says which there are.
func pending(a *xacme.Authorization, kind string) (*xacme.Challenge, error) {
	var offered []string
	for _, c := range a.Challenges {
		if c.Type == kind {
			return c, nil
		}
		offered = append(offered, c.Type)
	}
	slices.Sort(offered)
	return nil, fmt.Errorf("the directory does not offer %s for %s, only %v", kind, a.Identifier.Value, offered)
}

package acme

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	xacme "golang.org/x/crypto/acme"

	"usher/xds/pki"
)

// order goes through an order from its beginning to the certificate.
func (s *session) order(ctx context.Context, r Request, present func(context.Context, []Challenge) error) (pki.Pair, error) {
	order, err := s.AuthorizeOrder(ctx, xacme.DomainIDs(r.Hosts...))
	if err != nil {
		return pki.Pair{}, said("the directory takes no order", err)
	}
	if err := s.authorize(ctx, order.AuthzURLs, present); err != nil {
		return pki.Pair{}, err
	}
	if _, err = s.WaitOrder(ctx, order.URI); err != nil {
		return pki.Pair{}, said("the order failed", err)
	}
	key, keyPEM, err := pki.NewKey(r.Key)
	if err != nil {
		return pki.Pair{}, err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: r.Hosts}, key)
	if err != nil {
		return pki.Pair{}, err
	}
	chain, err := s.finish(ctx, order, csr)
	if err != nil {
		return pki.Pair{}, said("the directory does not issue", err)
	}
	return checked(chain, keyPEM, r.Hosts)
}

// finish hands in the request for a certificate and waits for it. The library
// waits at the URL that the answer names; pebble's and others' name none, for
// RFC 8555, 7.4 asks for none: then the order itself is looked at.
func (s *session) finish(ctx context.Context, order *xacme.Order, csr []byte) ([][]byte, error) {
	chain, _, err := s.CreateOrderCert(ctx, order.FinalizeURL, csr, true)
	if err == nil {
		return chain, nil
	}
	if o, lost := s.WaitOrder(ctx, order.URI); lost == nil && o.Status == xacme.StatusValid {
		return s.FetchCert(ctx, o.CertURL, true)
	}
	return nil, err
}

// checked is what a directory gave, if it is what was asked for.
func checked(chain [][]byte, key []byte, hosts []string) (pki.Pair, error) {
	var text []byte
	for _, der := range chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	// The directory's clock counts, not this machine's.
	p, err := pki.ParsePair(text, key, time.Time{})
	if err != nil {
		return pki.Pair{}, fmt.Errorf("the directory issued what can't be used: %w", err)
	}
	for _, h := range hosts {
		if err := p.Leaf.VerifyHostname(h); err != nil {
			return pki.Pair{}, fmt.Errorf("the directory issued what was not asked for: %w", err)
		}
	}
	return p, nil
}

// asked is a challenge and whose it is.
type asked struct {
	host, authorization string
	challenge           *xacme.Challenge
}

// authorize shows the challenges of all hosts, and waits for the directory to
// have looked at them.
func (s *session) authorize(ctx context.Context, urls []string, present func(context.Context, []Challenge) error) error {
	open, shown, err := s.questions(ctx, urls)
	if err != nil || len(open) == 0 {
		return err
	}
	if err := present(ctx, shown); err != nil {
		return fmt.Errorf("the challenge could not be shown: %w", err)
	}
	for _, a := range open {
		if _, err := s.Accept(ctx, a.challenge); err != nil {
			return said("the challenge for "+a.host+" failed", err)
		}
	}
	for _, a := range open {
		if _, err := s.WaitAuthorization(ctx, a.authorization); err != nil {
			return said("the directory could not verify "+a.host, err)
		}
	}
	return nil
}

// questions are the challenges that are still open, and what to show for them.
func (s *session) questions(ctx context.Context, urls []string) (open []asked, shown []Challenge, err error) {
	for _, url := range urls {
		a, err := s.GetAuthorization(ctx, url)
		if err != nil {
			return nil, nil, said("the directory lost an authorization", err)
		}
		if a.Status != xacme.StatusPending {
			continue // proven a while ago, or WaitOrder will say what became of it
		}
		c, err := pending(a, s.kind)
		if err != nil {
			return nil, nil, err
		}
		show, err := s.answer(a.Identifier.Value, c.Token)
		if err != nil {
			return nil, nil, err
		}
		open, shown = append(open, asked{a.Identifier.Value, url, c}), append(shown, show)
	}
	return open, shown, nil
}

func (s *session) answer(host, token string) (Challenge, error) {
	if s.kind == HTTP01 {
		text, err := s.HTTP01ChallengeResponse(token)
		return Challenge{Host: host, Path: PathPrefix + token, Answer: text}, err
	}
	cert, err := s.TLSALPN01ChallengeCert(token, host)
	if err != nil {
		return Challenge{}, err
	}
	p, err := pairOf(cert)
	return Challenge{Host: host, Pair: p}, err
}

func pairOf(c tls.Certificate) (pki.Pair, error) {
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return pki.Pair{}, err
	}
	return pki.ParsePair(
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), time.Time{})
}

// oneLine is a text of a stranger, fit for a log.
func oneLine(s string) string {
	const most = 300
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// shortType is a problem's type without the prefix that all have (RFC 8555, 6.7).
func shortType(t string) string { return t[strings.LastIndex(t, ":")+1:] }

//go:build tomcat

package tomcat

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// page is what the web application says.
type page struct {
	Page, Node, Session, Next, User string
	Visits                          int
	URL                             *url.URL `json:"-"` // where it was found in the end
	Status                          int      `json:"-"`
}

// browser is one user at a front. Without a jar it takes no cookies.
type browser struct {
	client *http.Client
	front  *front
}

// transport trusts usher's local CA alone. It keeps connections, for as many
// browsers as share it.
func (s *site) transport() *http.Transport {
	s.t.Helper()
	pem, err := os.ReadFile(filepath.Join(s.state(), "ca", "ca.crt"))
	must(s.t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 100,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			return (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
		},
	}
	s.t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func (s *site) browsers(f *front, n int, cookies bool) (all []*browser) {
	s.t.Helper()
	tr := s.transport()
	for range n {
		b := &browser{front: f, client: &http.Client{Transport: tr, Timeout: 30 * time.Second}}
		if cookies {
			b.client.Jar, _ = cookiejar.New(nil)
		}
		all = append(all, b)
	}
	return all
}

// get asks for a path, or where a page has pointed to, and follows redirects.
func (b *browser) get(to string) (page, error) {
	if strings.HasPrefix(to, "/") {
		to = b.front.url(to)
	}
	return read(b.client.Get(to))
}

func (b *browser) post(to string, form url.Values) (page, error) {
	return read(b.client.PostForm(to, form))
}

func read(resp *http.Response, err error) (p page, _ error) {
	if err != nil {
		return p, err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	p.URL, p.Status = resp.Request.URL, resp.StatusCode
	switch {
	case err != nil:
		return p, err
	case resp.StatusCode != http.StatusOK:
		return p, fmt.Errorf("%s: %s, %.200s", p.URL, resp.Status, body)
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return p, fmt.Errorf("%s: %w: %.200s", p.URL, err, body)
	}
	return p, nil
}

// follow resolves a link of a page.
func (p page) follow() string {
	next, err := p.URL.Parse(p.Next)
	if err != nil {
		return err.Error() // which fails as an address
	}
	return next.String()
}

// holds tells what is wrong with the next page of a session, nothing where it
// stayed on its node and the node knew it.
func (p page) holds(next page) string {
	switch {
	case next.Node != routeOf(p.Session):
		return fmt.Sprintf("a session of %s was answered by %s", p.Session, next.Node)
	case next.Session != p.Session || next.Visits != p.Visits+1:
		return fmt.Sprintf("the session %s of %d visits became %s of %d", p.Session, p.Visits, next.Session, next.Visits)
	}
	return ""
}

// together lets all act at a time, and returns what each says is wrong.
func together[T any](all []T, act func(T) error) (wrong []error) {
	said := make(chan error, len(all))
	for _, one := range all {
		go func() { said <- act(one) }()
	}
	for range all {
		if err := <-said; err != nil {
			wrong = append(wrong, err)
		}
	}
	return wrong
}

// pause is one of a user's, 20 ms on average; false when it is over. It is
// exponential: evenly spaced requests hide a broken stickiness behind a plain round
// robin.
func pause(ctx context.Context) bool {
	t := time.NewTimer(time.Duration(rand.ExpFloat64() * float64(20*time.Millisecond)))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}

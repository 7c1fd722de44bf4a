//go:build compose

package compose

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"testing"
	"time"
)

// user is a client with a cookie jar, who trusts usher's local CA alone.
type user struct {
	t    *testing.T
	url  string
	http *http.Client
}

func (p *project) newUser() *user {
	p.t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(read(p.t, filepath.Join(p.fetch("usher", "/state/ca"), "ca.crt"))) {
		p.t.Fatal("ca.crt holds no certificate")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	p.t.Cleanup(tr.CloseIdleConnections)
	return &user{
		t: p.t, url: fmt.Sprintf("https://localhost:%d/", p.port),
		http: &http.Client{Transport: tr, Jar: jar, Timeout: 5 * time.Second},
	}
}

// another is a user of a new session, on the same connections.
func (u *user) another() *user {
	jar, _ := cookiejar.New(nil)
	return &user{t: u.t, url: u.url, http: &http.Client{Transport: u.http.Transport, Jar: jar, Timeout: u.http.Timeout}}
}

// try asks once and returns the node that answered.
func (u *user) try() (string, error) {
	resp, err := u.http.Get(u.url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.Header.Get("X-Node"), err
}

// ask is a try that has to succeed.
func (u *user) ask() string {
	u.t.Helper()
	node, err := u.try()
	if err != nil {
		u.t.Fatal(err)
	}
	return node
}

// newSessions opens n sessions and counts on which nodes.
func (u *user) newSessions(n int) (users map[*user]string, perNode map[string]int) {
	u.t.Helper()
	users, perNode = map[*user]string{}, map[string]int{}
	for range n {
		one := u.another()
		users[one] = one.ask()
		perNode[users[one]]++
	}
	return users, perNode
}

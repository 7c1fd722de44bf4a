package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// logIn goes through a login as a browser does: three web applications, each with
// a JSESSIONID for its own path alone, and a form in between.
func (s *site) logIn() error {
	s.t.Helper()
	client := s.client(true, nil)
	client.Jar, _ = cookiejar.New(nil)
	client.CheckRedirect = nil
	form, err := client.Get(s.url("/oauth2/authorize"))
	if err != nil {
		return err
	}
	_ = form.Body.Close()
	key := form.Request.URL.Query().Get("sessionDataKey")
	end, err := client.PostForm(s.url("/commonauth"), url.Values{"sessionDataKey": {key}, "username": {"bob"}})
	if err != nil {
		return err
	}
	defer end.Body.Close() //nolint:errcheck // read only
	if said, _ := io.ReadAll(end.Body); form.StatusCode != http.StatusOK || end.StatusCode != http.StatusOK || !strings.Contains(string(said), `"user":"bob"`) {
		return fmt.Errorf("the form: %s, %s: %s", form.Status, end.Request.URL, said)
	}
	return nil
}

func TestALoginStaysOnItsNodeFromOneWebApplicationToTheNext(t *testing.T) {
	const logins = 20
	s := newSite(t, 2, file{pool: twoWays})
	for range logins {
		if err := s.logIn(); err != nil {
			t.Error(err)
		}
	}
	lost := 0
	s.change("JSESSIONID alone", func(f *file) { f.pool = stickyPool })
	for range logins {
		if s.logIn() != nil {
			lost++
		}
	}
	if lost == 0 {
		t.Error("no login is lost with JSESSIONID alone: the test proves nothing")
	}
	t.Logf("with JSESSIONID alone, %d of %d logins are lost", lost, logins)
}

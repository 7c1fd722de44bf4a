//go:build tomcat

package tomcat

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func envoyPath() string {
	path, _ := filepath.Abs(filepath.Join("..", "..", ".tools", "envoy"))
	return path
}

func TestTomcat(t *testing.T) {
	for path, bring := range map[string]string{envoyPath(): "make envoy", filepath.Join(home(), "bin", "catalina.sh"): "apt-get install tomcat10-common"} {
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("%v: %s brings it", err, bring)
		}
	}
	bin := t.TempDir()
	if said, err := exec.Command("go", "build", "-race", "-o", bin, "usher/cmd/usher").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}
	s := newSite(t, bin)
	for _, promise := range []struct {
		name string
		keep func(*site)
	}{
		{"a_session_stays_by_its_cookie", (*site).staysByCookie},
		{"a_session_stays_by_its_url", (*site).staysByURL},
		{"redirects_come_back_to_the_public_address", (*site).redirectsComeBack},
		{"a_login_stays_and_comes_back", (*site).loginComesBack},
		{"two_applications_keep_their_nodes_in_one_browser", (*site).applicationsKeepTheirNodes},
		{"a_draining_node_keeps_its_sessions_and_gets_no_others", (*site).drains},
		{"a_killed_node_fails_nobody_and_comes_back", (*site).killed},
	} {
		t.Run(promise.name, func(t *testing.T) {
			inner := *s
			inner.t = t
			promise.keep(&inner)
		})
	}
}

const sessions, requests = 50, 10

// staysByCookie makes all requests to one front of each connector.
func (s *site) staysByCookie() {
	for _, f := range s.fronts {
		all := s.browsers(f, sessions, true)
		wrong := together(all, func(b *browser) error { return stays(b, func(page) string { return f.app }) })
		s.mustBeRight(f.name, wrong)
		s.onBoth(f)
	}
}

func (s *site) staysByURL() {
	for _, f := range s.fronts {
		wrong := together(s.browsers(f, sessions, false), func(b *browser) error { return stays(b, page.follow) })
		s.mustBeRight(f.name, wrong)
	}
}

// stays opens a session and asks again and again, for what a page leads to.
func stays(b *browser, next func(page) string) error {
	last, err := b.get(b.front.app)
	for range requests - 1 {
		if err != nil || !pause(context.Background()) {
			return err
		}
		if b.client.Jar == nil && !strings.Contains(last.Next, ";jsessionid="+last.Session) {
			return fmt.Errorf("a link for a client without cookies is %q", last.Next)
		}
		var now page
		if now, err = b.get(next(last)); err == nil && last.holds(now) != "" {
			return errors.New(last.holds(now))
		}
		last = now
	}
	return err
}

func (s *site) mustBeRight(what string, wrong []error) {
	s.t.Helper()
	if len(wrong) > 0 {
		s.t.Errorf("%s: %d are wrong:\n%v", what, len(wrong), errors.Join(wrong[:min(3, len(wrong))]...))
	}
}

// onBoth demands that new sessions go to both nodes.
func (s *site) onBoth(f *front) time.Duration {
	s.t.Helper()
	return until(s.t, "new sessions on both nodes", func() bool { return len(s.newSessions(f, 10)) == 2 })
}

// newSessions counts the new sessions of each node.
func (s *site) newSessions(f *front, n int) map[string]int {
	s.t.Helper()
	on := map[string]int{}
	for _, b := range s.browsers(f, n, true) {
		p, err := b.get(f.app)
		must(s.t, err)
		on[p.Node]++
	}
	return on
}

// redirectsComeBack looks at each step, with cookies and with the session in the
// URL: a page's own redirect, and Tomcat's to the folder, which it makes before any
// valve has read X-Forwarded-Proto.
func (s *site) redirectsComeBack() {
	for _, f := range s.fronts {
		paths := map[string]string{f.app + "go.jsp": f.app + "index.jsp?from=go"}
		if f.app != "/told/" {
			paths["/shop"], paths["/go.jsp"] = "/shop/", "/index.jsp?from=go"
		}
		for from, to := range paths {
			for _, cookies := range []bool{true, false} {
				steps, err := s.browsers(f, 1, cookies)[0].steps(from)
				if err != nil || len(steps) != 1 || withoutSession(steps[0]) != f.url(to) {
					s.t.Errorf("%s, cookies %t: from %s by %q (%v), want %s", f.name, cookies, from, steps, err, f.url(to))
				}
			}
		}
	}
}

// steps are the redirects on the way to a page.
func (b *browser) steps(from string) (steps []string, err error) {
	b.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		steps = append(steps, r.Response.Header.Get("Location"))
		return nil
	}
	_, err = b.get(from)
	return steps, err
}

func withoutSession(location string) string {
	before, after, found := strings.Cut(location, ";jsessionid=")
	if !found {
		return location
	}
	if i := strings.Index(after, "?"); i >= 0 {
		return before + after[i:]
	}
	return before
}

// loginComesBack logs in by a form: Tomcat remembers on one node what was asked
// for, changes the session's id, and redirects to it.
func (s *site) loginComesBack() {
	for _, f := range s.fronts {
		for _, cookies := range []bool{true, false} {
			wrong := together(s.browsers(f, 10, cookies), logsIn)
			s.mustBeRight(fmt.Sprintf("%s, cookies %t", f.name, cookies), wrong)
		}
	}
}

func logsIn(b *browser) error {
	form, err := b.get(b.front.app + "private.jsp")
	if err != nil || form.Page != "login" {
		return fmt.Errorf("the form: %+v, %w", form, err)
	}
	in, err := b.post(form.follow(), url.Values{"j_username": {"bob"}, "j_password": {"builder"}})
	switch {
	case err != nil || in.Page != "private" || in.User != "bob":
		return fmt.Errorf("the page: %+v, %w", in, err)
	case in.Node != form.Node || in.Session == form.Session || routeOf(in.Session) != in.Node:
		return fmt.Errorf("the session %s of %s became %s of %s", form.Session, form.Node, in.Session, in.Node)
	case in.URL.Host != fmt.Sprintf("localhost:%d", b.front.port) || withoutSession(in.URL.Path) != b.front.app+"private.jsp":
		return fmt.Errorf("it was found at %s", in.URL)
	}
	return nil
}

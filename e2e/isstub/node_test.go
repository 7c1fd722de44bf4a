package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
)

func ask(t *testing.T, h http.Handler, path string, cookies ...string) (*http.Response, visit) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for _, c := range cookies {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: c})
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var v visit
	_ = json.Unmarshal(w.Body.Bytes(), &v)
	return w.Result(), v
}

func TestASessionCarriesTheRouteAndIsCounted(t *testing.T) {
	n := newNode("isNode1")
	resp, first := ask(t, n, "/?json")
	cookie := resp.Cookies()[0]
	if !regexp.MustCompile(`^[0-9A-F]{32}\.isNode1$`).MatchString(cookie.Value) || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" {
		t.Errorf("cookie %v", cookie)
	}
	if !first.New || first.Count != 1 || resp.Header.Get("X-Node") != "isNode1" {
		t.Errorf("first visit %+v", first)
	}
	resp, second := ask(t, n, "/?json", cookie.Value)
	if second.New || second.Count != 2 || len(resp.Cookies()) > 0 {
		t.Errorf("second visit %+v, cookies %v", second, resp.Cookies())
	}
	if _, third := ask(t, n, "/x;jsessionid="+cookie.Value+"?json"); third.Count != 3 {
		t.Errorf("by path %+v", third)
	}
}

func TestAStrangersSessionIsBegunAnew(t *testing.T) {
	resp, v := ask(t, newNode("isNode2"), "/?json", "0123456789ABCDEF0123456789ABCDEF.isNode1")
	if !v.New || len(resp.Cookies()) != 1 {
		t.Errorf("%+v, cookies %v", v, resp.Cookies())
	}
}

func TestPagesAnswerAsTheyShould(t *testing.T) {
	n := newNode("isNode1")
	for path, want := range map[string]int{
		"/": 200, "/health": 200, "/api/health-check/v1.0/health": 200, "/headers": 200,
		"/status/503": 503, "/big?bytes=10": 200, "/slow?ms=1": 200, "/carbon/admin/": 200, "/stats": 200,
	} {
		if resp, _ := ask(t, n, path); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}

func TestTheConsoleRedirectsToTheNodeItself(t *testing.T) {
	s := httptest.NewServer(newNode("isNode1"))
	defer s.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(s.URL + "/carbon/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if got := resp.Header.Get("Location"); !regexp.MustCompile(`^https://localhost:\d+/carbon/admin/$`).MatchString(got) {
		t.Errorf("Location %q", got)
	}
}

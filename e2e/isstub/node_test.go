package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
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

// post sends a body of a media type, and takes an answer of another.
func post(t *testing.T, h http.Handler, path, mediaType, accepted, body string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", mediaType)
	r.Header.Set("Accept", accepted)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), w.Body.String()
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
	if _, fourth := ask(t, n, "/x?json&q=;jsessionid="+cookie.Value); !fourth.New {
		t.Errorf("by query %+v", fourth)
	}
}

func TestAStrangersSessionIsBegunAnew(t *testing.T) {
	resp, v := ask(t, newNode("isNode2"), "/?json", "0123456789ABCDEF0123456789ABCDEF.isNode1")
	if !v.New || len(resp.Cookies()) != 1 {
		t.Errorf("%+v, cookies %v", v, resp.Cookies())
	}
}

func TestAWebApplicationHasSessionsOfItsOwn(t *testing.T) {
	n := newNode("isNode1")
	of := map[string]string{}
	for path, want := range map[string]string{
		"/authenticationendpoint/x": "/authenticationendpoint", "/oauth2": "/oauth2", "/oauth2x": "/", "/carbon/admin/": "/", "/commonauth2": "/",
	} {
		resp, _ := ask(t, n, path+"?json")
		cookie := resp.Cookies()[0]
		if cookie.Path != want {
			t.Errorf("%s: a cookie for %q, want %q", path, cookie.Path, want)
		}
		of[want] = cookie.Value
	}
	if _, v := ask(t, n, "/oauth2?json", of["/"]); !v.New {
		t.Error("one web application knows another's session")
	}
	if _, v := ask(t, n, "/oauth2?json", of["/"], "x.isNode1", of["/oauth2"]); v.New {
		t.Error("of several cookies the one that is known does not count")
	}
}

func TestTheOldestSessionMakesRoom(t *testing.T) {
	s := newShelf[string, int](2)
	for i, key := range []string{"a", "b", "c"} {
		s.add(key, i)
	}
	if _, kept := s.of["a"]; kept || len(s.of) != 2 || len(s.order) != 2 {
		t.Errorf("%+v", s)
	}
}

func TestPagesAnswerAsTheyShould(t *testing.T) {
	n := newNode("isNode1")
	for path, want := range map[string]int{
		"/": 200, "/health": 200, "/api/health-check/v1.0/health": 200, "/headers": 200, "/a;x=y/../headers;z": 200,
		"/status/503": 503, "/big?bytes=10": 200, "/slow?ms=1": 200, "/carbon/admin/": 200, "/carbon;x/admin/;y": 200, "/stats": 200, "/stub": 200,
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

func TestWhatReachedTheNodeIsShownAsItCame(t *testing.T) {
	_, body := post(t, newNode("isNode1"), "/headers;v=1/%2e?q=%2f&r", "text/plain", "", "12345")
	var seen struct {
		Method, URI, Query, Host, Proto, Remote string
		Bytes                                   int
		Headers                                 http.Header
	}
	if err := json.Unmarshal([]byte(body), &seen); err != nil {
		t.Fatal(err)
	}
	if seen.Method != "POST" || seen.URI != "/headers;v=1/%2e?q=%2f&r" || seen.Query != "q=%2f&r" || seen.Host != "example.com" ||
		seen.Proto != "HTTP/1.1" || seen.Remote == "" || seen.Bytes != 5 || seen.Headers.Get("Content-Type") != "text/plain" {
		t.Errorf("%+v", seen)
	}
}

func TestTheManualIsThePackageComment(t *testing.T) {
	text := manual()
	if !strings.HasPrefix(text, "Command isstub is") || !strings.Contains(text, "\n/stub ") || strings.Contains(text, "//") || strings.Contains(text, "package main") {
		t.Errorf("manual:\n%s", text)
	}
}

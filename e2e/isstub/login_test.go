package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// browser has cookies and follows nothing by itself.
func browser(t *testing.T, s *httptest.Server) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := *s.Client()
	c.Jar = jar
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// step is one of a login; it returns where to go next.
func step(t *testing.T, c *http.Client, s *httptest.Server, path string, form url.Values) (next string, status int) {
	t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequest(method, s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.Header.Get("Location"), resp.StatusCode
}

func TestALoginSucceedsOnOneNode(t *testing.T) {
	s := httptest.NewTLSServer(newNode("isNode1"))
	defer s.Close()
	c := browser(t, s)
	next, _ := step(t, c, s, "/oauth2/authorize?state=xyz&redirect_uri=https://app.example.org/back", nil)
	if !regexp.MustCompile(`^/authenticationendpoint/login.do\?sessionDataKey=[0-9A-F]{32}$`).MatchString(next) {
		t.Fatalf("to %q", next)
	}
	key := next[len(next)-32:]
	if _, status := step(t, c, s, next, nil); status != 200 {
		t.Fatalf("the page: %d", status)
	}
	next, _ = step(t, c, s, "/commonauth", url.Values{"sessionDataKey": {key}, "username": {"bob"}})
	if next != "/oauth2/authorize?sessionDataKey="+key {
		t.Fatalf("to %q", next)
	}
	after, _ := step(t, c, s, next, nil)
	if !regexp.MustCompile(`^https://app.example.org/back\?code=[0-9A-F]{32}&state=xyz$`).MatchString(after) {
		t.Fatalf("to %q", after)
	}
	if _, status := step(t, c, s, next, nil); status != 400 {
		t.Errorf("a second time: %d", status)
	}
	for path, want := range map[string]int{"/oauth2/x": 2, "/authenticationendpoint/x": 2, "/": 2} { // JSESSIONID of the path, commonAuthId or JSESSIONID of /
		u, _ := url.Parse(s.URL + path)
		if got := c.Jar.Cookies(u); len(got) < want {
			t.Errorf("%s gets the cookies %v", path, got)
		}
	}
}

func TestALoginFailsWhereAStepComesToAnotherNode(t *testing.T) {
	s := httptest.NewTLSServer(newNode("isNode1"))
	defer s.Close()
	other := httptest.NewTLSServer(newNode("isNode2"))
	defer other.Close()
	c := browser(t, s)
	next, _ := step(t, c, s, "/oauth2/authorize", nil)
	key := next[len(next)-32:]
	form := url.Values{"sessionDataKey": {key}, "username": {"bob"}}
	if _, status := step(t, browser(t, other), other, next, nil); status != 400 {
		t.Errorf("the page: %d", status)
	}
	if _, status := step(t, browser(t, other), other, "/commonauth", form); status != 400 {
		t.Errorf("the name: %d", status)
	}
	if _, status := step(t, c, s, "/oauth2/authorize?sessionDataKey="+key, nil); status != 400 {
		t.Errorf("before the name: %d", status)
	}
	if _, status := step(t, c, s, "/commonauth", form); status != 302 {
		t.Errorf("the name, where it belongs: %d", status)
	}
	if _, status := step(t, browser(t, other), other, "/oauth2/authorize?sessionDataKey="+key, nil); status != 400 {
		t.Errorf("the end: %d", status)
	}
	if _, status := step(t, c, s, "/oauth2/authorize?sessionDataKey="+key, nil); status != 200 {
		t.Errorf("the end, where it belongs: %d", status)
	}
}

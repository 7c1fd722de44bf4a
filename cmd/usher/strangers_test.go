package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"usher/cmd/usher/api"
	"usher/cmd/usher/login"
)

// asksOnly are resources of which a POST changes nothing.
var asksOnly = map[string]bool{"/api/v1/explain": true, "/api/v1/file/preview": true}

func (s *consoleOf) token(role login.Role) (token string) {
	s.t.Helper()
	if err := login.Change(s.usersFile(""), func(f *login.File) (err error) {
		token, err = f.AddToken(role.String(), role, time.Time{})
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return token
}

func TestNoResourceIsOpenToWhomItIsNot(t *testing.T) {
	s := serve(t, "--console", "0.0.0.0:0")
	viewer, operator := s.token(login.Viewer), s.token(login.Operator)
	for _, pattern := range api.Patterns() {
		method, path, _ := strings.Cut(strings.ReplaceAll(pattern, "{id}", "1"), " ")
		changes := method != http.MethodGet && !asksOnly[path]
		for who, c := range map[string]struct {
			headers []string
			want    func(code int) bool
		}{
			"a stranger":            {nil, func(code int) bool { return code == 401 || method != http.MethodGet && code == 403 }},
			"a wrong token":         {[]string{"Authorization", "Bearer x"}, func(code int) bool { return code == 401 }},
			"a viewer":              {[]string{"Authorization", "Bearer " + viewer}, func(code int) bool { return (code == 403) == changes && code != 401 }},
			"an operator":           {[]string{"Authorization", "Bearer " + operator}, func(code int) bool { return code != 401 && code != 403 }},
			"a page somewhere else": {[]string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, func(code int) bool { return code == 401 || code == 403 }},
		} {
			if code, text, _ := s.ask(method, path, "", append(c.headers, "Content-Type", "application/json")...); !c.want(code) {
				t.Errorf("%s %s for %s: %d %s", method, path, who, code, text)
			}
		}
	}
}

func TestASessionIsNoWayInForOtherPages(t *testing.T) {
	s := serve(t, "--console", "127.0.0.1:0")
	if code, text, _ := s.ask("GET", strings.TrimPrefix(s.link(), s.url), ""); code != 200 {
		t.Fatal(code, text)
	}
	for _, pattern := range api.Patterns() {
		method, path, _ := strings.Cut(strings.ReplaceAll(pattern, "{id}", "1"), " ")
		if method == http.MethodGet {
			continue
		}
		for _, headers := range [][]string{
			{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
			{"Origin", "https://evil.example"},
			{"Sec-Fetch-Site", "same-origin"}, // without the session's token
		} {
			if code, text, _ := s.ask(method, path, "{}", headers...); code != 403 {
				t.Errorf("%s %s with %v: %d %s", method, path, headers, code, text)
			}
		}
	}
}

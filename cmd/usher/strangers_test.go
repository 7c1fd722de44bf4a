package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/cmd/usher/api"
	"usher/cmd/usher/console"
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

func TestNoPageIsOpenToWhomItIsNot(t *testing.T) {
	s := serve(t, "--console", "0.0.0.0:0")
	viewer, operator := s.token(login.Viewer), s.token(login.Operator)
	looks, changes := console.Patterns()
	for _, pattern := range append(looks, changes...) {
		method, path, _ := strings.Cut(strings.NewReplacer("{$}", "", "{id}", "1", "{name}", "console.css").Replace(pattern), " ")
		for who, c := range map[string]struct {
			token string
			lets  bool
		}{"a stranger": {"", false}, "a viewer": {viewer, slices.Contains(looks, pattern)}, "an operator": {operator, true}} {
			var headers []string
			if c.token != "" {
				headers = []string{"Authorization", "Bearer " + c.token}
			}
			code, text, _ := s.ask(method, path, "", headers...)
			if lets := code != 401 && code != 403 && code != 303; lets != c.lets {
				t.Errorf("%s for %s: %d %.200s", pattern, who, code, text)
			}
		}
		if code, text, _ := s.ask(method, path, "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); code < 300 {
			t.Errorf("%s for a page somewhere else: %d %.200s", pattern, code, text)
		}
	}
}

func TestASessionIsNoWayInForOtherPages(t *testing.T) {
	s := serve(t, "--console", "127.0.0.1:0")
	if code, text, _ := s.ask("GET", strings.TrimPrefix(s.link(), s.url), ""); code != 200 {
		t.Fatal(code, text)
	}
	_, forms := console.Patterns()
	for _, pattern := range append(api.Patterns(), forms...) {
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

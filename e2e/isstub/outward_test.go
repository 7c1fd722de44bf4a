package main

import (
	"net/url"
	"testing"
)

func TestARedirectSaysWhatItIsTold(t *testing.T) {
	n := newNode("isNode1")
	const to = "https://localhost:9443/carbon/?a=b&c"
	for _, c := range []struct {
		more, header, want string
		status             int
	}{
		{"", "Location", to, 302},
		{"&status=307", "Location", to, 307},
		{"&status=201", "Location", to, 201},
		{"&header=Content-Location", "Content-Location", to, 200},
		{"&header=URI", "URI", to, 200},
		{"&header=Destination", "Destination", to, 200},
		{"&header=Refresh", "Refresh", "0; url=" + to, 200},
		{"&header=Link&status=203", "Link", "<" + to + `>; rel="next"`, 203},
	} {
		resp, _ := ask(t, n, "/redirect?to="+url.QueryEscape(to)+c.more)
		if got := resp.Header.Get(c.header); got != c.want || resp.StatusCode != c.status {
			t.Errorf("%s: %d %q, want %d %q", c.more, resp.StatusCode, got, c.status, c.want)
		}
	}
	for _, wrong := range []string{"", "to=/&header=Set-Cookie", "to=/&status=99", "to=/&status=x"} {
		if resp, _ := ask(t, n, "/redirect?"+wrong); resp.StatusCode != 400 {
			t.Errorf("%q: %d", wrong, resp.StatusCode)
		}
	}
}

func TestACookieHasTheAttributesThatAreAskedFor(t *testing.T) {
	n := newNode("isNode1")
	for query, want := range map[string]string{
		"":                                   "stub=isNode1",
		"name=A&value=b":                     "A=b",
		"path=/is/&domain=is1.internal":      "stub=isNode1; Path=/is/; Domain=is1.internal",
		"domain=localhost&value=x&name=JSID": "JSID=x; Domain=localhost",
	} {
		if resp, _ := ask(t, n, "/setcookie?"+query); resp.Header.Get("Set-Cookie") != want {
			t.Errorf("%q: %q, want %q", query, resp.Header.Get("Set-Cookie"), want)
		}
	}
}

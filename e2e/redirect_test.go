package e2e

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestPlainHTTPIsSentToHTTPS(t *testing.T) {
	s := newIdleSite(t, 1, file{})
	plain, published := freePort(t), freePort(t)
	s.file.more = fmt.Sprintf("  - {name: http, address: \"127.0.0.1:%d\", redirect: https}\n", plain) +
		fmt.Sprintf("  - {name: published, address: \"127.0.0.1:%d\", redirect: https, redirect_port: 443}\n", published)
	s.save(s.text(s.file))
	s.run()
	for _, c := range []struct {
		method, host, path string
		port, status       int
		want               string
	}{
		{"GET", "localhost", "/carbon/a%20b;x=y?q=1&r=%2f#no", plain, 301, "https://localhost:%d/carbon/a%20b;x=y?q=1&r=%2f"},
		{"HEAD", "localhost:8080", "/", plain, 301, "https://localhost:%d/"},
		{"POST", "localhost", "/oauth2/token", plain, 308, "https://localhost:%d/oauth2/token"},
		{"DELETE", "[::1]:80", "/x", plain, 308, "https://[::1]:%d/x"},
		{"GET", "is.example.org", "/", published, 301, "https://is.example.org/"},
		{"PUT", "[::1]:80", "/", published, 308, "https://[::1]/"},
		{"GET", "is.example.org:8080", "/", published, 301, "https://is.example.org:443/"},
	} {
		req, _ := http.NewRequest(c.method, fmt.Sprintf("http://localhost:%d%s", c.port, c.path), strings.NewReader(""))
		req.Host = c.host
		req.Header.Set("X-Forwarded-Host", "elsewhere.example.org")
		req.Header.Set("X-Forwarded-Proto", "https")
		resp, err := s.reaching(c.port, false, &tls.Config{}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		want := strings.ReplaceAll(c.want, "%d", fmt.Sprint(s.port))
		if got := resp.Header.Get("Location"); resp.StatusCode != c.status || got != want {
			t.Errorf("%s %s of %s: %d to %q, want %d to %q", c.method, c.path, c.host, resp.StatusCode, got, c.status, want)
		}
	}
	u := fmt.Sprintf("http://localhost:%d/", plain)
	client := s.reaching(s.port, false, &tls.Config{})
	client.Transport.(*http.Transport).DialContext = nil
	client.CheckRedirect = nil
	if resp, err := client.Get(u); err != nil || resp.StatusCode != 200 || resp.Header.Get("X-Node") == "" {
		t.Errorf("followed: %v, %v", resp, err)
	}
}

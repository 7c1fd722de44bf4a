package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestALongPollAnswersLater(t *testing.T) {
	began := time.Now()
	resp, _ := ask(t, newNode("isNode1"), "/poll?ms=40")
	var waited struct {
		MS int `json:"waited_ms"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&waited); err != nil || time.Since(began) < 40*time.Millisecond || waited.MS < 40 {
		t.Errorf("%+v after %s, %v", waited, time.Since(began), err)
	}
	resp, _ = ask(t, newNode("isNode1"), "/poll?ms=100&every=10")
	if body, _ := io.ReadAll(resp.Body); len(body) == 0 || strings.ReplaceAll(string(body), "isNode1\n", "") != "" {
		t.Errorf("lines: %q", body)
	}
}

func TestTrailersGoBothWays(t *testing.T) {
	s := httptest.NewServer(newNode("isNode1"))
	defer s.Close()
	req, _ := http.NewRequest(http.MethodPost, s.URL+"/trailers", struct{ io.Reader }{strings.NewReader("12345")})
	req.Trailer = http.Header{"X-Sum": {"42"}}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, _ := io.ReadAll(resp.Body)
	if !strings.Contains(string(body), `"trailers":{"X-Sum":["42"]}`) {
		t.Errorf("the node got %s", body)
	}
	if resp.Trailer.Get("X-Trailer-Node") != "isNode1" || resp.Trailer.Get("X-Trailer-Bytes") != "5" {
		t.Errorf("the client got %v", resp.Trailer)
	}
}

// dialogue sends the head of a request and reads the answer's first line, and its
// body where there is an interim answer.
func dialogue(t *testing.T, s *httptest.Server, path string) (first, last string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // it is over
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", path)
	from := bufio.NewReader(conn)
	first, _ = from.ReadString('\n')
	if strings.Contains(first, " 100 ") {
		_, _ = io.WriteString(conn, "body")
	}
	rest, _ := io.ReadAll(from)
	return strings.TrimSpace(first), string(rest)
}

func TestABodyIsLetInOrRefusedUnread(t *testing.T) {
	s := httptest.NewServer(newNode("isNode1"))
	defer s.Close()
	if first, last := dialogue(t, s, "/continue"); first != "HTTP/1.1 100 Continue" || !strings.Contains(last, `"bytes":4`) {
		t.Errorf("%s ... %s", first, last)
	}
	for path, want := range map[string]string{
		"/continue?refuse=413": "HTTP/1.1 413 Request Entity Too Large", "/continue?refuse=417": "HTTP/1.1 417 Expectation Failed",
	} {
		if first, last := dialogue(t, s, path); first != want || !strings.Contains(last, "Connection: close") {
			t.Errorf("%s: %s ... %s", path, first, last)
		}
	}
}

func TestEveryLineIsAnsweredWithTheNodesName(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- newNode("isNode1").lines(lis) }()
	conn, err := net.Dial("tcp", lis.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // it is over
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	from := bufio.NewReader(conn)
	for _, line := range []string{"bind", "", "search a=b"} {
		_, _ = fmt.Fprintf(conn, "%s\n", line)
		if got, err := from.ReadString('\n'); got != "isNode1 "+line+"\n" {
			t.Errorf("%q: %q, %v", line, got, err)
		}
	}
	_ = lis.Close()
	if err := <-ended; err == nil {
		t.Error("it ends without a word")
	}
}

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// tell changes how a node behaves.
func tell(t *testing.T, n *node, query string, want int) {
	t.Helper()
	if resp, body := post(t, n, "/stub?"+query, "", "", ""); resp.StatusCode != want {
		t.Fatalf("%s: %d, %s", query, resp.StatusCode, body)
	}
}

func TestHealthIsAsTheNodeIsTold(t *testing.T) {
	for _, c := range []struct {
		health, path string
		status       int
		body         string
	}{
		{"ok", healthAPI, 200, `"health":[{"key":"nodeId","value":"isNode1"}]`},
		{"ok", healthPage, 200, `"health":`},
		{"failing", healthAPI, 503, `"errors":[{"code":"HC_00001",`},
		{"failing", healthPage, 503, `"errors":`},
		{"off", healthAPI, 200, ""},
		{"off", healthPage, 200, `"health":`},
		{"drain", healthAPI, 404, "drained"},
		{"drain", healthPage, 404, "drained"},
	} {
		n := newNode("isNode1")
		tell(t, n, "health="+c.health, 200)
		w := httptest.NewRecorder()
		n.ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, nil))
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) || c.body == "" && w.Body.Len() > 0 {
			t.Errorf("%s of %s: %d %q", c.health, c.path, w.Code, w.Body)
		}
	}
}

func TestANodeAsksByAHeaderToBeDrained(t *testing.T) {
	n := newNode("isNode1")
	tell(t, n, "drain_header=X-Drain", 200)
	if resp, _ := ask(t, n, healthAPI); resp.StatusCode != 200 || resp.Header.Get("X-Drain") != "true" {
		t.Errorf("%d, %v", resp.StatusCode, resp.Header)
	}
	tell(t, n, "drain_header=", 200)
	if resp, _ := ask(t, n, healthAPI); resp.Header.Get("X-Drain") != "" {
		t.Errorf("%v", resp.Header)
	}
}

func TestFaultsAreSwitchedOnAndOff(t *testing.T) {
	n := newNode("isNode1")
	tell(t, n, "fail=503&delay=300ms", 200)
	began := time.Now()
	if resp, _ := ask(t, n, "/"); resp.StatusCode != 503 || resp.Header.Get("X-Node") != "isNode1" || time.Since(began) < 300*time.Millisecond {
		t.Errorf("%d after %s", resp.StatusCode, time.Since(began))
	}
	began = time.Now()
	for _, path := range []string{healthAPI, healthPage, control} {
		if resp, _ := ask(t, n, path); resp.StatusCode != 200 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	tell(t, n, "fail=0&delay=0", 200)
	if resp, _ := ask(t, n, "/"); resp.StatusCode != 200 || time.Since(began) >= 300*time.Millisecond {
		t.Errorf("%d after %s", resp.StatusCode, time.Since(began))
	}
}

func TestANodeResetsConnections(t *testing.T) {
	n := newNode("isNode1")
	s := httptest.NewTLSServer(n)
	defer s.Close()
	tell(t, n, "reset=true", 200)
	if resp, err := s.Client().Post(s.URL, "", nil); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("%v, %v", resp, err)
	}
	if resp, err := s.Client().Get(s.URL + healthAPI); err != nil || resp.StatusCode != 200 {
		t.Errorf("health: %v, %v", resp, err)
	}
}

func TestAWrongWordChangesNothing(t *testing.T) {
	n := newNode("isNode1")
	tell(t, n, "health=drain&fail=502", 200)
	for _, wrong := range []string{"health=bad", "fail=7", "fail=x", "delay=5", "reset=perhaps", "heath=ok", "health=ok&nothing=1"} {
		tell(t, n, wrong, 400)
	}
	resp, _ := ask(t, n, control)
	var state struct {
		Health, Delay string
		Fail          int
		Reset         bool
	}
	if err := json.NewDecoder(resp.Body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	if state.Health != "drain" || state.Fail != 502 || state.Reset || state.Delay != "0s" {
		t.Errorf("%+v", state)
	}
}

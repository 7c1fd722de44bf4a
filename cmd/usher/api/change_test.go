package api

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/cmd/usher/desk"
	"usher/model"
)

const cluster = `listeners:
  - {name: http, address: 127.0.0.1:8080, routes: [{path: /, pool: app}]}
pools:
  - name: app
    nodes: # two of them
      - {name: a, address: 127.0.0.1:9001} # the first
      - {name: b, address: 127.0.0.1:9002}
`

func atDesk(t *testing.T) (b *balancer, config string) {
	t.Helper()
	config = filepath.Join(t.TempDir(), "cluster.yaml")
	if err := os.WriteFile(config, []byte(cluster), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(_ context.Context, text []byte) (*model.Cluster, model.Problems) {
		return model.Parse(config, text)
	}
	return &balancer{desk: desk.New(config, t.TempDir(), check)}, config
}

func TestTheFileIsChanged(t *testing.T) {
	b, config := atDesk(t)
	ask(t, b, "GET", "/figures", "")
	var f File
	_ = json.NewDecoder(ask(t, b, "GET", "/file", "").Body).Decode(&f)
	if f.Text != cluster || f.Hash == "" {
		t.Fatalf("%+v", f)
	}
	drain := `{"base": "` + f.Hash + `", "edits": [{"op": "set", "pool": "app", "node": "a", "key": "state", "value": "drain"}, {"op": "add", "pool": "app", "node": "c", "address": "127.0.0.1:9003"}, {"op": "remove", "pool": "app", "node": "b"}]}`
	var p desk.Preview
	_ = json.NewDecoder(ask(t, b, "POST", "/file/preview", drain).Body).Decode(&p)
	if len(p.Changes) != 3 || !strings.Contains(p.Diff, "state: drain") {
		t.Errorf("%+v", p)
	}
	if text, _ := os.ReadFile(config); string(text) != cluster {
		t.Error("a preview saves")
	}
	if resp := ask(t, b, "PUT", "/file", drain); resp.StatusCode != 200 {
		t.Fatal(resp.Status)
	}
	const want = `      - {name: a, address: 127.0.0.1:9001, state: drain} # the first
      - {name: c, address: 127.0.0.1:9003}
`
	if text, _ := os.ReadFile(config); !strings.HasSuffix(string(text), "nodes: # two of them\n"+want) {
		t.Errorf("the file is\n%s", text)
	}
	if resp := ask(t, b, "PUT", "/file", drain); resp.StatusCode != 409 {
		t.Errorf("with an old base: %s", resp.Status)
	}
	for path, want := range map[string]int{"/history": 200, "/history/1": 200, "/history/9": 404, "/history/1/undo": 200} {
		if resp := ask(t, b, "GET", path, ""); resp.StatusCode != want {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	if resp := ask(t, b, "POST", "/history/1/undo", ""); resp.StatusCode != 200 {
		t.Errorf("undo: %s", resp.Status)
	}
	if text, _ := os.ReadFile(config); string(text) != cluster {
		t.Errorf("after undo the file is\n%s", text)
	}
	if resp := ask(t, b, "POST", "/history/1/undo", ""); resp.StatusCode != 422 {
		t.Errorf("undo once more: %s", resp.Status)
	}
}

func TestAChangeThatWouldBeAFaultIsRefused(t *testing.T) {
	b, config := atDesk(t)
	base := desk.Hash([]byte(cluster))
	for body, want := range map[string]int{
		`{"base": "` + base + `", "edits": [{"op": "set", "pool": "app", "node": "a", "key": "weight", "value": "0"}]}`: 422,
		`{"base": "` + base + `", "text": "listeners: []"}`:                                                             422,
		`{"base": "` + base + `", "edits": [{"op": "set", "pool": "app", "node": "z", "key": "weight", "value": "1"}]}`: 422,
		`{"base": "` + base + `", "edits": [{"op": "turn", "pool": "app", "node": "a"}]}`:                               400,
		`{"base": "` + base + `", "edits": [{"op": "add", "pool": "app", "node": "a", "address": "nowhere"}]}`:          400,
		`{"base": "` + base + `"}`:                                  400,
		`{"edits": [{"op": "remove", "pool": "app", "node": "a"}]}`: 400,
		`{"base": "old", "text": "x"}`:                              409,
	} {
		if resp := ask(t, b, "PUT", "/file", body); resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", body, resp.Status, want)
		}
	}
	if text, _ := os.ReadFile(config); string(text) != cluster {
		t.Errorf("the file is\n%s", text)
	}
}

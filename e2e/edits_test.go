package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/cmd/usher/api"
	"usher/model"
)

// tell puts a change to the API, on the socket.
func (s *site) tell(c api.Change) (status int, said string) {
	s.t.Helper()
	body, err := json.Marshal(c)
	if err != nil {
		s.t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(s.state(), "usher.sock"))
	}}}
	req, _ := http.NewRequest(http.MethodPut, "http://usher/api/v1/file", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	var b bytes.Buffer
	_, _ = b.ReadFrom(resp.Body)
	return resp.StatusCode, b.String()
}

// randomEdit is one change of the nodes n0 to n9 of the pool.
func randomEdit(random *rand.Rand) api.Edit {
	e := api.Edit{Pool: "identity", Node: fmt.Sprintf("n%d", random.IntN(10))}
	switch random.IntN(5) {
	case 0:
		e.Op, e.Address = "add", "192.0.2."+e.Node[1:]+":9443"
	case 1:
		e.Op = "remove"
	case 2:
		e.Op, e.Key, e.Value = "set", "weight", []string{"", "0.5", "1", "7", "100"}[random.IntN(5)]
	default:
		e.Op, e.Key, e.Value = "set", "state", []string{"", "active", "drain", "disabled", "standby"}[random.IntN(5)]
	}
	return e
}

// possible are those of the edits that can be made, one after the other.
func possible(all []api.Edit, c *model.Cluster) (some []api.Edit) {
	there := map[string]bool{}
	for _, n := range c.Pools[0].Nodes {
		there[n.Name] = true
	}
	for _, e := range all {
		if (e.Op == "add") == there[e.Node] {
			continue
		}
		there[e.Node] = e.Op != "remove"
		some = append(some, e)
	}
	return some
}

// mustRunTheFile holds what Envoy has against the file.
func (s *site) mustRunTheFile() {
	s.t.Helper()
	text := s.read()
	until(s.t, patience, "the file to be live", func() bool {
		st, ok := s.status()
		return ok && st.Accepted && st.ServedHash == hashOf([]byte(text))
	})
	c, _ := model.Parse("cluster.yaml", []byte(text))
	want := map[string]int{}
	for _, n := range c.Pools[0].Nodes {
		if n.State != model.Disabled {
			want[n.Address.String()] = int(math.Round(100 * float64(n.Weight)))
		}
	}
	var page struct {
		Clusters []struct {
			Name  string
			Hosts []struct {
				Address struct {
					Socket struct {
						Address string
						Port    int `json:"port_value"`
					} `json:"socket_address"`
				}
				Weight int
			} `json:"host_statuses"`
		} `json:"cluster_statuses"`
	}
	until(s.t, patience, "Envoy to have just these nodes", func() bool {
		if err := json.Unmarshal([]byte(s.admin("/clusters?format=json")), &page); err != nil {
			s.t.Fatal(err)
		}
		got := map[string]int{}
		for _, cluster := range page.Clusters {
			for _, h := range cluster.Hosts {
				if cluster.Name == "identity" {
					got[fmt.Sprintf("%s:%d", h.Address.Socket.Address, h.Address.Socket.Port)] = h.Weight
				}
			}
		}
		return maps.Equal(got, want)
	})
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func TestAfterAThousandEditsEnvoyRunsWhatTheFileSays(t *testing.T) {
	s := newSite(t, 2, file{})
	text := s.text(s.file)
	text = strings.Replace(text, "    nodes:\n", "    nodes: # who serves\n      # the first two are stubs\n", 1)
	s.save(text)
	comments := []string{"    nodes: # who serves\n", "      # the first two are stubs\n"}
	random := rand.New(rand.NewPCG(3, 4))
	made, refused, looked := 0, 0, 0
	for made < 1000 {
		before, err := os.ReadFile(s.config())
		if err != nil {
			t.Fatal(err)
		}
		c, problems := model.Parse("cluster.yaml", before)
		if len(problems) > 0 {
			t.Fatalf("after %d edits: %v\n%s", made, problems, before)
		}
		for _, comment := range comments {
			if !strings.Contains(string(before), comment) {
				t.Fatalf("after %d edits %q is lost:\n%s", made, comment, before)
			}
		}
		change := api.Change{Base: hashOf(before)}
		for range 12 {
			change.Edits = append(change.Edits, randomEdit(random))
		}
		change.Edits = possible(change.Edits, c)
		switch status, said := s.tell(change); status {
		case http.StatusOK:
			if made += len(change.Edits); made >= looked+200 {
				looked = made
				s.mustRunTheFile()
			}
		case http.StatusUnprocessableEntity, http.StatusBadRequest: // nothing changes
			refused++
		default:
			t.Fatalf("%d: %s", status, said)
		}
		if refused > 1000 {
			t.Fatal("nearly all are refused")
		}
	}
	t.Logf("%d edits, %d sets of them refused", made, refused)
	s.mustRunTheFile()
}

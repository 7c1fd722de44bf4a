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

// mustBeWhole says that a file has no faults and has lost no comment, after so many
// edits.
func mustBeWhole(t *testing.T, text string, edits int) *model.Cluster {
	t.Helper()
	c, problems := model.Parse("cluster.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatalf("after %d edits: %v\n%s", edits, problems, text)
	}
	for _, comment := range []string{"    nodes: # who serves\n", "      # the first two are stubs\n"} {
		if !strings.Contains(text, comment) {
			t.Fatalf("after %d edits %q is lost:\n%s", edits, comment, text)
		}
	}
	return c
}

func TestAfterAThousandEditsEnvoyRunsWhatTheFileSays(t *testing.T) {
	s := newSite(t, 2, file{})
	s.save(strings.Replace(s.text(s.file), "    nodes:\n", "    nodes: # who serves\n      # the first two are stubs\n", 1))
	b := s.browse()
	hands := []hand{s.byAPI, s.byVerb, func(all []api.Edit) (int, string) { return b.edit(s, all) }}
	names := []string{"API", "verbs", "console"}
	random := rand.New(rand.NewPCG(3, 4))
	made, refused, changes, looked := [3]int{}, [3]int{}, [3]int{}, 0
	for turn := 0; made[0]+made[1]+made[2] < 1000; turn++ {
		total := made[0] + made[1] + made[2]
		c := mustBeWhole(t, s.read(), total)
		var all []api.Edit
		for range 20 {
			all = append(all, randomEdit(random))
		}
		if all = possible(all, c); len(all) == 0 {
			continue
		}
		n, why := hands[turn%3](all)
		if made[turn%3] += n; n > 0 {
			changes[turn%3]++
		}
		if why != "" {
			refused[turn%3]++
		}
		if total >= looked+200 {
			looked = total
			s.mustRunTheFile()
		}
		if turn > 2000 {
			t.Fatalf("nearly all are refused, such as: %s", why)
		}
	}
	s.mustRunTheFile()
	mustBeWhole(t, s.read(), 1000)
	for i, name := range names {
		t.Logf("by %s: %d edits in %d changes, %d refused", name, made[i], changes[i], refused[i])
		if changes[i] < 10 {
			t.Errorf("by %s only %d changes were made", name, changes[i])
		}
	}
	said := s.must("history")
	for _, way := range []string{"(command)", "(console)", "(api)"} {
		if !strings.Contains(said, way) {
			t.Errorf("the history has no change by %s:\n%s", way, said)
		}
	}
}

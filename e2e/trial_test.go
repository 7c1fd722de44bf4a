package e2e

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	statussvc "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	"google.golang.org/grpc/credentials/insecure"
)

// clientStatus sums up what every Envoy has: its statuses, each once.
func (s *site) clientStatus(client statussvc.ClientStatusDiscoveryServiceClient) (all []string) {
	s.t.Helper()
	resp, err := client.FetchClientStatus(s.t.Context(), &statussvc.ClientStatusRequest{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range resp.GetConfig() {
		said := map[string]string{}
		for _, r := range c.GetGenericXdsConfigs() {
			said[r.GetClientStatus().String()] = r.GetName() + " " + r.GetErrorState().GetDetails()
		}
		all = append(all, fmt.Sprint(said))
	}
	return all
}

func TestWhatOneEnvoyRefusesTheOtherNeverSees(t *testing.T) {
	s := newIdleSite(t, 2, file{})
	s.startUsher("serve")
	until(t, patience, "serve", func() bool { st, ok := s.status(); return ok && st.Serving })
	var both [2]*process
	for i := range 2 {
		e := start(t, envoyPath(), "-c", filepath.Join(s.state(), "xds", "bootstrap.yaml"), "--disable-hot-restart",
			"--log-level", "warning", "--concurrency", "1", "--service-node", fmt.Sprintf("envoy-%d", i))
		t.Cleanup(e.kill)
		both[i] = e
		until(t, patience, "the Envoy to be led", func() bool { st, _ := s.status(); return st.Accepted && len(st.Envoys) == i+1 })
	}
	client := statussvc.NewClientStatusDiscoveryServiceClient(s.dial(insecure.NewCredentials()))
	lis, err := net.Listen("tcp", "127.0.0.1:0") // a port that somebody has: validation does not look
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close() //nolint:errcheck // the test ends
	f := s.file
	f.more = fmt.Sprintf("  - {name: taken, address: %q, routes: [{path: /, pool: identity}]}\n", lis.Addr())
	s.save(s.text(f))
	until(t, patience, "one to refuse, and what was accepted to be back", func() bool {
		st, _ := s.status()
		return len(st.Problems) == 1 && st.Problems[0].Line == 8 && st.Source == "last accepted file"
	})
	if asked := strings.Contains(both[0].output(), "cannot bind"); !asked || strings.Contains(both[1].output(), "cannot bind") {
		t.Errorf("the first Envoy said:\n%s\nand the second:\n%s", both[0].output(), both[1].output())
	}
	s.always("isNode2", "/", "JSESSIONID=ABC.isNode2")
	s.save(string(s.denying("/next")))
	until(t, patience, "both to have the next", func() bool {
		st, _ := s.status()
		return st.Accepted && st.Source == "file" && !strings.Contains(strings.Join(s.clientStatus(client), ""), "NACKED")
	})
}

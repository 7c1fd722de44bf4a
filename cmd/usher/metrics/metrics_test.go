package metrics

import (
	"context"
	"flag"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"usher/cmd/usher/figures"
	"usher/cmd/usher/status"
	"usher/envoy"
	"usher/model"
	"usher/xds"
)

var update = flag.Bool("update", false, "rewrite the README's table")

// everything is a scrape in which every metric has something to tell.
func everything(t *testing.T) Sources {
	t.Helper()
	w := figures.New(figures.Only(envoy.Admin{Socket: admin(t)}), theStatus)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go w.Run(ctx)
	own := NewOwn()
	own.Live(300 * time.Millisecond)
	return Sources{
		Status: theStatus, Figures: w, Own: own,
		Counts: func() map[string]xds.Count { return map[string]xds.Count{"routes": {Pushed: 3, Refused: 1}} },
	}
}

func theStatus() *status.Status {
	return &status.Status{
		Serving: true, Source: status.FromFile, Accepted: true, Warnings: []string{"one"},
		Envoys:     []xds.Client{{Node: "edge", Kinds: []xds.ClientState{{State: "ack"}}}, {Node: "edge", Kinds: []xds.ClientState{{State: "nack"}}}},
		Supervised: &status.Supervised{Restarts: 2},
		Pools: []status.Pool{{Name: "identity", Nodes: []status.Node{
			{Name: "isNode1", Address: "127.0.0.1:29001", IP: "127.0.0.1", State: model.Active, Weight: 1},
			{Name: "isNode2", Address: "127.0.0.1:29002", IP: "127.0.0.1", State: model.Drain, Weight: 2},
		}}},
		Certificates: []status.Certificate{{Name: "server", Issued: time.Unix(1000, 0), Expires: time.Unix(9000, 0), ACME: &status.ACME{Failures: 1}}},
	}
}

// admin serves what Envoy 1.40 answered.
func admin(t *testing.T) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "admin.sock")
	lis, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := "stats.txt"
		if r.URL.Path == "/clusters" {
			name = "clusters.txt"
		}
		http.ServeFile(w, r, filepath.Join("..", "figures", "testdata", name))
	}), ReadHeaderTimeout: time.Second}
	go func() { _ = s.Serve(lis) }()
	t.Cleanup(func() { _ = s.Close() })
	return socket
}

func TestEveryMetricIsThereWithItsTypeLabelsAndUnit(t *testing.T) {
	s := everything(t)
	if problems, err := testutil.CollectAndLint(s); err != nil || len(problems) > 0 {
		t.Error(err, problems)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*dto.MetricFamily{}
	for _, f := range families {
		found[f.GetName()] = f
	}
	for _, m := range table() {
		f := found[m.name]
		if f == nil {
			t.Errorf("%s is not there", m.name)
			continue
		}
		delete(found, m.name)
		if kind := strings.ToLower(f.GetType().String()); kind != m.kind {
			t.Errorf("%s is a %s, not a %s", m.name, kind, m.kind)
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		want := slices.Sorted(slices.Values(m.labels))
		if diff := cmp.Diff(want, labels); diff != "" {
			t.Errorf("%s: labels %s", m.name, diff)
		}
		unit := regexp.MustCompile(`_(seconds|bytes)(_total)?$`).FindStringSubmatch(m.name)
		if unit != nil && !strings.Contains(f.GetHelp(), unit[1]) {
			t.Errorf("%s: the help does not say that it counts %s: %s", m.name, unit[1], f.GetHelp())
		}
	}
	for name := range found {
		t.Errorf("%s is in no table", name)
	}
}

func TestWhatTheMetricsSay(t *testing.T) {
	s := everything(t)
	want := `
# HELP usher_sessions_moved_total ` + moved.help + `
# TYPE usher_sessions_moved_total counter
usher_sessions_moved_total{from="isNode3",pool="identity",to="isNode1"} 3
usher_sessions_moved_total{from="isNode3",pool="identity",to="isNode2"} 2
# HELP usher_node_state ` + nodeState.help + `
# TYPE usher_node_state gauge
usher_node_state{node="isNode1",pool="identity",state="active"} 1
usher_node_state{node="isNode2",pool="identity",state="drain"} 1
# HELP usher_node_health ` + nodeHealth.help + `
# TYPE usher_node_health gauge
usher_node_health{health="healthy",node="isNode1",pool="identity"} 1
usher_node_health{health="draining",node="isNode2",pool="identity"} 1
# HELP usher_envoy_acked ` + acked.help + `
# TYPE usher_envoy_acked gauge
usher_envoy_acked{envoy="edge"} 0
# HELP usher_envoy_connected ` + envoys.help + `
# TYPE usher_envoy_connected gauge
usher_envoy_connected{envoy="edge"} 2
# HELP usher_certificate_expiry_timestamp_seconds ` + certExpiry.help + `
# TYPE usher_certificate_expiry_timestamp_seconds gauge
usher_certificate_expiry_timestamp_seconds{name="server"} 9000
`
	if err := testutil.CollectAndCompare(s, strings.NewReader(want), moved.name, nodeState.name, nodeHealth.name, acked.name, envoys.name, certExpiry.name); err != nil {
		t.Error(err)
	}
}

// Where no Envoy is supervised, or none answers, the rest is told all the same.
func TestWithoutAnEnvoy(t *testing.T) {
	s := everything(t)
	s.Figures = nil
	if n := testutil.CollectAndCount(s, up.name, requests.name); n != 0 {
		t.Errorf("%d figures of no Envoy", n)
	}
	s.Figures = figures.New(figures.Only(envoy.Admin{Socket: filepath.Join(t.TempDir(), "none")}), theStatus)
	go s.Figures.Run(t.Context())
	if err := testutil.CollectAndCompare(s, strings.NewReader("# HELP usher_envoy_up "+up.help+"\n# TYPE usher_envoy_up gauge\nusher_envoy_up 0\n"), up.name); err != nil {
		t.Error(err)
	}
}

const (
	readme    = "../../../README.md"
	tableFrom = "<!-- metrics -->\n"
	tableTo   = "<!-- /metrics -->"
)

// The README's table is made of the metrics.
func TestTheReadmeHasThemAll(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableFrom)
	stands, after, ok2 := strings.Cut(rest, tableTo)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", readme)
	}
	if *update {
		if err := os.WriteFile(readme, []byte(before+tableFrom+Reference()+tableTo+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(Reference(), stands); diff != "" {
		t.Errorf("the README's metrics are stale: `make reference` writes them anew (-want +got)\n%s", diff)
	}
}

package figures

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"usher/cmd/usher/status"
	"usher/envoy"
	"usher/model"
)

// pages are Envoy's answers, as 1.40 gave them.
type pages struct{ stats, clusters string }

func recorded(t *testing.T) pages {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return pages{read("stats.txt"), read("clusters.txt")}
}

func theStatus() *status.Status {
	node := func(name, ip string, state model.State) status.Node {
		return status.Node{Name: name, Address: ip, IP: strings.Split(ip, ":")[0], State: state}
	}
	return &status.Status{Pools: []status.Pool{
		{Name: "identity", Nodes: []status.Node{
			node("isNode1", "127.0.0.1:29001", model.Active), node("isNode2", "127.0.0.1:29002", model.Active),
			node("isNode3", "127.0.0.1:29003", model.Standby), node("isNode4", "127.0.0.1:29004", model.Disabled),
		}},
		{Name: "other", Nodes: []status.Node{node("a", "127.0.0.1:29001", model.Active), node("b", "127.0.0.1:29002", model.Drain)}},
		{Name: "raw", Nodes: []status.Node{node("r", "127.0.0.1:29001", model.Active)}},
	}}
}

// admin serves pages as Envoy's admin interface does.
func admin(t *testing.T, now func() pages) envoy.Admin {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "admin.sock")
	lis, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := now().stats
		if r.URL.Path == "/clusters" {
			text = now().clusters
		}
		_, _ = w.Write([]byte(text))
	}), ReadHeaderTimeout: time.Second}
	go func() { _ = s.Serve(lis) }()
	t.Cleanup(func() { _ = s.Close() })
	return envoy.Admin{Socket: socket}
}

func TestWhatEnvoySaysInTheWordsOfTheFile(t *testing.T) {
	p := recorded(t)
	w := New(Only(admin(t, func() pages { return p })), theStatus)
	go w.Run(t.Context())
	now, totals, err := w.Ask(t.Context())
	if err != nil || now == nil {
		t.Fatal(now, err)
	}
	healths := map[string]Health{}
	for _, pool := range now.Pools {
		for _, n := range pool.Nodes {
			healths[pool.Name+"/"+n.Name] = n.Health
		}
	}
	want := map[string]Health{
		"identity/isNode1": Healthy, "identity/isNode2": Healthy, "identity/isNode3": Failing, "identity/isNode4": Disabled,
		"other/a": Healthy, "other/b": Draining, "raw/r": Failing,
	}
	if diff := cmp.Diff(want, healths); diff != "" {
		t.Error(diff)
	}
	one := now.Of("identity", "isNode1")
	if one.Requests[Sticky] != 3 || one.Requests[Failover] != 3 || one.Requests[Fresh] != 6 || one.Failures != 6 || one.Weight != 1 {
		t.Errorf("%+v", one)
	}
	if n := now.Pools[0].Requests.Sum(); n != 16 {
		t.Errorf("the pool has %v requests", n)
	}
	for s, n := range map[Series]float64{
		{Moved, "identity", "isNode2", "isNode3"}: 2, {Conflicts, "identity", "", ""}: 3, {Retries, "identity", "", ""}: 18,
		{HandshakeErrors, "127.0.0.1:28443", "", ""}: 6, {Asked, "https", "", ""}: 21, {Answered, "https", "", "5xx"}: 8,
		{Leaks, "", "isNode1", "location"}: 2, {Attempts, "other", "a", ""}: 5,
	} {
		if totals.Counts[s] != n {
			t.Errorf("%+v is %v, not %v", s, totals.Counts[s], n)
		}
	}
	if got := totals.Timings[NodeOf{"identity", "isNode2"}]; got == nil || got.Counts[0]+got.Counts[1] == 0 {
		t.Errorf("no time: %+v", got)
	}
	if now.Envoy.Workers != 2 || now.Envoy.Uptime != 30*time.Second || now.Envoy.Allocated == 0 {
		t.Errorf("%+v", now.Envoy)
	}
	if node := now.Into(theStatus(), now.Time).Pools[0].Nodes[2]; node.Health != "failing" || node.Reason == "" {
		t.Errorf("the status has %+v", node)
	}
	if node := now.Into(theStatus(), now.Time.Add(time.Hour)).Pools[0].Nodes[2]; node.Health != "" {
		t.Errorf("an hour later the status has %+v", node)
	}
}

func TestCountersGoOnWhenEnvoyIsStartedAnew(t *testing.T) {
	p := recorded(t)
	var now atomic.Pointer[pages]
	now.Store(&p)
	w := New(Only(admin(t, func() pages { return *now.Load() })), theStatus)
	go w.Run(t.Context())
	total := func() float64 {
		_, totals, err := w.Ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return totals.Counts[Series{Requests, "identity", "isNode1", "new"}]
	}
	if n := total(); n != 6 {
		t.Errorf("%v at first", n)
	}
	again := pages{strings.NewReplacer(
		"envoy_server_uptime{} 30", "envoy_server_uptime{} 2",
		`seat="identity/new",asked="",node="isNode1"} 6`, `seat="identity/new",asked="",node="isNode1"} 7`, // more than before, and another Envoy's
	).Replace(p.stats), p.clusters}
	now.Store(&again)
	if n := total(); n != 13 {
		t.Errorf("%v after a new start, not 6 and 7", n)
	}
	less := pages{strings.Replace(again.stats, `seat="identity/new",asked="",node="isNode1"} 7`, `seat="identity/new",asked="",node="isNode1"} 1`, 1), p.clusters}
	now.Store(&less)
	if n := total(); n != 14 {
		t.Errorf("%v after a counter began anew", n)
	}
}

func TestSeveralEnvoysAddUp(t *testing.T) {
	p := recorded(t)
	worse := pages{p.stats, strings.Replace(p.clusters, "identity::127.0.0.1:29001::health_flags::healthy", "identity::127.0.0.1:29001::health_flags::/failed_active_hc", 1)}
	if worse.clusters == p.clusters {
		t.Fatal("isNode1 is not healthy in the recording")
	}
	both := []Source{
		{"10.0.0.1:9902", admin(t, func() pages { return p })},
		{"10.0.0.2:9902", admin(t, func() pages { return worse })},
		{"10.0.0.3:9902", envoy.Admin{Socket: filepath.Join(t.TempDir(), "nobody")}},
	}
	one := New(Only(both[0].Admin), theStatus)
	sum := New(func() []Source { return both }, theStatus)
	go one.Run(t.Context())
	go sum.Run(t.Context())
	a, single, err := one.Ask(t.Context())
	b, twice, again := sum.Ask(t.Context())
	if err != nil || again != nil || a == nil || b == nil {
		t.Fatal(err, again, a, b)
	}
	for s, n := range single.Counts {
		if twice.Counts[s] != 2*n {
			t.Errorf("%+v: %v, and of two %v", s, n, twice.Counts[s])
		}
	}
	if a.Envoys != 1 || b.Envoys != 2 || b.Envoy.Workers != 2*a.Envoy.Workers || b.Pools[0].Active != 2*a.Pools[0].Active || b.Listeners[0].Connections != 2*a.Listeners[0].Connections {
		t.Errorf("one:\n%+v\nboth:\n%+v", a, b)
	}
	if x, y := a.Of("identity", "isNode1"), b.Of("identity", "isNode1"); x.Health != Healthy || y.Health != Failing || y.Weight != x.Weight {
		t.Errorf("%+v with one, %+v with both", x, y)
	}
	if silent := sum.Silent(); len(silent) != 1 || !strings.HasPrefix(silent[0], "the Envoy at 10.0.0.3:9902 does not show its figures: ") {
		t.Errorf("silent: %v", silent)
	}
}

func TestHealthHasItsReason(t *testing.T) {
	for flags, want := range map[string]Health{
		"healthy":                                Healthy,
		"/failed_active_hc":                      Failing,
		"/failed_active_hc/active_hc_timeout":    Failing,
		"/failed_active_hc/pending_active_hc":    Pending,
		"/failed_outlier_check":                  Ejected,
		"/pending_dynamic_removal":               Leaving,
		"/failed_active_hc/failed_outlier_check": Failing,
	} {
		got, reason := healthOf(flags)
		if got != want || (reason == "") != (want == Healthy) {
			t.Errorf("%s is %s, %q", flags, got, reason)
		}
	}
	if h, why := judge(layoutNode{fault: "no such host"}, "", false); h != Absent || why != "no such host" {
		t.Errorf("%s %s", h, why)
	}
}

func TestHostsByAnyAddress(t *testing.T) {
	all := parseHosts("p::default_priority::max_connections::1024\n" +
		"p/without+b::[2001:db8::1]:443::rq_active::3\np/without+b::[2001:db8::1]:443::health_flags::healthy\n" +
		"p::192.0.2.1:80::weight::150\np::192.0.2.1:80::hostname::is1.example.org\n")
	if len(all) != 2 || all[hostKey{"p/without+b", "[2001:db8::1]:443"}].active != 3 || all[hostKey{"p", "192.0.2.1:80"}].weight != 150 {
		t.Errorf("%+v", all)
	}
}

func TestQuantiles(t *testing.T) {
	x := &Timing{Bounds: []float64{1, 2, 5, 10}, Counts: []float64{0, 50, 49, 0, 1}}
	if p50, p99, p100 := x.quantile(.5), x.quantile(.99), x.quantile(1); p50 != 2 || p99 != 5 || p100 != 10 {
		t.Error(p50, p99, p100)
	}
	if (&Timing{}).quantile(.5) != 0 || (*Timing)(nil).quantile(.5) != 0 {
		t.Error("nothing has a quantile")
	}
}

// The past of many nodes stays within its memory, that of the pools stays whole.
func TestThePastIsBounded(t *testing.T) {
	const nodes = 2_000
	now := &Now{Pools: []Pool{{Name: "p"}}}
	came := news{counts: map[Series]float64{}}
	for i := range nodes {
		n := Node{Name: fmt.Sprint("node", i)}
		n.Active = 1
		now.Pools[0].Nodes = append(now.Pools[0].Nodes, n)
	}
	var p past
	before := heap()
	for i := range steps + 10 {
		now.Time = time.Unix(int64(i)*5, 0)
		p.add(came, now)
	}
	after := heap()
	if len(p.all) != steps || p.points*pointBytes > pastLimit {
		t.Errorf("%d steps, %d points", len(p.all), p.points)
	}
	if grown := after - before; grown > 48<<20 {
		t.Errorf("the past of %d nodes takes %d MiB", nodes, grown>>20)
	} else {
		t.Logf("the past of %d nodes takes %d MiB: %d points", nodes, grown>>20, p.points)
	}
	if len(p.all[0].Pools) != 1 || p.all[0].Pools[0].Nodes != nil || p.all[steps-1].Pools[0].Nodes == nil {
		t.Error("the oldest step has nodes, or the newest has none")
	}
	runtime.KeepAlive(p)
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc) //nolint:gosec // less than an int holds
}

// BenchmarkTenThousandNodes is what an answer costs usher, and what it keeps.
func BenchmarkTenThousandNodes(b *testing.B) {
	w, l, stats, clusters := thousands(10_000)
	before := heap()
	var n *Now
	for i := range b.N {
		r := newReading(time.Unix(int64(i), 0))
		if err := r.stats(stats); err != nil {
			b.Fatal(err)
		}
		r.hosts = parseHosts(clusters)
		for key, h := range r.hosts {
			h.counts(key, l.node("p", key.address), func(s series, n float64) { r.counts[s] = n })
		}
		w.recent.add(w.ledger.note(map[string]*reading{"": r}), r.at)
		n = w.compose(l, r)
	}
	b.ReportMetric(float64(heap()-before)/(1<<20), "MiB-kept")
	b.ReportMetric(float64(len(stats)+len(clusters))/(1<<20), "MiB-answer")
	for _, kept := range []any{n, w, stats, clusters} {
		runtime.KeepAlive(kept)
	}
}

// thousands are the answers of an Envoy with one pool of many nodes, all busy.
func thousands(nodes int) (*Watch, layout, string, string) {
	s := &status.Status{Pools: []status.Pool{{Name: "p"}}}
	var stats, clusters strings.Builder
	stats.WriteString("# TYPE envoy_usher_requests counter\n")
	for i := range nodes {
		ip := fmt.Sprintf("10.0.%d.%d", i/250, i%250)
		s.Pools[0].Nodes = append(s.Pools[0].Nodes, status.Node{Name: fmt.Sprint("node", i), Address: ip + ":9443", IP: ip})
		for _, line := range []string{"cx_active::2", "cx_connect_fail::0", "cx_total::2", "rq_active::1", "rq_error::0", "rq_pending_active::0", "rq_success::5",
			"rq_timeout::0", "rq_total::5", "hostname::", "health_flags::healthy", "weight::100", "region::", "zone::", "sub_zone::", "canary::false",
			"priority::0", "success_rate::-1", "local_origin_success_rate::-1"} {
			fmt.Fprintf(&clusters, "p::%s:9443::%s\n", ip, line)
		}
		fmt.Fprintf(&stats, "envoy_usher_requests{seat=\"p/known\",asked=\"node%d\",node=\"node%d\"} %d\n", i, i, i)
	}
	stats.WriteString("# TYPE envoy_usher_duration histogram\n")
	for i := range nodes {
		for j := range 25 {
			fmt.Fprintf(&stats, "envoy_usher_duration_bucket{cluster=\"p\",node=\"node%d\",le=\"%d\"} %d\n", i, j+1, j)
		}
		fmt.Fprintf(&stats, "envoy_usher_duration_bucket{cluster=\"p\",node=\"node%d\",le=\"+Inf\"} 25\nenvoy_usher_duration_sum{cluster=\"p\",node=\"node%d\"} 25\nenvoy_usher_duration_count{cluster=\"p\",node=\"node%d\"} 25\n", i, i, i)
	}
	return New(nil, nil), layoutOf(s), stats.String(), clusters.String()
}

func TestLinesOfStatistics(t *testing.T) {
	name, all, value, err := cutSample(`envoy_x_bucket{a="1\"\\}",b="",le="+Inf"} 12.5`)
	if err != nil || name != "envoy_x_bucket" || value != 12.5 || all.of("a") != `1"\}` || all.of("b") != "" || all.of("le") != "+Inf" || len(all) != 3 {
		t.Error(name, all, value, err)
	}
	if name, all, value, err := cutSample("envoy_x{} 3"); name != "envoy_x" || len(all) > 0 || value != 3 || err != nil {
		t.Error(name, all, value, err)
	}
	for _, bad := range []string{"", "envoy_x", "envoy_x{", `envoy_x{a="`, `envoy_x{a="1"} `} {
		if _, _, _, err := cutSample(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

package metrics

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	rules     = "../../../deploy/prometheus/alerts.yaml"
	ruleTests = "../../../deploy/prometheus/alerts_test.yaml"
	dashboard = "../../../deploy/grafana/usher.json"
)

var named = regexp.MustCompile(`\busher_[a-z0-9_]+`)

// known fails where a text names a metric that there is not, or a label that it has
// not got.
func known(t *testing.T, where, text string) {
	t.Helper()
	found := named.FindAllString(text, -1)
	if len(found) == 0 {
		t.Errorf("%s names no metric", where)
	}
	for _, name := range found {
		if !slices.ContainsFunc(table(), func(m metric) bool { return m.is(name) }) {
			t.Errorf("%s: there is no metric %s", where, name)
		}
	}
}

// is tells whether a name of a series is the metric's.
func (m metric) is(name string) bool {
	if m.kind == "histogram" {
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			if name == m.name+part {
				return true
			}
		}
		return false
	}
	return name == m.name
}

func TestRulesNameWhatThereIs(t *testing.T) {
	text, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	known(t, rules, string(text))
	promtool(t, "check", "rules", rules)
	promtool(t, "test", "rules", ruleTests)
}

func TestTheDashboardNamesWhatThereIs(t *testing.T) {
	text, err := os.ReadFile(dashboard)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		UID    string
		Panels []struct {
			ID      int
			Title   string
			Type    string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	known(t, dashboard, string(text))
	var b strings.Builder
	b.WriteString("groups:\n  - name: dashboard\n    rules:\n")
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || (p.Type != "row") != (len(p.Targets) > 0) {
			t.Errorf("panel %d %q: its id is another's, or it has no title, or shows nothing", p.ID, p.Title)
		}
		ids[p.ID] = true
		for i, x := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*", "$pool", ".*").Replace(x.Expr)
			fmt.Fprintf(&b, "      - {record: \"panel:%d_%d\", expr: %q}\n", p.ID, i, expr)
		}
	}
	file := filepath.Join(t.TempDir(), "dashboard.yaml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}

// promtool has Prometheus itself read expressions; .ci/run brings it.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool here: Debian's package prometheus has it")
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

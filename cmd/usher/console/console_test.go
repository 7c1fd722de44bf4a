package console

import (
	"crypto/sha256"
	"encoding/hex"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"usher/cmd/usher/figures"
	"usher/cmd/usher/status"
	"usher/model"
	"usher/xds"
)

// TestEmbeddedFilesAreThoseThatWereReviewed pins what comes from others, by the
// content of the npm packages that the names tell.
func TestEmbeddedFilesAreThoseThatWereReviewed(t *testing.T) {
	for name, want := range map[string]string{
		"htmx-2.0.11.min.js":         "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
		"idiomorph-ext-0.8.0.min.js": "5811b9a7eda14878b7dab4378bf60432e1bb6f11fcfb970cc26540642650181e",
		"uplot-1.6.32.min.js":        "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
		"uplot-1.6.32.min.css":       "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
	} {
		text, err := assets.ReadFile("assets/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s has the sum %x", name, sum)
		}
	}
}

// inline is what a strict policy would block.
var inline = regexp.MustCompile(`(?i)<style|<script[^>]*>[^<]|\sstyle=|\son[a-z]+=|javascript:|hx-on|hx-vals=.js:`)

func TestThePageHasNothingInline(t *testing.T) {
	r := newRoom(t)
	alice := r.person("alice", operator)
	for _, path := range []string{"/", "/console/live", "/console/file", "/console/node?pool=identity&node=isNode1", "/console/add?pool=identity"} {
		_, page, header := alice.get(path)
		if found := inline.FindString(page); found != "" {
			t.Errorf("%s has %q inline", path, found)
		}
		if policy := header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s has the policy %q", path, policy)
		}
	}
}

func TestThePageSaysWhatIsKnown(t *testing.T) {
	r := newRoom(t)
	r.seen.now.Pools[0].Nodes[1].Health, r.seen.now.Pools[0].Nodes[1].Reason = figures.Failing, "its check got no answer in time"
	_, page, _ := r.stranger().get("/")
	for _, want := range []string{"Serving", "isNode1", "10.0.0.2:9443", "12", "1.2 s", "its check got no answer in time", "1 of 2 serve", "2 days", "ACK"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestWhatIsWorstIsSaid(t *testing.T) {
	for want, change := range map[string]func(*status.Status){
		"Not serving":                    func(s *status.Status) { s.Serving = false },
		"Refused":                        func(s *status.Status) { s.Refusal = &xds.Refusal{Words: "no"} },
		"Serving the last accepted file": func(s *status.Status) { s.Source = status.FromAccepted },
		"Serving, with problems":         func(s *status.Status) { s.Problems = model.Problems{{What: "so"}} },
		"Envoy died":                     func(s *status.Status) { s.Supervised = &status.Supervised{State: "died"} },
		"No Envoy connected":             func(s *status.Status) { s.Envoys = nil },
		"Being accepted":                 func(s *status.Status) { s.Accepted = false },
	} {
		s := statusOf("cluster.yaml", small)
		change(&s)
		if got := overallOf(&s, noon).Word; got != want {
			t.Errorf("it says %q, not %q", got, want)
		}
	}
}

func TestWhatOthersWroteIsText(t *testing.T) {
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`
	r := newRoom(t)
	r.status.Pools[0].Name = evil
	r.status.Pools[0].Nodes[0] = status.Node{Name: evil, Address: evil, Fault: evil, Note: evil, State: "active"}
	r.status.Envoys[0].Node = evil
	r.status.Envoys[0].Kinds = []xds.ClientState{{Kind: evil, Version: evil, State: "nack", Refusal: &xds.Refusal{Words: evil, Place: evil}}}
	r.status.Refusal = &xds.Refusal{Kind: evil, Words: evil}
	r.status.Problems = model.Problems{{File: r.config, Line: 1, Field: evil, What: evil, Hint: evil}, {What: evil}}
	r.status.Warnings = []string{evil}
	r.status.Certificates[0] = status.Certificate{Name: evil, Hosts: []string{evil}, Issuer: evil, ACME: &status.ACME{Why: evil}}
	r.write("# " + evil + "\n" + small)
	alice := r.person("alice", operator)
	for _, path := range []string{"/", "/console/live?filter=" + url.QueryEscape(evil), "/console/live", "/console/file", "/console/add?pool=" + url.QueryEscape(evil), "/console/node?node=" + url.QueryEscape(evil)} {
		_, page, header := alice.get(path)
		if strings.HasPrefix(header.Get("Content-Type"), "text/html") && (strings.Contains(page, "<script>") || strings.Contains(page, "<img src=x")) {
			t.Errorf("%s passes on what others wrote:\n%s", path, page)
		}
	}
	_, page := alice.post("/console/preview", url.Values{"act": {"add"}, "pool": {evil}, "node": {evil}, "address": {evil}, "weight": {evil}, "state": {evil}})
	if strings.Contains(page, "<script>") || strings.Contains(page, "<img src=x") {
		t.Errorf("a form passes on what others wrote:\n%s", page)
	}
}

func TestWhatHasNotChangedIsNotSentAgain(t *testing.T) {
	r := newRoom(t)
	for _, path := range []string{"/console/live", "/console/file", "/console/hour"} {
		p := r.stranger()
		_, _, header := p.get(path)
		if code, body, _ := p.send("GET", path, nil, map[string]string{"If-None-Match": header.Get("ETag")}); code != http.StatusNotModified || body != "" {
			t.Errorf("%s answers %d with %d bytes", path, code, len(body))
		}
	}
	_, _, before := r.stranger().get("/console/file")
	r.write(small + "# more\n")
	if code, _, _ := r.stranger().send("GET", "/console/file", nil, map[string]string{"If-None-Match": before.Get("ETag")}); code != http.StatusOK {
		t.Errorf("of a file that has changed it says %d", code)
	}
}

func TestAFilterLooksAtEveryWord(t *testing.T) {
	r := newRoom(t)
	r.seen.now.Pools[0].Nodes[0].Health = figures.Ejected
	for filter, want := range map[string]bool{"": true, "isnode1": true, "ejected": true, "10.0.0.1 identity": true, "isNode2": false, "isNode1 healthy": false} {
		_, page, _ := r.stranger().get("/console/live?filter=" + url.QueryEscape(filter))
		if got := strings.Contains(page, `id="node-identity/isNode1"`); got != want {
			t.Errorf("with the filter %q it is there: %t", filter, got)
		}
	}
}

func TestProblemsStandAtTheirLines(t *testing.T) {
	r := newRoom(t)
	r.status.Problems = model.Problems{{File: r.config, Line: 8, Column: 63, Field: "pools[0].nodes[1].weight", What: "0 is not a weight", Hint: "weights run from 0.01 to 100"}, {File: r.config, What: "it is too short"}}
	_, page, _ := r.stranger().get("/console/file")
	lines := regexp.MustCompile(`(?s)<li id="line-8" class="bad">.*?</li>`).FindString(page)
	for _, want := range []string{"0 is not a weight", "weights run from 0.01 to 100", "column 63", "isNode2"} {
		if !strings.Contains(html.UnescapeString(lines), want) {
			t.Errorf("line 8 lacks %q: %s", want, lines)
		}
	}
	if !strings.Contains(page, "it is too short") {
		t.Error("the problem of the whole file is not shown")
	}
}

func TestPlotsGoOnWhereTheyEnded(t *testing.T) {
	r := newRoom(t)
	for i := range 3 {
		p := figures.PoolPoint{Name: "identity"}
		p.Rate[figures.Sticky] = float32(i) * 100 / 3
		r.seen.hour = append(r.seen.hour, figures.Sample{Time: noon.Add(time.Duration(i*5) * time.Second), Pools: []figures.PoolPoint{p}})
	}
	_, all, _ := r.stranger().get("/console/hour")
	if !strings.Contains(all, `[0,33.3,66.7]`) {
		t.Errorf("all of it is %s", all)
	}
	_, more, _ := r.stranger().get("/console/hour?since=1793534400")
	if !strings.Contains(more, `"times":[1793534405,1793534410]`) || !strings.Contains(more, `[33.3,66.7]`) {
		t.Errorf("since noon it is %s", more)
	}
}

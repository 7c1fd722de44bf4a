package console

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// hidden are the fields that a form of the page carries on.
var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// saving is the form of a preview.
func saving(preview string) url.Values {
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(preview, -1) {
		form.Set(m[1], m[2])
	}
	return form
}

var drain = url.Values{"act": {"set"}, "pool": {"identity"}, "node": {"isNode1"}, "state": {"drain"}, "was_state": {"active"}}

// shown asks for a preview.
func (p *person) shown(form url.Values) string {
	p.t.Helper()
	code, page := p.post("/console/preview", form)
	if code != http.StatusOK {
		p.t.Fatalf("the preview of %v is %d:\n%s", form, code, page)
	}
	return page
}

func TestAChangeIsShownAndThenSaved(t *testing.T) {
	for name, c := range map[string]struct {
		form            url.Values
		effect, has, no string
	}{
		"drain":  {drain, "endpoints only: nobody is cut", "isNode1, address: 10.0.0.1:9443, state: drain}   # fast", ""},
		"weight": {url.Values{"act": {"set"}, "pool": {"identity"}, "node": {"isNode2"}, "state": {"active"}, "was_state": {"active"}, "weight": {"0.5"}, "was_weight": {"2"}}, "nobody is cut", "weight: 0.5", "weight: 2"},
		"add":    {url.Values{"act": {"add"}, "pool": {"identity"}, "node": {"isNode3"}, "address": {"10.0.0.3:9443"}, "state": {"standby"}, "weight": {"1"}}, "nobody is cut", "{name: isNode3, address: 10.0.0.3:9443, state: standby}", ""},
		"remove": {url.Values{"act": {"remove"}, "pool": {"identity"}, "node": {"isNode2"}}, "isNode2", "# the servers", "isNode2"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t)
			alice := r.person("alice", operator)
			page := alice.shown(c.form)
			if !strings.Contains(page, c.effect) || !strings.Contains(page, `class="more"`) && name != "remove" {
				t.Errorf("the preview lacks the diff or %q:\n%s", c.effect, page)
			}
			if r.text() != small {
				t.Fatal("the preview has changed the file")
			}
			if code, said := alice.post("/console/save", saving(page)); code != http.StatusOK || !strings.Contains(said, "Saved.") {
				t.Fatalf("saving is %d:\n%s", code, said)
			}
			if text := r.text(); !strings.Contains(text, c.has) || c.no != "" && strings.Contains(text, c.no) || !strings.Contains(text, "# ours") {
				t.Errorf("the file is\n%s", text)
			}
			if !strings.Contains(r.log.String(), "audit=true who=alice") || !strings.Contains(r.log.String(), "result=done") {
				t.Errorf("no audit line tells of it:\n%s", r.log)
			}
		})
	}
}

func TestAChangeIsTakenBack(t *testing.T) {
	r := newRoom(t)
	alice := r.person("alice", operator)
	alice.post("/console/save", saving(alice.shown(drain)))
	_, page, _ := alice.get("/console/file")
	if !strings.Contains(page, "alice, by console") || !strings.Contains(page, "isNode1 drains") {
		t.Errorf("the history is\n%s", page)
	}
	if _, diff, _ := alice.get("/console/change/1"); !strings.Contains(diff, `class="less"`) {
		t.Errorf("the diff is\n%s", diff)
	}
	back := alice.shown(url.Values{"act": {"takeback"}, "id": {"1"}})
	if code, said := alice.post("/console/save", saving(back)); code != http.StatusOK || r.text() != small {
		t.Errorf("taking it back is %d:\n%s\n%s", code, said, r.text())
	}
}

func TestNobodysChangeIsLost(t *testing.T) {
	r := newRoom(t)
	alice := r.person("alice", operator)
	form := saving(alice.shown(drain))
	r.write(strings.Replace(small, "weight: 2", "weight: 7", 1)) // somebody's editor
	code, page := alice.post("/console/save", form)
	if code != http.StatusConflict || !strings.Contains(page, "Somebody else has changed the file meanwhile") || !strings.Contains(page, "weight: 7") {
		t.Fatalf("saving is %d:\n%s", code, page)
	}
	if strings.Contains(r.text(), "drain") {
		t.Fatal("it has saved what nobody was shown")
	}
	if code, _ := alice.post("/console/save", saving(page)); code != http.StatusOK || !strings.Contains(r.text(), "weight: 7") || !strings.Contains(r.text(), "state: drain") {
		t.Errorf("saving again is %d:\n%s", code, r.text())
	}
	if code, page := alice.post("/console/save", saving(page)); code != http.StatusUnprocessableEntity || !strings.Contains(page, "somebody else has done it") {
		t.Errorf("saving what is done is %d:\n%s", code, page)
	}
}

func TestOnlyWhatAPersonHasChangedIsAChange(t *testing.T) {
	r := newRoom(t)
	alice := r.person("alice", operator)
	_, page, _ := alice.get("/console/node?pool=identity&node=isNode2")
	form := saving(page)
	r.write(strings.Replace(small, "weight: 2", "weight: 2, state: drain", 1)) // somebody drains it meanwhile
	form.Set("state", "active")
	form.Set("weight", "3")
	if page := alice.shown(form); !strings.Contains(page, "weight: 3, state: drain") {
		t.Errorf("the preview is\n%s", page)
	}
}

func TestWhatCannotBeIsAskedAgain(t *testing.T) {
	r := newRoom(t)
	alice := r.person("alice", operator)
	for want, form := range map[string]url.Values{
		"is not a weight":      {"act": {"set"}, "pool": {"identity"}, "node": {"isNode1"}, "weight": {"0"}, "was_weight": {"1"}},
		"nothing would change": {"act": {"set"}, "pool": {"identity"}, "node": {"isNode1"}, "state": {"active"}, "was_state": {"active"}},
		"has a node isNode1":   {"act": {"add"}, "pool": {"identity"}, "node": {"isNode1"}, "address": {"10.0.0.9:1"}},
		"is not HOST:PORT":     {"act": {"add"}, "pool": {"identity"}, "node": {"isNode9"}, "address": {"10.0.0.9"}},
		"does not know":        {"act": {"burn"}},
		"no change 7":          {"act": {"takeback"}, "id": {"7"}},
	} {
		if code, page := alice.post("/console/preview", form); code != http.StatusUnprocessableEntity || !strings.Contains(page, want) {
			t.Errorf("%v is %d, without %q:\n%s", form, code, want, page)
		}
	}
}

func TestAFaultyResultIsShownAndNotSaved(t *testing.T) {
	r := newRoom(t)
	alice := r.person("alice", operator)
	page := alice.shown(url.Values{"act": {"add"}, "pool": {"identity"}, "node": {"isNode3"}, "address": {"10.0.0.2:9443"}, "weight": {"1"}, "state": {"active"}})
	if strings.Contains(page, ">Save<") || !strings.Contains(page, "It would not be served") {
		t.Errorf("the preview is\n%s", page)
	}
	if code, _ := alice.post("/console/save", saving(page)); code != http.StatusUnprocessableEntity || r.text() != small {
		t.Errorf("saving is %d:\n%s", code, r.text())
	}
}

func TestViewersLookAndStrangersDoNotForge(t *testing.T) {
	r := newRoom(t)
	bob, alice := r.person("bob", viewer), r.person("alice", operator)
	if _, page, _ := bob.get("/"); strings.Contains(page, "data-preview") || strings.Contains(page, "data-sheet") || !strings.Contains(page, "isNode1") {
		t.Error("a viewer sees controls, or no nodes")
	}
	if _, page, _ := alice.get("/"); !strings.Contains(page, "data-preview") {
		t.Error("an operator sees no controls")
	}
	form := saving(alice.shown(drain))
	csrf := map[string]string{"X-CSRF-Token": alice.csrf}
	for name, ask := range map[string]func() int{
		"viewer saves":        func() int { code, _ := bob.post("/console/save", form); return code },
		"viewer previews":     func() int { code, _ := bob.post("/console/preview", drain); return code },
		"viewer opens a form": func() int { code, _, _ := bob.get("/console/node?pool=identity&node=isNode1"); return code },
		"nobody saves":        func() int { code, _ := r.stranger().post("/console/save", form); return code },
		"without the token":   func() int { code, _, _ := alice.send("POST", "/console/save", form, nil); return code },
		"another's token": func() int {
			code, _, _ := alice.send("POST", "/console/save", form, map[string]string{"X-CSRF-Token": bob.csrf})
			return code
		},
		"forged origin": func() int {
			code, _, _ := alice.send("POST", "/console/save", form, map[string]string{"X-CSRF-Token": csrf["X-CSRF-Token"], "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"})
			return code
		},
		"forged origin of old": func() int {
			code, _, _ := alice.send("POST", "/console/save", form, map[string]string{"X-CSRF-Token": csrf["X-CSRF-Token"], "Sec-Fetch-Site": "", "Origin": "https://evil.example"})
			return code
		},
	} {
		if code := ask(); code != http.StatusForbidden {
			t.Errorf("%s: %d", name, code)
		}
	}
	if r.text() != small {
		t.Errorf("the file is\n%s", r.text())
	}
}

//go:build console

package console

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

var looks = []look{{1280, "light"}, {1280, "dark"}, {380, "light"}, {380, "dark"}}

// TestEveryActionInEveryLook walks the page: each section is there, each action
// changes the file as it was shown, comments stay, and Envoy serves accordingly.
func TestEveryActionInEveryLook(t *testing.T) {
	s := newSite(t)
	for _, l := range looks {
		t.Run(l.String(), func(t *testing.T) {
			s.write(s.original())
			s.serve("isNode1", "isNode2")
			b := s.open(t, l, "status of 422") // a weight that is none
			b.enter()
			b.sections()
			b.drains()
			b.weighs()
			b.adds()
			b.removes()
			b.takesBack()
		})
	}
}

func (b *tab) sections() {
	b.t.Helper()
	for selector, text := range map[string]string{
		"#pulse": "Serving", ".facts": "accepted everything", ".user": "root",
		"#pools": "identity", ".nodes": "isNode2", "#envoys": "ACK", "#certificates": "days", "#file": "# the fast one", "#history": "History of changes",
	} {
		b.shows(selector, text)
	}
	b.shows(".nodes .health", "healthy")
	b.sees(`document.querySelectorAll(".plots canvas").length === 3`)
	b.fits()
	b.axe("the page")
	b.picture("page")
}

// saved presses Save, sees the dialog go and hears what was saved.
func (b *tab) saved(words string) {
	b.t.Helper()
	b.axe("the preview")
	b.picture("preview")
	b.fits()
	b.choose("Save")
	b.sees(`!document.querySelector("dialog[open]")`)
	b.shows("#said", words)
	if text := b.text(); !strings.Contains(text, "# the fast one") || !strings.Contains(text, "# rack 2") || !strings.Contains(text, "# where users come") {
		b.t.Errorf("comments are lost:\n%s", text)
	}
}

func (b *tab) drains() {
	b.t.Helper()
	b.press("switch-identity/isNode1")
	b.shows("dialog .diff .more", "state: drain")
	b.shows("dialog .effects", "endpoints only: nobody is cut")
	b.saved("isNode1 drains")
	b.focused("switch-identity/isNode1")
	b.serve("isNode2")
	b.shows(`[id="node-identity/isNode1"]`, "draining")
	b.has(`127.0.0.1:%d", state: drain}   # rack 1`, b.nodes[0])
}

func (b *tab) has(format string, args ...any) {
	b.t.Helper()
	if want := fmt.Sprintf(format, args...); !strings.Contains(b.text(), want) {
		b.t.Errorf("the file lacks %q:\n%s", want, b.text())
	}
}

func (b *tab) weighs() {
	b.t.Helper()
	b.press("edit-identity/isNode2")
	b.axe("the form")
	b.picture("form")
	b.types("#weight", "0")
	b.choose("Show the change")
	b.shows("dialog .fault", "not a weight")
	b.types("#weight", "3.5")
	b.choose("Show the change")
	b.shows("dialog .diff .more", "weight: 3.5")
	b.saved("weight 3.5")
	b.shows(`[id="node-identity/isNode2"]`, "3.5")
	b.has("weight: 3.5}   # rack 2")
}

func (b *tab) adds() {
	b.t.Helper()
	b.press("add-identity")
	b.focused("new-name")
	b.axe("the form for a new node")
	b.types("#new-name", "isNode3")
	b.types("#new-address", fmt.Sprintf("127.0.0.1:%d", b.nodes[2]))
	b.choose("Show the change")
	b.shows("dialog .words", "node isNode3 added")
	b.saved("isNode3 added")
	b.serve("isNode2", "isNode3")
	b.shows(`[id="node-identity/isNode3"]`, "healthy")
}

func (b *tab) removes() {
	b.t.Helper()
	b.press("edit-identity/isNode3")
	b.choose("Remove this node…")
	b.shows("dialog .diff .less", "isNode3")
	b.saved("isNode3 removed")
	b.sees(`!document.getElementById("node-identity/isNode3")`)
	b.focused("main") // what was pressed is gone
	b.serve("isNode2")
}

// takesBack takes the drain back, the oldest of four changes, from the history.
func (b *tab) takesBack() {
	b.t.Helper()
	change := `[...document.querySelectorAll("#history li")].find((e) => e.innerText.includes("isNode1 drains"))`
	b.sees(change)
	b.sees(change + `.innerText.includes("by console")`)
	ask[any](b, change+`.querySelector("summary").click()`)
	b.sees(change + `.querySelector(".diff")`)
	b.axe("the page with an open diff")
	ask[any](b, change+`.querySelector("[data-preview]").click()`)
	b.shows("dialog .diff .less", "state: drain")
	b.saved("isNode1 is active")
	b.serve("isNode1", "isNode2")
}

// TestTheKeyboardIsEnough drains a node without a mouse.
func TestTheKeyboardIsEnough(t *testing.T) {
	s := newSite(t)
	b := s.open(t, looks[0], "")
	b.enter()
	b.keys(kb.Tab)
	b.sees(`document.activeElement.className === "skip" && document.activeElement.getBoundingClientRect().top >= 0`)
	b.keys(kb.Enter)
	b.focused("main")
	tabTo := func(id string) {
		t.Helper()
		for range 40 {
			b.keys(kb.Tab)
			if outline := ask[string](b, `getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
				t.Errorf("nothing shows that %s is focused", ask[string](b, `document.activeElement.outerHTML`))
			}
			if ask[string](b, `document.activeElement.id`) == id {
				return
			}
		}
		t.Fatalf("Tab does not come to %s", id)
	}
	tabTo("switch-identity/isNode1")
	b.keys(kb.Enter)
	b.sees(`document.activeElement.innerText === "Save"`)
	b.keys(kb.Escape)
	b.sees(`!document.querySelector("dialog[open]")`)
	b.focused("switch-identity/isNode1")
	if b.text() != s.original() {
		t.Fatal("Escape has saved")
	}
	b.keys(kb.Enter)
	b.sees(`document.activeElement.innerText === "Save"`)
	b.keys(kb.Enter)
	b.shows("#said", "isNode1 drains")
	b.focused("switch-identity/isNode1")
	s.serve("isNode2")
	tabTo("edit-identity/isNode1")
	b.keys(kb.Enter)
	b.sees(`document.activeElement.value === "drain"`)
	b.keys(kb.ArrowUp)
	b.keys(kb.Enter)
	b.sees(`document.activeElement.innerText === "Save"`)
	b.keys(kb.Enter)
	b.sees(`!document.querySelector("dialog[open]")`)
	b.shows("#said", "isNode1 is active")
}

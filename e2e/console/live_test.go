//go:build console

package console

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
)

// TestThePageIsLive says what happens without a reload, and keeps what the person
// has opened, written and scrolled to.
func TestThePageIsLive(t *testing.T) {
	s := newSite(t)
	b := s.open(t, looks[0], "")
	b.enter()
	ask[any](b, `window.loaded = "once"; scrollTo(0, 300); document.getElementById("edit-identity/isNode2").focus({preventScroll: true}); null`)
	_ = s.nodeProcesses[1].cmd.Process.Signal(syscall.SIGKILL)
	b.shows(`[id="node-identity/isNode2"] .bad`, "failing")
	b.shows(".facts", "1 node can't serve")
	b.picture("failing")
	b.focused("edit-identity/isNode2")
	b.sees(`scrollY === 300 && window.loaded === "once"`)
	b.press("edit-identity/isNode1")
	b.types("#weight", "42")
	s.write(strings.Replace(s.original(), "weight: 2", "weight: 5", 1))
	b.shows(`[id="node-identity/isNode2"]`, "5")
	b.sees(`document.querySelector("dialog[open] #weight").value === "42"`)
	b.shows("#history", "an editor")
}

// TestAFaultStandsAtItsLine shows what is wrong with a save.
func TestAFaultStandsAtItsLine(t *testing.T) {
	s := newSite(t)
	b := s.open(t, looks[2], "")
	b.enter()
	s.write(strings.Replace(s.original(), "weight: 2", "weight: 0", 1))
	b.shows("#pulse", "Serving, with problems")
	b.shows(".attention", "not a weight")
	b.shows("#line-14.bad", "weights run from 0.01 to 100")
	b.fits()
	b.axe("a page with problems")
	ask[any](b, `document.querySelector('.attention a[href="#line-14"]').click()`)
	b.sees(`(() => { const r = document.getElementById("line-14").getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight })()`)
	s.write(s.original())
	b.sees(`document.getElementById("pulse").innerText === "Serving" && !document.querySelector(".attention .bad")`)
}

// TestARefusalByEnvoyIsTold shows what Envoy says of a file that has no fault: a port
// that somebody else has.
func TestARefusalByEnvoyIsTold(t *testing.T) {
	s := newSite(t)
	b := s.open(t, looks[0], "")
	b.enter()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // the test ends
	s.write(strings.Replace(s.original(), "pools:\n", fmt.Sprintf("  - {name: taken, address: %q, routes: [{path: /, pool: identity}]}\npools:\n", taken.Addr()), 1))
	b.shows("#pulse", "Refused")
	b.shows(".attention", "cannot bind")
	b.shows("#line-7.bad", "cannot bind")
	b.shows("#envoys", "ACK") // of what was accepted before
	b.axe("a refusal")
	b.picture("refused")
	s.serve("isNode1", "isNode2")
	s.write(s.original())
	b.sees(`document.getElementById("pulse").innerText === "Serving" && !document.querySelector(".attention .bad")`)
}

// TestTwoPeopleAtOnce tells the one who comes second what the first has done.
func TestTwoPeopleAtOnce(t *testing.T) {
	s := newSite(t)
	b := s.open(t, looks[1], `status of 409`)
	b.enter()
	b.press("switch-identity/isNode1")
	b.shows("dialog", "state: drain")
	s.write(strings.Replace(s.original(), "weight: 2", "weight: 5", 1))
	b.choose("Save")
	b.shows("dialog .fault", "Somebody else has changed the file meanwhile")
	b.axe("the conflict")
	b.picture("conflict")
	if strings.Contains(b.text(), "drain") {
		t.Fatal("it was saved")
	}
	b.saved("isNode1 drains")
	b.has("weight: 5")
	b.has("state: drain")
}

// TestViewersLook sees all of it, without controls.
func TestViewersLook(t *testing.T) {
	s := newSite(t)
	for _, l := range []look{looks[0], looks[3]} {
		b := s.open(t, l, "")
		b.do(navigate(s.url()))
		b.shows(".user", "viewer")
		b.shows("#file", "# the fast one")
		b.shows("#pools", "isNode2")
		if n := ask[int](b, `document.querySelectorAll("[data-preview], [data-sheet]").length`); n != 0 {
			t.Errorf("a viewer has %d controls", n)
		}
		b.fits()
		b.axe("the page of a viewer")
	}
}

// TestManyNodes finds some among many.
func TestManyNodes(t *testing.T) {
	s := newSite(t)
	text := s.original()
	for i := range 30 {
		text += fmt.Sprintf("      - {name: far%d, address: \"127.0.1.%d:9443\", state: standby}\n", i, i)
	}
	s.write(text)
	for _, l := range []look{looks[0], looks[2]} {
		b := s.open(t, l, "")
		b.enter()
		b.sees(`document.querySelectorAll(".nodes tbody tr").length === 32`)
		b.types("#filter", "far1 standby")
		b.sees(`document.querySelectorAll(".nodes tbody tr").length === 11`)
		b.shows("#shown", "11 of 32")
		b.axe("a filtered page")
		b.fits()
		b.picture("filtered")
		b.focused("filter")
		b.sees(`document.getElementById("filter").value === "far1 standby"`)
		ask[any](b, `window.before = document.querySelector(".fact .value").innerText; null`)
		b.types("#filter", "isnode")
		b.sees(`document.querySelectorAll(".nodes tbody tr").length === 2`)
	}
}

// TestSilenceIsTold: what is shown may be old.
func TestSilenceIsTold(t *testing.T) {
	s := newSite(t)
	b := s.open(t, looks[1], `ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|htmx:(sendError|afterRequest)`)
	b.enter()
	s.usher.end()
	b.shows("#stale", "usher does not answer")
	b.axe("a page that is old")
	b.picture("stale")
}

//go:build console

package console

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// look is how the page is looked at.
type look struct {
	width  int64
	scheme string
}

func (l look) String() string { return fmt.Sprintf("%d_%s", l.width, l.scheme) }

// tab is a browser with one page of a site.
type tab struct {
	*site
	t    *testing.T
	ctx  context.Context
	look look
	mu   sync.Mutex
	said []string
	ok   *regexp.Regexp // messages that a test causes on purpose
}

// open starts a browser. Whatever it writes to its console fails the test.
func (s *site) open(t *testing.T, l look, expected string) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.Flag("disable-dev-shm-usage", true))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(ctx)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	inner := *s
	inner.t = t
	b := &tab{site: &inner, t: t, ctx: ctx, look: l}
	if expected != "" {
		b.ok = regexp.MustCompile(expected)
	}
	t.Cleanup(func() { b.picture("end"); b.quiet(); cancel(); closeTab(); stop() })
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(l.width, 900)); err != nil { // the browser lives as long as this context
		t.Fatal(err)
	}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}})
	if err != nil {
		t.Fatal(err)
	}
	messages := chromedp.Console(ctx)
	go b.listen(func(yield func(chromedp.ConsoleMessage) bool) {
		for m, err := range messages {
			if err != nil || !yield(m) {
				return
			}
		}
	})
	return b
}

func (b *tab) listen(all func(func(chromedp.ConsoleMessage) bool)) {
	for m := range all {
		b.mu.Lock()
		b.said = append(b.said, fmt.Sprintf("%s %s %s %s", m.Type, m.Source, m.Text, m.URL))
		b.mu.Unlock()
	}
}

// quiet demands that the browser has said nothing: no error of a script, nothing
// that the policy has blocked, no request that failed.
func (b *tab) quiet() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.said {
		if b.ok == nil || !b.ok.MatchString(m) {
			b.t.Errorf("the browser's console says: %s", m)
		}
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.picture("fault")
		b.t.Fatal(err)
	}
}

// enter logs in as operator.
func (b *tab) enter() {
	b.t.Helper()
	b.do(chromedp.Navigate(b.link()))
	b.sees(`document.querySelectorAll("[data-preview]").length > 0 && document.querySelector("#file")`)
}

// ask is the value of an expression in the page.
func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// sees waits until something is so in the page.
func (b *tab) sees(expression string) {
	b.t.Helper()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(50 * time.Millisecond) {
		if v, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")")); err == nil && v {
			return
		}
	}
	b.picture("fault")
	b.t.Fatalf("it is not so: %s; focused is %s; the dialog says %s", expression, ask[string](b, `document.activeElement?.outerHTML.slice(0, 200) || ""`), ask[string](b, `document.querySelector("dialog[open]")?.innerText || "nothing"`))
}

// shows waits for a text in an element.
func (b *tab) shows(selector, text string) {
	b.t.Helper()
	b.sees(fmt.Sprintf(`[...document.querySelectorAll(%s)].some((e) => e.innerText.includes(%s))`, quoted(selector), quoted(text)))
}

func quoted(text string) string {
	out, _ := json.Marshal(text) // a string can be written
	return string(out)
}

// press clicks the element of an id, which may have a slash in it.
func (b *tab) press(id string) {
	b.t.Helper()
	b.sees(fmt.Sprintf(`document.getElementById(%s)`, quoted(id)))
	b.do(chromedp.Click(chromedp.CSS(fmt.Sprintf(`[id=%s]`, quoted(id)))))
}

// choose presses a button of the dialog by its words.
func (b *tab) choose(words string) {
	b.t.Helper()
	found := fmt.Sprintf(`[...document.querySelectorAll("dialog[open] button")].find((e) => e.innerText === %s)`, quoted(words))
	b.sees(found)
	ask[any](b, found+".click()")
}

// types replaces what an input has.
func (b *tab) types(selector, text string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS(selector)))
	ask[any](b, fmt.Sprintf(`document.querySelector(%s).focus(); document.querySelector(%s).select()`, quoted(selector), quoted(selector)))
	b.keys(text)
}

func (b *tab) keys(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

func (b *tab) focused(id string) {
	b.t.Helper()
	b.sees(fmt.Sprintf(`document.activeElement?.id === %s`, quoted(id)))
}

// fits demands that nothing reaches beyond the page's width.
func (b *tab) fits() {
	b.t.Helper()
	if w := ask[int64](b, `document.scrollingElement.scrollWidth`); w > b.look.width {
		b.picture("wide")
		b.t.Errorf("the page is %d px wide", w)
	}
}

const axeFile = "axe-core-4.14.1.min.js"

// axe demands that axe-core finds no serious fault in what is shown now.
func (b *tab) axe(where string) {
	b.t.Helper()
	if !ask[bool](b, `typeof axe === "object"`) {
		source, err := os.ReadFile(tool(axeFile))
		if err != nil {
			b.t.Fatal(err)
		}
		ask[any](b, string(source)+"; null")
	}
	type fault struct{ ID, Impact, Help, Where string }
	all, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]fault](`axe.run({resultTypes: ["violations"]}).then((r) => r.violations.flatMap((v) =>
		v.nodes.map((n) => ({ID: v.id, Impact: v.impact, Help: v.help, Where: n.target.join(" ") + ": " + n.failureSummary}))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range all {
		if f.Impact == "serious" || f.Impact == "critical" {
			b.picture("axe")
			b.t.Errorf("%s: axe: %s %s: %s\n%s", where, f.Impact, f.ID, f.Help, f.Where)
		} else {
			b.t.Logf("%s: axe: %s %s: %s", where, f.Impact, f.ID, f.Where)
		}
	}
}

// picture saves what is seen where $USHER_PICTURES names a folder.
func (b *tab) picture(name string) {
	folder := os.Getenv("USHER_PICTURES")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		name = strings.NewReplacer("/", "-").Replace(b.t.Name()) + "-" + b.look.String() + "-" + name + ".png"
		err = os.WriteFile(filepath.Join(folder, name), png, 0o600)
	}
	if err != nil {
		b.t.Log(err)
	}
}

func navigate(url string) chromedp.Action[chromedp.Void] { return chromedp.Navigate(url) }

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"usher/cmd/usher/api"
)

// hand makes a set of edits in its own way, as many of them as it can make in one
// go, and says what came of it: saved, or why not.
type hand func(all []api.Edit) (made int, refused string)

// byAPI puts all of them to the API.
func (s *site) byAPI(all []api.Edit) (int, string) {
	s.t.Helper()
	switch status, said := s.tell(api.Change{Base: hashOf([]byte(s.read())), Edits: all}); status {
	case http.StatusOK:
		return len(all), ""
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		return 0, said
	default:
		s.t.Fatalf("%d: %s", status, said)
		return 0, ""
	}
}

// verbs are the words of `usher node` for states.
var verbs = map[string]string{"": "enable", "active": "enable", "drain": "drain", "disabled": "disable", "standby": "standby"}

// byVerb makes those of the edits that one verb can make: the first, and others of
// its kind.
func (s *site) byVerb(all []api.Edit) (int, string) {
	s.t.Helper()
	first := all[0]
	args := []string{"node"}
	switch {
	case first.Op == "add":
		args = append(args, "add", first.Node, first.Address)
	case first.Op == "remove":
		args = append(args, "remove", first.Node)
	case first.Key == "weight" && first.Value == "":
		args = append(args, "weight", first.Node, "1")
	case first.Key == "weight":
		args = append(args, "weight", first.Node, first.Value)
	default:
		args = append(args, verbs[first.Value])
	}
	made := 1
	if first.Key == "state" {
		made = 0
		there := map[string]bool{}
		for _, e := range all {
			if e.Key == "state" && e.Value == first.Value && !there[e.Node] {
				there[e.Node] = true
				args = append(args, e.Node)
				made++
			}
		}
	}
	out, err := exec.Command(filepath.Join(bin, "usher"), append(args, "--config", s.config(), "--pool", "identity", "--no-wait")...).CombinedOutput()
	switch said := string(out); {
	case err != nil:
		return 0, said
	case strings.Contains(said, "nothing to change"):
		return 0, ""
	default:
		return made, ""
	}
}

// browser is a session in the console.
type browser struct {
	*http.Client
	base, token string
}

var (
	tokenOf  = regexp.MustCompile(`name="csrf" value="([^"]*)"`)
	hiddenOf = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// browse follows the link that `usher console` prints.
func (s *site) browse() *browser {
	s.t.Helper()
	link := strings.TrimSpace(s.must("console"))
	jar, _ := cookiejar.New(nil)
	b := &browser{Client: &http.Client{Jar: jar}, base: fmt.Sprintf("http://127.0.0.1:%d", s.console)}
	b.ask(s, http.MethodGet, link, nil)
	code, page := b.ask(s, http.MethodGet, b.base+"/", nil)
	found := tokenOf.FindStringSubmatch(page)
	if code != http.StatusOK || found == nil {
		s.t.Fatalf("the page: %d\n%s", code, page)
	}
	b.token = found[1]
	return b
}

func (b *browser) ask(s *site, method, target string, form url.Values) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, target, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("X-CSRF-Token", b.token)
	}
	resp, err := b.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// edit fills in the form for the first of the edits, looks at what it would do, and
// saves that.
func (b *browser) edit(s *site, all []api.Edit) (int, string) {
	s.t.Helper()
	e := all[0]
	form := url.Values{"act": {e.Op}, "pool": {e.Pool}, "node": {e.Node}, e.Key: {e.Value}, "address": {e.Address}}
	switch {
	case e.Key == "weight" && e.Value == "":
		form.Set("weight", "1")
	case e.Key == "state" && e.Value == "":
		form.Set("state", "active")
	}
	code, page := b.ask(s, http.MethodPost, b.base+"/console/preview", form)
	if code == http.StatusUnprocessableEntity && strings.Contains(page, "nothing would change") {
		return 0, ""
	}
	if code != http.StatusOK {
		return 0, page
	}
	shown := url.Values{}
	for _, field := range hiddenOf.FindAllStringSubmatch(page, -1) {
		shown.Set(field[1], field[2])
	}
	switch code, page = b.ask(s, http.MethodPost, b.base+"/console/save", shown); code {
	case http.StatusOK:
		return 1, ""
	case http.StatusUnprocessableEntity:
		return 0, page
	default:
		s.t.Fatalf("save: %d\n%s", code, page)
		return 0, ""
	}
}

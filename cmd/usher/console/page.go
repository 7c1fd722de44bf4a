package console

import (
	"net/http"
	"path/filepath"

	"usher/cmd/usher/login"
)

// whole is the page as it is loaded.
type whole struct {
	live
	User    login.User
	Token   string
	Known   bool // is logged in
	Version string
	File    string
}

// page answers with the whole page.
func (c *Console) page(w http.ResponseWriter, r *http.Request) {
	s := c.Status()
	p := whole{live: viewOf(s, c.latest(), c.Now(), audienceOf(r)), Token: login.Token(r.Context()), Version: s.Version, File: filepath.Base(s.Config)}
	p.User, _ = login.From(r.Context())
	p.Known = p.Token != ""
	show(w, http.StatusOK, "page", p)
}

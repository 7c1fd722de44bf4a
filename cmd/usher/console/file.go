package console

import (
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"usher/cmd/usher/login"
	"usher/model"
)

// paper is the part of the page with the file and what was changed in it.
type paper struct {
	Name      string
	Fault     string // why the file can't be read
	Lines     []line
	Left      int // lines that are not shown
	Problems  int
	Elsewhere model.Problems // those of no line that is shown
	History   history
	Operator  bool
}

// line is a line of the file with what is wrong with it.
type line struct {
	Number   int
	Text     string
	Problems model.Problems
}

// mostLines bounds what is shown of a long file; lines with problems always are.
const mostLines = 3000

// file answers with the file and its history, if they are not what they were.
func (c *Console) file(w http.ResponseWriter, r *http.Request) {
	user, _ := login.From(r.Context())
	p := paper{Name: filepath.Base(c.Status().Config), Operator: user.Role.May(login.Operator)}
	f, err := c.Desk.Read()
	if err != nil {
		p.Fault = err.Error()
	}
	problems := c.Status().Problems
	p.Problems = len(problems)
	p.Lines, p.Left = linesOf(string(f.Data), problems)
	p.Elsewhere = elsewhere(p.Lines, problems, c.Status().Config)
	all := r.FormValue("all") != ""
	p.History = c.history(f.Hash, all)
	poll(w, r, "text/html; charset=utf-8", render("paper", p))
}

// linesOf are the lines to show and how many more there are.
func linesOf(text string, problems model.Problems) (all []line, left int) {
	at := map[int]model.Problems{}
	for _, p := range problems {
		at[p.Line] = append(at[p.Line], p)
	}
	n := 0
	for t := range strings.Lines(text) {
		n++
		if n > mostLines && len(at[n]) == 0 {
			left++
			continue
		}
		all = append(all, line{n, strings.TrimRight(t, "\r\n"), at[n]})
	}
	return all, left
}

// elsewhere are the problems of no line of the cluster file: of the file as a whole,
// of a line that it no longer has, or of another file.
func elsewhere(shown []line, problems model.Problems, config string) (all model.Problems) {
	for _, p := range problems {
		if p.Line == 0 || p.File != config || !slices.ContainsFunc(shown, func(l line) bool { return l.Number == p.Line }) {
			all = append(all, p)
		}
	}
	return all
}

// Where is what a problem is about, for the lines of the page.
func (l line) Where() string { return "line-" + strconv.Itoa(l.Number) }

// entry answers with the diff of one change.
func (c *Console) entry(w http.ResponseWriter, r *http.Request) {
	e, err := c.Desk.Entry(r.PathValue("id"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	show(w, http.StatusOK, "diff", e.Diff)
}

package console

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"usher/cmd/usher/desk"
	"usher/cmd/usher/login"
	"usher/model"
)

// via is how the journal knows the console.
const via = "console"

var errUnknown = errors.New("the form asks for something that usher does not know: load the page again")

// sheet is what the page asks or shows in its dialog.
type sheet struct {
	form
	Title   string
	Words   string // why it is shown again
	Preview desk.Preview
	States  any
	File    string
}

// preview shows what saving would do.
func (c *Console) preview(w http.ResponseWriter, r *http.Request) {
	f := readForm(r)
	p, err := f.preview(r, c.Desk)
	if err != nil {
		c.again(w, f, err)
		return
	}
	if p.Diff == "" {
		c.again(w, f, errors.New("nothing would change"))
		return
	}
	c.showPreview(w, http.StatusOK, f, p, "")
}

func (c *Console) showPreview(w http.ResponseWriter, code int, f form, p desk.Preview, words string) {
	f.Base, f.After = p.Before.Hash, p.After.Hash
	show(w, code, "preview", sheet{form: f, Title: f.title(), Words: words, Preview: p})
}

// again shows the form with what is wrong in it.
func (c *Console) again(w http.ResponseWriter, f form, err error) {
	s := sheet{form: f, Title: f.title(), Words: plain(err), States: states}
	name := "refused"
	switch f.Act {
	case actSet, actRemove:
		name = "node"
		if !c.has(f) {
			name = "refused"
		}
	case actAdd:
		name = "add"
	}
	show(w, http.StatusUnprocessableEntity, name, s)
}

// plain is an error without the places of a file that nobody has written.
func plain(err error) string {
	var problems model.Problems
	if !errors.As(err, &problems) {
		return err.Error()
	}
	var all []string
	for _, p := range problems {
		text := p.What
		if p.Hint != "" {
			text += ": " + p.Hint
		}
		all = append(all, text)
	}
	return strings.Join(all, "\n")
}

// save puts what was shown in the place of the file. Where that is no longer what
// it would do, it shows what it would do now, and saves nothing.
func (c *Console) save(w http.ResponseWriter, r *http.Request) {
	f := readForm(r)
	p, err := f.preview(r, c.Desk)
	if err != nil {
		c.again(w, f, err)
		return
	}
	switch {
	case p.Diff == "":
		c.again(w, f, errors.New("nothing is left to change: somebody else has done it meanwhile"))
		return
	case p.Before.Hash != f.Base || p.After.Hash != f.After:
		c.showPreview(w, http.StatusConflict, f, p, changedMeanwhile)
		return
	case len(p.Problems) > 0:
		c.showPreview(w, http.StatusUnprocessableEntity, f, p, "This would not be served, and was not saved.")
		return
	}
	c.put(w, r, f, p)
}

const changedMeanwhile = "Somebody else has changed the file meanwhile. Nothing was saved. This is what your change does to the file as it is now:"

func (c *Console) put(w http.ResponseWriter, r *http.Request, f form, p desk.Preview) {
	user, _ := login.From(r.Context())
	e, err := c.Desk.Save(r.Context(), desk.Author{Name: user.Name, Via: via}, f.Base, p.After.Data)
	if errors.Is(err, desk.ErrChanged) {
		login.Audit(r.Context(), f.title(), login.Failed, slog.String("why", err.Error()))
		if p, err := f.preview(r, c.Desk); err == nil {
			c.showPreview(w, http.StatusConflict, f, p, changedMeanwhile)
			return
		}
	}
	if err != nil {
		login.Audit(r.Context(), f.title(), login.Failed, slog.String("why", err.Error()))
		c.again(w, f, err)
		return
	}
	login.Audit(r.Context(), strings.Join(e.Words, "; "), login.Done, slog.String("change", e.ID))
	w.Header().Set("HX-Trigger", "saved")
	show(w, http.StatusOK, "saved", e)
}

// title says what is asked for.
func (f form) title() string {
	switch f.Act {
	case actAdd:
		return "Add a node to pool " + f.Pool
	case actRemove:
		return "Remove node " + f.Node + " from pool " + f.Pool
	case actTakeBack:
		return "Take back change " + f.ID
	}
	return "Node " + f.Node + " of pool " + f.Pool
}

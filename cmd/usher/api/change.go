package api

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"syscall"

	"usher/cmd/usher/desk"
	"usher/cmd/usher/login"
	"usher/model"
)

// Change is what somebody wants of the cluster file: edits of its nodes, or a whole
// text.
type Change struct {
	// Base is the hash of the file that was looked at. The change is refused when it
	// is another one by now. Required to save.
	Base string `json:"base,omitempty"`
	// Edits are made one after the other.
	Edits []Edit `json:"edits,omitempty"`
	// Text is the whole file, in the place of edits.
	Text *string `json:"text,omitempty"`
}

// Undo is how a change is taken back.
type Undo struct {
	// Base is the hash of the file that was looked at, as in Change; without it the
	// file may be any.
	Base string `json:"base,omitempty"`
}

// Edit is one change of a node.
type Edit struct {
	// Op is `set`, `add` or `remove`.
	Op   string `json:"op"`
	Pool string `json:"pool"`
	Node string `json:"node"`
	// Key is state, weight, address, set or redirect; for set alone.
	Key string `json:"key,omitempty"`
	// Value is what the key becomes; empty is its default.
	Value string `json:"value,omitempty"`
	// Address is that of a node that is added, HOST:PORT.
	Address string `json:"address,omitempty"`
}

// File is the cluster file with what is wrong with it.
type File struct {
	Text     string         `json:"text"`
	Hash     string         `json:"hash"`
	Problems model.Problems `json:"problems"`
}

// edit is the edit as model makes it.
func (e Edit) edit() (model.Edit, error) {
	switch e.Op {
	case "set":
		return model.SetNode(e.Pool, e.Node, e.Key, e.Value), nil
	case "remove":
		return model.RemoveNode(e.Pool, e.Node), nil
	case "add":
		address, err := model.ParseAddress(e.Address)
		if err != nil {
			return nil, bad("address %q: %v", e.Address, err)
		}
		return model.AddNode(e.Pool, model.Node{Name: e.Node, Address: address}), nil
	}
	return nil, bad("op %q is not set, add or remove", e.Op)
}

func (h *handler) file(r *http.Request) (any, error) {
	f, err := h.b.Desk().Read()
	if err != nil {
		return nil, err
	}
	_, problems := model.Parse(h.b.Status().Config, f.Data)
	if problems == nil {
		problems = model.Problems{}
	}
	return File{string(f.Data), f.Hash, problems}, nil
}

func (h *handler) preview(r *http.Request) (any, error) {
	var c Change
	if err := read(r, &c); err != nil {
		return nil, err
	}
	return h.previewed(r.Context(), c)
}

func (h *handler) previewed(ctx context.Context, c Change) (p desk.Preview, err error) {
	d := h.b.Desk()
	if c.Text != nil {
		f, err := d.Read()
		if err == nil && c.Base != "" && c.Base != f.Hash {
			err = desk.ErrChanged
		}
		if err != nil {
			return p, deskProblem(err)
		}
		return d.Compare(ctx, f.Data, []byte(*c.Text)), nil
	}
	var edits []model.Edit
	for _, e := range c.Edits {
		made, err := e.edit()
		if err != nil {
			return p, err
		}
		edits = append(edits, made)
	}
	if len(edits) == 0 {
		return p, bad("neither edits nor a text")
	}
	p, err = d.Preview(ctx, c.Base, edits...)
	return p, deskProblem(err)
}

// save is a preview that is carried out.
func (h *handler) save(r *http.Request) (any, error) {
	var c Change
	if err := read(r, &c); err != nil {
		return nil, err
	}
	if c.Base == "" {
		return nil, bad("base is the hash of the file that you have looked at")
	}
	p, err := h.previewed(r.Context(), c)
	switch {
	case err != nil:
		return nil, err
	case len(p.Problems) > 0:
		return nil, &Problem{Status: http.StatusUnprocessableEntity, Title: "the file would have faults", Detail: p.Problems.Error()}
	}
	e, err := h.b.Desk().Save(r.Context(), author(r), p.Before.Hash, p.After.Data)
	h.audit(r.Context(), e, err)
	return e, deskProblem(err)
}

func (h *handler) history(*http.Request) (any, error) { return h.b.Desk().History() }

func (h *handler) entry(r *http.Request) (any, error) {
	e, err := h.b.Desk().Entry(r.PathValue("id"))
	return e, deskProblem(err)
}

func (h *handler) undoPreview(r *http.Request) (any, error) {
	p, err := h.b.Desk().PreviewTakeBack(r.Context(), r.PathValue("id"))
	return p, deskProblem(err)
}

func (h *handler) undo(r *http.Request) (any, error) {
	var u Undo
	if r.ContentLength != 0 {
		if err := read(r, &u); err != nil {
			return nil, err
		}
	}
	e, err := h.b.Desk().TakeBack(r.Context(), author(r), u.Base, r.PathValue("id"))
	login.Audit(r.Context(), "takes back change "+r.PathValue("id"), result(err))
	return e, deskProblem(err)
}

// HeaderOperator names who types a verb, at the socket: a change is noted as the
// verb's then, and where the system says that root asks, as made by whom it names,
// who called sudo.
const HeaderOperator = "Usher-Operator"

func author(r *http.Request) desk.Author {
	user, _ := login.From(r.Context())
	by := desk.Author{Name: user.Name, Via: "api"}
	if said := r.Header.Get(HeaderOperator); said != "" && user.Via == login.ViaSocket {
		by.Via = desk.ViaCommand
		if user.Name == "root" {
			by.Name = said
		}
	}
	return by
}

func (h *handler) audit(ctx context.Context, e desk.Entry, err error) {
	what := "changes the cluster file"
	for _, w := range e.Words {
		what += "; " + w
	}
	login.Audit(ctx, what, result(err))
}

func result(err error) login.Result {
	if err != nil {
		return login.Refused
	}
	return login.Done
}

// deskProblem gives errors of the desk their status.
func deskProblem(err error) error {
	var faults model.Problems
	var known *Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, desk.ErrChanged):
		return &Problem{Status: http.StatusConflict, Title: err.Error()}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return &Problem{Status: http.StatusForbidden, Title: err.Error()}
	case errors.Is(err, fs.ErrNotExist):
		return &Problem{Status: http.StatusNotFound, Title: err.Error()}
	case errors.As(err, &faults):
		return &Problem{Status: http.StatusUnprocessableEntity, Title: "the file would have faults", Detail: faults.Error()}
	}
	return &Problem{Status: http.StatusUnprocessableEntity, Title: err.Error()}
}

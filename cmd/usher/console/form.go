package console

import (
	"net/http"
	"net/url"
	"strings"

	"usher/cmd/usher/desk"
	"usher/model"
)

// What a form can ask for.
const (
	actSet      = "set"
	actAdd      = "add"
	actRemove   = "remove"
	actTakeBack = "takeback"
)

// form is what a person wants to be done. It says of a node also what its state and
// weight were when the person looked: only what differs is a change, so that nobody
// puts back what somebody else has done meanwhile.
type form struct {
	Act, Pool, Node            string
	State, WasState            string
	Weight, WasWeight, Address string
	ID                         string // of the change to take back
	Base, After                string // hashes of the file before and after, as shown
}

func readForm(r *http.Request) form {
	get := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	return form{
		Act: get("act"), Pool: get("pool"), Node: get("node"), State: get("state"), WasState: get("was_state"),
		Weight: get("weight"), WasWeight: get("was_weight"), Address: get("address"), ID: get("id"),
		Base: get("base"), After: get("after"),
	}
}

// Fields are those that the form for saving carries on.
func (f form) Fields() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{
		"act": f.Act, "pool": f.Pool, "node": f.Node, "state": f.State, "was_state": f.WasState,
		"weight": f.Weight, "was_weight": f.WasWeight, "address": f.Address, "id": f.ID,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// edits are the changes that the form asks for.
func (f form) edits() ([]model.Edit, error) {
	switch f.Act {
	case actSet:
		return f.set(), nil
	case actAdd:
		address, err := model.ParseAddress(f.Address)
		if err != nil {
			return nil, err
		}
		f.WasState, f.WasWeight = string(model.Active), "1"
		add := model.AddNode(f.Pool, model.Node{Name: f.Node, Address: address})
		return append([]model.Edit{add}, f.set()...), nil
	case actRemove:
		return []model.Edit{model.RemoveNode(f.Pool, f.Node)}, nil
	}
	return nil, errUnknown
}

func (f form) set() (all []model.Edit) {
	if f.State != "" && f.State != f.WasState {
		all = append(all, model.SetNode(f.Pool, f.Node, "state", f.State))
	}
	if f.Weight != "" && f.Weight != f.WasWeight {
		all = append(all, model.SetNode(f.Pool, f.Node, "weight", f.Weight))
	}
	return all
}

// preview is what it would do to the file as it is now.
func (f form) preview(r *http.Request, d *desk.Desk) (desk.Preview, error) {
	if f.Act == actTakeBack {
		return d.PreviewTakeBack(r.Context(), f.ID)
	}
	edits, err := f.edits()
	if err != nil {
		return desk.Preview{}, err
	}
	return d.Preview(r.Context(), "", edits...)
}

// query is a form as a button of the page sends it.
func (f form) query() string { return f.Fields().Encode() }

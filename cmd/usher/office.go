package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"usher/cmd/usher/api"
	"usher/cmd/usher/desk"
)

// office is where a verb has changes judged and saved, and looks at those before:
// with the usher that runs the file, or where none does, at a desk of its own.
type office interface {
	// propose is what saving after would do; base is the hash of the file that was
	// looked at. It is desk.ErrChanged where that is another one by now.
	propose(ctx context.Context, base string, after []byte) (proposal, error)
	// takeBack is what taking a change back would do.
	takeBack(ctx context.Context, id string) (proposal, error)
	history(ctx context.Context) ([]desk.Entry, error)
	entry(ctx context.Context, id string) (desk.Entry, error)
}

// proposal is a change that is judged, and not saved yet.
type proposal struct {
	desk.Preview
	save func(context.Context) (desk.Entry, error)
}

// office finds who judges and saves: the usher of this state folder, if it runs
// this very file.
func (c *change) office(ctx context.Context) (office, error) {
	c.named = c.config
	if err := c.resolve(); err != nil {
		return nil, err
	}
	own := ownDesk{desk.New(c.named, c.state, checker(c.named, c.places, c.envoy))}
	client := c.client()
	if now, err := client.Status(ctx); err != nil || now.Config != c.config {
		return own, nil
	}
	client.Operator = operator().Name
	return &theirDesk{client: client, own: own, named: c.named}, nil
}

// ownDesk is a desk in this program.
type ownDesk struct{ desk *desk.Desk }

func (o ownDesk) propose(ctx context.Context, base string, after []byte) (proposal, error) {
	f, err := o.desk.Read()
	if err == nil && f.Hash != base {
		err = desk.ErrChanged
	}
	if err != nil {
		return proposal{}, err
	}
	return o.proposed(o.desk.Compare(ctx, f.Data, after)), nil
}

func (o ownDesk) takeBack(ctx context.Context, id string) (proposal, error) {
	p, err := o.desk.PreviewTakeBack(ctx, id)
	return o.proposed(p), err
}

func (o ownDesk) proposed(p desk.Preview) proposal {
	return proposal{p, func(ctx context.Context) (desk.Entry, error) {
		return o.desk.Save(ctx, operator(), p.Before.Hash, p.After.Data)
	}}
}

func (o ownDesk) history(context.Context) ([]desk.Entry, error) { return o.desk.History() }

func (o ownDesk) entry(_ context.Context, id string) (desk.Entry, error) { return o.desk.Entry(id) }

// theirDesk is that of the usher that runs. Where that may not write the file, as a service
// whose folder /etc is not its own, whoever types the verb may still: it is saved
// at the own desk then.
type theirDesk struct {
	client *api.Client
	own    ownDesk
	named  string // the file as it was typed
}

func (a *theirDesk) propose(ctx context.Context, base string, after []byte) (proposal, error) {
	text := string(after)
	c := api.Change{Base: base, Text: &text}
	p := proposal{}
	err := a.client.Do(ctx, http.MethodPost, "/file/preview", c, &p.Preview)
	p.save = func(ctx context.Context) (e desk.Entry, err error) {
		return a.saved(ctx, http.MethodPut, "/file", c, func() (proposal, error) { return a.own.propose(ctx, base, after) })
	}
	return a.typed(p), asDesk(err)
}

func (a *theirDesk) takeBack(ctx context.Context, id string) (proposal, error) {
	p := proposal{}
	path := "/history/" + url.PathEscape(id) + "/undo"
	err := a.client.Do(ctx, http.MethodGet, path, nil, &p.Preview)
	p.save = func(ctx context.Context) (desk.Entry, error) {
		return a.saved(ctx, http.MethodPost, path, api.Undo{Base: p.Before.Hash}, func() (proposal, error) {
			own, err := a.own.takeBack(ctx, id)
			if err == nil && own.After.Hash != p.After.Hash {
				err = desk.ErrChanged
			}
			return own, err
		})
	}
	return a.typed(p), asDesk(err)
}

// saved has a change saved, by the usher that runs or else here.
func (a *theirDesk) saved(ctx context.Context, method, path string, body any, own func() (proposal, error)) (e desk.Entry, err error) {
	err = a.client.Do(ctx, method, path, body, &e)
	var p *api.Problem
	if !errors.As(err, &p) || p.Status != http.StatusForbidden {
		return e, asDesk(err)
	}
	again, err := own()
	if err != nil {
		return desk.Entry{}, err
	}
	return again.save(ctx)
}

func (a *theirDesk) history(ctx context.Context) (all []desk.Entry, err error) {
	return all, asDesk(a.client.Do(ctx, http.MethodGet, "/history", nil, &all))
}

func (a *theirDesk) entry(ctx context.Context, id string) (e desk.Entry, err error) {
	return e, asDesk(a.client.Do(ctx, http.MethodGet, "/history/"+url.PathEscape(id), nil, &e))
}

// typed has the problems speak of the file as it was typed.
func (a *theirDesk) typed(p proposal) proposal {
	for i := range p.Problems {
		p.Problems[i].File = a.named
	}
	return p
}

// asDesk is a problem of the API as the desk says it: in its words alone.
func asDesk(err error) error {
	var p *api.Problem
	switch {
	case errors.As(err, &p) && p.Status == http.StatusConflict:
		return desk.ErrChanged
	case errors.As(err, &p):
		return p
	}
	return err
}

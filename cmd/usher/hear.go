package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// clockLimit is by how much a node's clock may differ: signed messages of logins
// are refused when clocks differ by minutes, and seconds are the beginning.
const clockLimit = 5 * time.Second

// hear asks a node for its session and its health.
func (q question) hear(ctx context.Context) (all []remark) {
	if way, ok := begins(q.pool); ok {
		all = append(all, beginning{q, way}.hear(ctx)...)
	}
	if q.pool.Health.Path != "" {
		all = append(all, q.healthy(ctx))
	}
	return all
}

func (b beginning) hear(ctx context.Context) (all []remark) {
	s, err := b.begin(ctx)
	switch o := s.objection(b.node); {
	case err != nil:
		return []remark{{text: fmt.Sprintf("session: %s can't be asked for: %v", s.path, err)}}
	case o != nil:
		all = append(all, remark{"session: " + s.cookie + " of " + s.path, o})
	case s.begun:
		all = append(all, remark{text: fmt.Sprintf("session: %s of %s ends in %s, as it should", s.cookie, s.path, s.name)})
	default:
		all = append(all, remark{text: fmt.Sprintf("session: %s begins none; name a page that does in session_path", s.path)})
	}
	switch {
	case !s.dated:
	case s.ahead.Abs() <= clockLimit:
		all = append(all, remark{text: "clock: the same"})
	case s.ahead > 0:
		all = append(all, remark{text: fmt.Sprintf("clock: %s ahead of this machine's; synchronize both", s.ahead)})
	default:
		all = append(all, remark{text: fmt.Sprintf("clock: %s behind this machine's; synchronize both", -s.ahead)})
	}
	return all
}

// healthy asks for the health as the check does.
func (q question) healthy(ctx context.Context) remark {
	began := time.Now()
	w, status, err := q.answer(ctx)
	took := time.Since(began).Round(time.Millisecond)
	switch {
	case err != nil:
		return remark{text: fmt.Sprintf("health: %s can't be asked for: %v", q.pool.Health.Path, err)}
	case w.note != "":
		return remark{text: fmt.Sprintf("health: it answers %d, but %s", status, w.note)}
	case w.drain:
		return remark{text: fmt.Sprintf("health: it answers %d after %s, and asks to be drained", status, took)}
	}
	return remark{text: fmt.Sprintf("health: it answers %d after %s", status, took)}
}

// answer asks for the health and reads what the node wishes.
func (q question) answer(ctx context.Context) (w wish, status int, err error) {
	resp, err := q.send(ctx)
	if err != nil {
		return wish{}, 0, err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerBytes))
	if err != nil {
		return wish{}, 0, err
	}
	return q.read(resp, body), resp.StatusCode, nil
}

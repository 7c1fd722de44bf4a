package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"usher/model"
	"usher/xds"
	"usher/xds/pki"
)

// The commonest mistake of a cluster is a node that was started with another
// node's jvmRoute, or with none: its sessions are then sent to somebody else. So
// each is asked for a page that begins a session.

// sessionsEvery is the time between two sessions that usher begins on a node.
const sessionsEvery = 5 * time.Minute

// beginning is how a node is asked for a session.
type beginning struct {
	question
	way model.Sticky
}

// beginnings are those of all pools whose sessions name their node by themselves.
func (p publication) beginnings() map[xds.NodeOf]inquiry {
	all := map[xds.NodeOf]inquiry{}
	for _, pool := range p.cluster.Pools {
		way, ok := begins(pool)
		if !ok {
			continue
		}
		m := p.manner(pool)
		for _, n := range pool.Nodes {
			if q, ok := p.question(m, n); ok {
				all[xds.NodeOf{Pool: pool.Name, Node: n.Name}] = beginning{q, way}
			}
		}
	}
	return all
}

// begins is how a pool's nodes begin sessions.
func begins(p model.Pool) (model.Sticky, bool) {
	for _, s := range p.Sticky {
		if s.JVMRoute != "" && s.SessionPath != model.NoText && p.Protocol != model.HTTP2 {
			return s, true
		}
	}
	return model.Sticky{}, false
}

func (b beginning) every() time.Duration { return sessionsEvery }

func (b beginning) same(as inquiry) bool {
	o, ok := as.(beginning)
	return ok && b.alike(o.question) && b.way == o.way
}

// ask tells whose session the node begins, where that is a fault.
func (b beginning) ask(ctx context.Context) (wish, error) {
	s, err := b.begin(ctx)
	if o := s.objection(b.node); err == nil && o != nil {
		return wish{note: o.What + ": " + o.Hint}, nil
	}
	return wish{}, err
}

// session is what a node's answer says of the session that it begins.
type session struct {
	path, cookie string
	begun        bool
	name         string        // of a node, in its id
	ahead        time.Duration // the node's clock
	dated        bool
}

// begin asks for a page as somebody who has no session.
func (b beginning) begin(ctx context.Context) (s session, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	s = session{path: b.way.SessionPath, cookie: b.way.JVMRoute}
	scheme := "http"
	if b.pool.TLS != nil {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+b.at+s.path, nil)
	if err != nil {
		return s, err
	}
	req.Host = xds.HostOf(b.node)
	req.Header.Set("User-Agent", "usher/"+version)
	transport, err := b.transport()
	if err != nil {
		return s, err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	s.read(resp, b.way, time.Now())
	return s, nil
}

func (s *session) read(resp *http.Response, way model.Sticky, now time.Time) {
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		s.dated, s.ahead = true, at.Sub(now.Truncate(time.Second))
	}
	for _, c := range resp.Cookies() {
		if c.Name == s.cookie && c.Value != "" {
			s.begun, s.name = true, nameIn(strings.Trim(c.Value, `"`), way.Separator)
		}
	}
}

// nameIn is the node's name in a session id: behind the first separator, or all of
// it where there is none to be.
func nameIn(id, separator string) string {
	if separator == model.NoText {
		return id
	}
	_, name, _ := strings.Cut(id, separator)
	return name
}

// objection is what is wrong with the sessions that a node begins; nil where nothing
// is, or it begins none.
func (s session) objection(n model.Node) *pki.Objection {
	hint := fmt.Sprintf("start it with -DjvmRoute=%s, or give it that name in the file", n.Name)
	switch {
	case !s.begun || s.name == n.Name:
		return nil
	case s.name == "":
		return &pki.Objection{What: "its sessions name no node", Hint: fmt.Sprintf("start it with -DjvmRoute=%s", n.Name)}
	}
	return &pki.Objection{What: fmt.Sprintf("its sessions end in %q, so that they are sent elsewhere", s.name), Hint: hint}
}

// drifted follows what is known of the nodes' sessions.
func (l *loop) drifted(drifts map[xds.NodeOf]wish) {
	if !l.serving() {
		return
	}
	p := l.now
	p.drifts = those(drifts, p.beginnings)
	p.describe()
	l.warn(p)
	l.now = p
}

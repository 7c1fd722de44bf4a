package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"usher/model"
	"usher/xds"
	"usher/xds/pki"
)

// wish is what a node says of itself when usher asks its health: to be drained,
// or something that an administrator should know.
type wish struct {
	drain bool
	note  string
}

// question is how a node is asked.
type question struct {
	*manner
	node model.Node
	at   string // IP:PORT
}

// manner is what the questions to all nodes of a pool have in common.
type manner struct {
	pool   model.Pool
	roots  []byte
	client pki.Pair
	words  string // all of it that counts: equal words, equal manners
}

func (p publication) manner(pool model.Pool) *manner {
	m := &manner{pool: pool, roots: p.roots[pool.Name]}
	if pool.TLS != nil {
		m.client = p.pairs[pool.TLS.Certificate]
	}
	m.words = fmt.Sprint(pool.Host, pool.Health, pool.TLS, string(m.roots), string(m.client.Chain))
	return m
}

// answerBytes is how much of an answer is read.
const answerBytes = 64 << 10

// switchedOff is what is said of a health API that answers everything with 200.
const switchedOff = "its health API is switched off, so that only its connections are checked: enable it on the node"

// questions are those to the nodes of all pools that usher asks, by node.
func (p publication) questions() map[xds.NodeOf]inquiry {
	all := map[xds.NodeOf]inquiry{}
	for _, pool := range p.cluster.Pools {
		if !pool.Health.Asks() {
			continue
		}
		m := p.manner(pool)
		for _, n := range pool.Nodes {
			if q, ok := p.question(m, n); ok {
				all[xds.NodeOf{Pool: pool.Name, Node: n.Name}] = q
			}
		}
	}
	return all
}

// question is how a node is asked, where something may reach it.
func (p publication) question(m *manner, n model.Node) (question, bool) {
	ip := n.Address.IP()
	if !ip.IsValid() {
		ip = p.answers[n.Address].ip
	}
	q := question{m, n, netip.AddrPortFrom(ip, n.Address.Port).String()}
	return q, n.State != model.Disabled && ip.IsValid()
}

// inquiry is what a node is asked again and again.
type inquiry interface {
	ask(ctx context.Context) (wish, error)
	every() time.Duration
	same(as inquiry) bool
}

// same tells whether two questions are one.
func (q question) same(as inquiry) bool {
	o, ok := as.(question)
	return ok && q.alike(o)
}

func (q question) alike(o question) bool { return q.at == o.at && q.words == o.words }

// every is the time between two questions to a node.
func (q question) every() time.Duration { return max(q.pool.Health.Interval.Std(), time.Second) }

// ask asks one node, as Envoy's check does. A node that does not answer wishes
// nothing: whether it is out is Envoy's to find.
func (q question) ask(ctx context.Context) (wish, error) {
	ctx, cancel := context.WithTimeout(ctx, q.pool.Health.Timeout.Std())
	defer cancel()
	w, _, err := q.answer(ctx)
	return w, err
}

// send asks for the health.
func (q question) send(ctx context.Context) (*http.Response, error) {
	scheme := "http"
	if q.pool.TLS != nil {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, string(q.pool.Health.Method), scheme+"://"+q.at+q.pool.Health.Path, nil)
	if err != nil {
		return nil, err
	}
	req.Host = xds.HostOf(q.node)
	if q.pool.Health.Host != "" {
		req.Host = q.pool.Health.Host
	}
	for name, value := range q.pool.Health.Headers {
		req.Header.Set(name, value)
	}
	transport, err := q.transport()
	if err != nil {
		return nil, err
	}
	return transport.RoundTrip(req)
}

// transport speaks to the node as the pool does, one question a connection.
func (q question) transport() (*http.Transport, error) {
	t := &http.Transport{DisableKeepAlives: true, Proxy: nil, DialContext: (&net.Dialer{}).DialContext}
	if q.pool.Protocol == model.HTTP2 {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP2(true)
		t.Protocols.SetUnencryptedHTTP2(true)
	}
	if q.pool.TLS == nil {
		return t, nil
	}
	config, err := pki.JudgeTLS(xds.NodeSNI(q.pool, q.node), q.client, time.Now, func(seen pki.Seen) []pki.Objection {
		s := sight{pool: q.pool, node: q.node, seen: seen}
		return s.verdict(q.pool.TLS.Verify, q.roots)
	})
	t.TLSClientConfig = config
	return t, err
}

// read finds the wish in an answer.
func (q question) read(resp *http.Response, body []byte) (w wish) {
	is := func(r model.StatusRange) bool { return r.Has(model.Status(resp.StatusCode)) } //nolint:gosec // a status of HTTP
	w.drain = slices.ContainsFunc(q.pool.Health.DrainStatus, is) ||
		q.pool.Health.DrainHeader != "" && resp.Header.Get(q.pool.Health.DrainHeader) != ""
	if q.pool.Health.Preset == model.HealthWSO2 && resp.StatusCode == http.StatusOK && !bytes.Contains(body, []byte(`"health"`)) {
		w.note = switchedOff
	}
	return w
}

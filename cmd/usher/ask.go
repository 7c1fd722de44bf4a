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
	sight
	at     string // IP:PORT
	health model.Health
	roots  []byte
	client pki.Pair
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
		for _, n := range pool.Nodes {
			if q, ok := p.question(pool, n); ok {
				all[xds.NodeOf{Pool: pool.Name, Node: n.Name}] = q
			}
		}
	}
	return all
}

// question is how a node is asked, where something may reach it.
func (p publication) question(pool model.Pool, n model.Node) (question, bool) {
	ip := n.Address.IP()
	if !ip.IsValid() {
		ip = p.answers[n.Address].ip
	}
	q := question{sight: sight{pool: pool, node: n}, health: pool.Health, roots: p.roots[pool.Name], at: netip.AddrPortFrom(ip, n.Address.Port).String()}
	if pool.TLS != nil {
		q.client = p.pairs[pool.TLS.Certificate]
	}
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

func (q question) alike(o question) bool {
	return q.at == o.at && q.pool.Host == o.pool.Host && fmt.Sprint(q.health) == fmt.Sprint(o.health) &&
		fmt.Sprint(q.pool.TLS) == fmt.Sprint(o.pool.TLS) && bytes.Equal(q.roots, o.roots) && bytes.Equal(q.client.Chain, o.client.Chain)
}

// every is the time between two questions to a node.
func (q question) every() time.Duration { return max(q.health.Interval.Std(), time.Second) }

// ask asks one node, as Envoy's check does. A node that does not answer wishes
// nothing: whether it is out is Envoy's to find.
func (q question) ask(ctx context.Context) (wish, error) {
	ctx, cancel := context.WithTimeout(ctx, q.health.Timeout.Std())
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
	req, err := http.NewRequestWithContext(ctx, string(q.health.Method), scheme+"://"+q.at+q.health.Path, nil)
	if err != nil {
		return nil, err
	}
	req.Host = xds.HostOf(q.node)
	if q.health.Host != "" {
		req.Host = q.health.Host
	}
	for name, value := range q.health.Headers {
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
		s := q.sight
		s.seen = seen
		return s.verdict(q.pool.TLS.Verify, q.roots)
	})
	t.TLSClientConfig = config
	return t, err
}

// read finds the wish in an answer.
func (q question) read(resp *http.Response, body []byte) (w wish) {
	is := func(r model.StatusRange) bool { return r.Has(model.Status(resp.StatusCode)) } //nolint:gosec // a status of HTTP
	w.drain = slices.ContainsFunc(q.health.DrainStatus, is) ||
		q.health.DrainHeader != "" && resp.Header.Get(q.health.DrainHeader) != ""
	if q.health.Preset == model.HealthWSO2 && resp.StatusCode == http.StatusOK && !bytes.Contains(body, []byte(`"health"`)) {
		w.note = switchedOff
	}
	return w
}

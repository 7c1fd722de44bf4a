package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"usher/model"
	"usher/xds"
	"usher/xds/pki"
)

const (
	lookLimit  = 5 * time.Second // for a node
	plainLimit = time.Second     // for one without TLS, which may wait for the end of a line
	lookAtOnce = 32
)

// sight is a node as it was seen on the wire.
type sight struct {
	pool model.Pool
	node model.Node
	seen pki.Seen
	err  error // why no certificate was seen
	said []remark
}

// remark is what a node said when it was asked for something.
type remark struct {
	text  string
	fault *pki.Objection // what is wrong with it
}

// look connects to every node, of pools with TLS and without, and hangs up. The
// sights are in the order of the file.
func look(ctx context.Context, p publication, now time.Time) []sight {
	var all []sight
	for _, pool := range p.cluster.Pools {
		for _, n := range pool.Nodes {
			all = append(all, sight{pool: pool, node: n})
		}
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, lookAtOnce)
	for i := range all {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			all[i].look(ctx, p, now)
		})
	}
	group.Wait()
	return all
}

func (s *sight) look(ctx context.Context, p publication, now time.Time) {
	limit, client := plainLimit, pki.Pair{}
	if s.pool.TLS != nil {
		limit, client = lookLimit, p.pairs[s.pool.TLS.Certificate]
	}
	ip := s.node.Address.IP()
	if found := p.answers[s.node.Address]; !ip.IsValid() {
		if ip = found.ip; !ip.IsValid() {
			s.err = fmt.Errorf("%w: %w", pki.ErrNoConnection, found.fault)
			return
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	at := netip.AddrPortFrom(ip, s.node.Address.Port).String()
	s.seen, s.err = pki.Probe(ctx, at, xds.NodeSNI(s.pool, s.node), client, now)
	if q, ok := p.question(p.manner(s.pool), s.node); ok && len(s.faults()) == 0 && !s.refused(q.roots) {
		s.said = q.hear(ctx)
	}
}

// refused tells whether the file's verification would end a conversation.
func (s *sight) refused(roots []byte) bool {
	return s.pool.TLS != nil && len(s.verdict(s.pool.TLS.Verify, roots)) > 0
}

// faults are why the node can't be spoken to at all, in whatever mode.
func (s *sight) faults() []pki.Objection {
	speaks := s.pool.TLS != nil
	switch {
	case errors.Is(s.err, pki.ErrNoConnection):
		return []pki.Objection{{What: s.err.Error(), Hint: "is the node up, and is this its address?"}}
	case !speaks && s.err == nil:
		return []pki.Objection{{What: "it speaks TLS, and the pool does not", Hint: "add tls: {verify: none} to the pool, or name the node's port without TLS"}}
	case !speaks:
		return nil // whatever it answered was no TLS
	case errors.Is(s.err, pki.ErrNoTLS):
		return []pki.Objection{{What: "it does not speak TLS, and the pool does", Hint: "remove tls from the pool, or name the node's port with TLS"}}
	case s.err != nil:
		return []pki.Objection{{What: s.err.Error(), Hint: "does it hang, or speak only a TLS older than 1.2?"}}
	case s.seen.Refusal == "":
		return nil
	case s.seen.Asks && s.pool.TLS.Certificate == "":
		return []pki.Objection{{What: "it demands a client certificate (" + s.seen.Refusal + ")", Hint: "write tls: {certificate: NAME} with an entry of certificates that it trusts"}}
	}
	return []pki.Objection{{What: "it ended the connection: " + s.seen.Refusal, Hint: "its log says why; does it trust the issuer of the pool's tls.certificate?"}}
}

// verdict is what a mode of verification would make of what was seen: nothing,
// where the node would pass.
func (s *sight) verdict(mode model.Verify, roots []byte) []pki.Objection {
	if s.pool.TLS == nil || s.seen.Leaf() == nil {
		return nil // there is nothing to verify
	}
	switch mode {
	case model.VerifyCA:
		return s.seen.ByCA(roots, xds.NodeNames(s.pool, s.node))
	case model.VerifyPin:
		return s.seen.ByPins(s.pins())
	case model.VerifyNone:
	}
	return nil
}

// pins are the pool's, or what they would have to be.
func (s *sight) pins() (pins []string) {
	for _, p := range s.pool.TLS.Pins {
		pins = append(pins, string(p))
	}
	if len(pins) == 0 {
		pins = append(pins, pki.Pin(s.seen.Leaf()))
	}
	return pins
}

// fails tells whether the node would not serve as the file has it.
func (s *sight) fails(roots []byte) bool {
	says := func(r remark) bool { return r.fault != nil }
	return len(s.faults()) > 0 || s.refused(roots) || slices.ContainsFunc(s.said, says)
}

// distinctPins are those of the nodes that were seen.
func distinctPins(all []sight) (pins []string) {
	for _, s := range all {
		if leaf := s.seen.Leaf(); leaf != nil && !slices.Contains(pins, pki.Pin(leaf)) {
			pins = append(pins, pki.Pin(leaf))
		}
	}
	return pins
}

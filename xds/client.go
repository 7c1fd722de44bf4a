package xds

import (
	"maps"
	"strings"
	"time"

	discoverysvc "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
)

// client is one delta stream: an Envoy, most likely. The server's mutex guards
// it.
type client struct {
	node    string
	address string
	trusted bool
	track   *track // that it is on
	since   time.Time
	kinds   [kinds]channel
	// warm is when the clusters it was last sent count as warm.
	warm time.Time
	// held is since when listeners and routes wait for clusters.
	held time.Time
	due  time.Time // when Advance has something to do here
	sums *[kinds]Count
}

// channel is one kind of resources on a stream.
type channel struct {
	asked       bool            // the client wants this kind at all
	watch       *watch          // waiting for news; nil while an answer is on its way
	seen        *snapshot       // of which the client lacks nothing
	flying      int             // answers that it has not yet judged
	sent        string          // version of the last answer
	names       []string        // of the resources in it
	at          time.Time       // when it was sent
	accepted    string          // version of the last answer that was accepted
	publication int             // that it was part of
	again       map[string]bool // names to send even if the version is known
	refused     *Refusal
	nacks       int
}

// watch is the client's open question.
type watch struct {
	req *discoverysvc.DeltaDiscoveryRequest
	sub cachev3.Subscription
	out chan cachev3.DeltaResponse
}

// Refusal is a NACK: Envoy's answer to something it cannot use.
type Refusal struct {
	Kind    string    `json:"kind"`
	Version string    `json:"version"`         // the one that was refused
	Words   string    `json:"words"`           // Envoy's own
	Place   string    `json:"place,omitempty"` // FILE:LINE:COLUMN that it comes from
	Time    time.Time `json:"time"`
	Count   int       `json:"count"` // NACKs since the last publication
}

// forget drops the refusals of what is no longer published. What was refused
// and is still the same stays refused: nobody will be asked again.
func (c *client) forget(s *snapshot, publication int) {
	for k := range c.kinds {
		ch := &c.kinds[k]
		if ch.sent == s.versions[k] { // what it says about that is about this one too
			ch.publication = publication
		}
		if ch.refused != nil && ch.refused.Version == s.versions[k] {
			continue
		}
		ch.refused, ch.nacks = nil, 0
	}
}

// judge notes what the client says about an earlier answer. What it says about
// an earlier publication than the current one no longer matters.
func (c *client) judge(k Kind, req *discoverysvc.DeltaDiscoveryRequest, publication int, now time.Time) {
	ch := &c.kinds[k]
	if id := req.GetNode().GetId(); id != "" {
		c.node = id
	}
	if req.GetResponseNonce() == "" {
		return // a change of subscription judges nothing
	}
	ch.flying = max(0, ch.flying-1)
	if req.GetErrorDetail() != nil {
		c.sums[k].Refused++
	}
	if detail := req.GetErrorDetail(); detail != nil && ch.publication == publication {
		ch.nacks++
		ch.refused = &Refusal{Kind: k.String(), Version: ch.sent, Words: strings.TrimSpace(detail.GetMessage()), Time: now, Count: ch.nacks}
	} else if detail == nil && ch.flying == 0 {
		ch.accepted = ch.sent
	}
}

// answer sends what the client lacks, in the order of a push.
func (c *client) answer(s *snapshot, publication int, now time.Time) {
	c.due = time.Time{}
	if s == nil {
		return
	}
	for _, k := range Kinds() {
		if k >= Listeners && c.holds(s, now) {
			return
		}
		c.answerKind(s, k, publication, now)
	}
	c.held = time.Time{}
}

// holds keeps listeners and routes back until the clusters that they may name
// are in use; a delta stream promises no order between kinds by itself.
func (c *client) holds(s *snapshot, now time.Time) bool {
	if !c.lacks(s, Listeners, Routes) || c.ready(s, now) {
		return false
	}
	if c.held.IsZero() {
		c.held = now
	}
	if now.Sub(c.held) >= settleLimit {
		return false
	}
	c.due = c.held.Add(settleLimit)
	if c.warm.After(now) {
		c.due = earlier(c.due, c.warm)
	}
	return true
}

// ready tells whether the client has all clusters, their endpoints and, which
// Envoy asks for only then, the secrets that they name, and had the time to warm
// them up.
func (c *client) ready(s *snapshot, now time.Time) bool {
	if !c.kinds[Clusters].asked {
		return true
	}
	if !c.settled(s, Clusters, Endpoints) || now.Before(c.warm) {
		return false
	}
	for name, cluster := range s.resources[Clusters] {
		if !c.has(Endpoints, name) {
			return false
		}
		for _, secret := range cluster.secrets {
			if !c.has(Secrets, secret) {
				return false
			}
		}
	}
	return true
}

// has tells whether the client has some version of a resource.
func (c *client) has(k Kind, name string) bool {
	w := c.kinds[k].watch
	return w != nil && w.sub.ReturnedResources()[name] != ""
}

// settled tells whether the client has all of these kinds: nothing is lacking,
// on its way or refused. A kind that it never asked for is settled.
func (c *client) settled(s *snapshot, ks ...Kind) bool {
	for _, k := range ks {
		// Between two questions there is a moment without a watch.
		if ch := &c.kinds[k]; ch.flying > 0 || ch.refused != nil || ch.asked && ch.watch == nil {
			return false
		}
	}
	return !c.lacks(s, ks...)
}

// lacks tells whether something of these kinds would have to be sent.
func (c *client) lacks(s *snapshot, ks ...Kind) bool {
	for _, k := range ks {
		if w := c.kinds[k].watch; w != nil {
			if send, gone := c.delta(s, k); len(send)+len(gone) > 0 || c.greets(k) {
				return true
			}
		}
	}
	return false
}

// greets tells whether the client has to be answered even with nothing: the
// first answer to a wildcard is what ends Envoy's waiting for it.
func (c *client) greets(k Kind) bool {
	ch := &c.kinds[k]
	return ch.sent == "" && ch.watch.sub.IsWildcard() && len(ch.watch.sub.ReturnedResources()) == 0
}

func (c *client) delta(s *snapshot, k Kind) (send, gone []string) {
	ch := &c.kinds[k]
	if ch.seen == s {
		return nil, nil
	}
	send, gone = s.delta(k, ch.watch.wants, ch.known())
	if len(send)+len(gone) == 0 {
		ch.seen = s // thousands of clients ask this again at every acceptance of one
	}
	return send, gone
}

// wait puts the client's open question in place.
func (ch *channel) wait(w *watch) { ch.watch, ch.asked, ch.seen = w, true, nil }

// known are the versions that the client has, but for those to send again.
func (ch *channel) known() map[string]string {
	known := ch.watch.sub.ReturnedResources()
	if len(ch.again) == 0 {
		return known
	}
	known = maps.Clone(known)
	for name := range ch.again {
		if _, ok := known[name]; ok {
			known[name] = ""
		}
	}
	return known
}

func (w *watch) wants(name string) bool {
	_, named := w.sub.SubscribedResources()[name]
	return named || w.sub.IsWildcard()
}

func (c *client) answerKind(s *snapshot, k Kind, publication int, now time.Time) {
	ch := &c.kinds[k]
	if ch.watch == nil {
		return
	}
	send, gone := c.delta(s, k)
	if len(send)+len(gone) == 0 && !c.greets(k) {
		return
	}
	if k == Clusters {
		c.rewarm(send, now)
	}
	ch.watch.out <- ch.watch.response(s, k, send, gone)
	ch.watch, ch.again = nil, nil
	ch.flying++
	c.sums[k].Pushed++
	ch.sent, ch.publication, ch.names, ch.at = s.versions[k], publication, send, now
}

// rewarm prepares for clusters that Envoy builds anew: it wants their endpoints
// once more, also unchanged ones, and does not ask for them on a delta stream
// on which it has subscribed to the name before. Until then it keeps the old
// cluster, for up to 15 s.
func (c *client) rewarm(clusters []string, now time.Time) {
	c.warm = now.Add(warmUp)
	ch := &c.kinds[Endpoints]
	ch.seen = nil
	if ch.again == nil {
		ch.again = map[string]bool{}
	}
	for _, name := range clusters {
		ch.again[name] = true
	}
}

func (w *watch) response(s *snapshot, k Kind, send, gone []string) cachev3.DeltaResponse {
	out := &discoverysvc.DeltaDiscoveryResponse{
		TypeUrl:           k.TypeURL(),
		SystemVersionInfo: s.versions[k],
		RemovedResources:  gone,
	}
	for _, name := range send {
		res := s.resources[k][name]
		out.Resources = append(out.Resources, &discoverysvc.Resource{Name: name, Version: res.version, Resource: res.body})
	}
	next := make(map[string]string, len(s.resources[k]))
	for name, res := range s.resources[k] {
		if w.wants(name) {
			next[name] = res.version
		}
	}
	return &cachev3.DeltaPassthroughResponse{DeltaRequest: w.req, NextVersionMap: next, DeltaDiscoveryResponse: out}
}

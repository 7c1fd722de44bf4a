package xds

import (
	"cmp"
	"slices"
	"time"
)

// Client is what one Envoy has of what is published: a value, for the status.
type Client struct {
	Node    string        `json:"node"`    // its id, as its bootstrap names it
	Address string        `json:"address"` // where it connects from
	Trusted bool          `json:"trusted"` // over the socket or mutual TLS
	Since   time.Time     `json:"since"`
	Kinds   []ClientState `json:"kinds"`
}

// ClientState is one kind of resources on one Envoy.
type ClientState struct {
	Kind     string   `json:"kind"`
	Version  string   `json:"version"`            // the last that it was sent
	Accepted string   `json:"accepted,omitempty"` // the last that it accepted
	State    string   `json:"state"`              // ack, nack, sent or unasked
	Refusal  *Refusal `json:"refusal,omitempty"`
}

// Clients are all connected Envoys, by node and address.
func (s *Server) Clients() []Client { return s.those(func(*client) bool { return true }) }

func (s *Server) those(such func(*client) bool) []Client {
	s.mu.Lock()
	all := []Client{}
	for _, c := range s.clients {
		if such(c) {
			all = append(all, c.status(c.view()))
		}
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b Client) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Address, b.Address), a.Since.Compare(b.Since))
	})
	return all
}

// Versions are the content hashes of what is published, by kind; empty before
// the first publication.
func (s *Server) Versions() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for _, k := range Kinds() {
		if s.lead.now.whole != nil {
			all[k.String()] = s.lead.now.whole.versions[k]
		}
	}
	return all
}

// Count is how often Envoys were told something of a kind, and refused it, since
// usher began.
type Count struct{ Pushed, Refused int }

// Counts are those of every kind.
func (s *Server) Counts() map[string]Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]Count{}
	for _, k := range Kinds() {
		all[k.String()] = s.counted[k]
	}
	return all
}

// Refusals are the NACKs to the current publication by trusted Envoys. Others
// may say what they like: they are shown, and decide nothing.
func (s *Server) Refusals() []Refusal {
	var all []Refusal
	for _, c := range s.those(func(c *client) bool { return c.trusted && c.refuses() }) {
		for _, k := range c.Kinds {
			if k.Refusal != nil {
				all = append(all, *k.Refusal)
			}
		}
	}
	return all
}

// Place notes where in the file refusals of that kind and version come from.
func (s *Server) Place(r Refusal, place string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		for k := range c.kinds {
			if no := c.kinds[k].refused; no != nil && no.Kind == r.Kind && no.Version == r.Version {
				placed := *no // others may be reading the old one
				placed.Place = place
				c.kinds[k].refused = &placed
			}
		}
	}
}

func (c *client) status(s *snapshot) Client {
	out := Client{Node: c.node, Address: c.address, Trusted: c.trusted, Since: c.since, Kinds: make([]ClientState, 0, kinds)}
	for _, k := range Kinds() {
		out.Kinds = append(out.Kinds, c.kindStatus(s, k))
	}
	return out
}

func (c *client) kindStatus(s *snapshot, k Kind) ClientState {
	ch := &c.kinds[k]
	st := ClientState{Kind: k.String(), Version: ch.sent, Accepted: ch.accepted, State: "sent", Refusal: ch.refused}
	switch {
	case ch.refused != nil:
		st.State = "nack"
	case !ch.asked:
		st.State = "unasked"
	case s != nil && c.settled(s, k):
		st.State, st.Version, st.Accepted = "ack", s.versions[k], s.versions[k]
	}
	return st
}

// Package status is what usher knows about itself at one moment: a value that
// never changes once it is made. `usher status`, the API, the console and the
// metrics read it, and nothing else of the loop that makes it.
//
// It finds nothing out by itself and decides nothing.
package status

import (
	"time"

	"usher/model"
	"usher/xds"
)

// Where what is served comes from.
const (
	FromFile     = "file"
	FromAccepted = "last accepted file"
)

// Status is what usher knows about itself at one moment.
type Status struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Time    time.Time `json:"time"`
	Config  string    `json:"config"`
	// FileHash and ServedHash are the SHA-256 of the cluster file as it was last read,
	// and of the one that is served.
	FileHash   string         `json:"file_hash,omitempty"`
	ServedHash string         `json:"served_hash,omitempty"`
	Serving    bool           `json:"serving"`          // something is published
	Source     string         `json:"source,omitempty"` // FromFile or FromAccepted
	Accepted   bool           `json:"accepted"`         // every Envoy has taken what is published
	Changed    time.Time      `json:"changed,omitzero"` // the last publication
	Problems   model.Problems `json:"problems"`         // why the file as it is now is not served, and certificates that can't be obtained
	Warnings   []string       `json:"warnings"`
	Refusal    *xds.Refusal   `json:"refusal,omitempty"`
	// Published are the content hashes of what is published, by kind.
	Published    map[string]string `json:"published"`
	Envoys       []xds.Client      `json:"envoys"`
	Supervised   *Supervised       `json:"supervised,omitempty"`
	Pools        []Pool            `json:"pools"`
	Certificates []Certificate     `json:"certificates"`
}

// Supervised is the Envoy that usher runs itself.
type Supervised struct {
	PID      int    `json:"pid"`
	Version  string `json:"version"`
	State    string `json:"state"`
	Restarts int    `json:"restarts"`
	Words    string `json:"words,omitempty"`
}

// Pool is a pool and its nodes.
type Pool struct {
	Name  string `json:"name"`
	Nodes []Node `json:"nodes"`
}

// Node is one node as it is published.
type Node struct {
	Name    string      `json:"name"`
	Address string      `json:"address"`
	IP      string      `json:"ip,omitempty"`
	State   model.State `json:"state"`
	Weight  float64     `json:"weight"`
	Fault   string      `json:"fault,omitempty"` // why its name does not resolve
	Asks    model.State `json:"asks,omitempty"`  // drain, where it asks for that itself
	Note    string      `json:"note,omitempty"`  // what its health API says beside that
	// What the supervised Envoy says of it, see figures; empty where none does.
	Health      string    `json:"health,omitempty"` // figures.Health
	Reason      string    `json:"reason,omitempty"` // of that, in words
	Active      int       `json:"active"`           // requests in flight
	Connections int       `json:"connections"`      // that are open
	Rate        float64   `json:"rate"`             // requests a second
	Seen        time.Time `json:"seen,omitzero"`    // when it was last healthy
}

// Certificate is a certificate in use.
type Certificate struct {
	Name    string    `json:"name"`
	Hosts   []string  `json:"hosts"`
	Issuer  string    `json:"issuer"`
	Issued  time.Time `json:"issued"` // when it began to be valid
	Expires time.Time `json:"expires"`
	Renews  time.Time `json:"renews,omitzero"`
	// ACME is where the certificate is to come from; the issuer tells whether it
	// has come.
	ACME *ACME `json:"acme,omitempty"`
}

// ACME is how it stands with an ACME directory.
type ACME struct {
	Directory string          `json:"directory"`
	Challenge model.Challenge `json:"challenge"`
	Asking    bool            `json:"asking"` // at this moment
	Next      time.Time       `json:"next"`   // when it will be asked
	Failures  int             `json:"failures"`
	Why       string          `json:"why,omitempty"` // of the last failure
}

// Healthy tells whether usher does its work: something is served, be it the last
// accepted file.
func (s *Status) Healthy() bool { return s != nil && s.Serving }

// Serves tells whether a file of that SHA-256 is served.
func (s *Status) Serves(hash string) bool {
	return s.Serving && s.Source == FromFile && s.ServedHash == hash
}

// Good tells whether the file as it is now is what every Envoy serves, with all its
// certificates.
func (s *Status) Good() bool { return s.Serving && len(s.Problems) == 0 && s.Refusal == nil }

// Node is one node of a pool.
func (s *Status) Node(of xds.NodeOf) (Node, bool) {
	for _, p := range s.Pools {
		for _, n := range p.Nodes {
			if p.Name == of.Pool && n.Name == of.Node {
				return n, true
			}
		}
	}
	return Node{}, false
}

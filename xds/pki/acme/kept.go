package acme

import (
	"encoding/json"
	"path/filepath"
	"time"

	"usher/xds/pki"
)

// Kept is what there is of a request.
type Kept struct {
	Pair     pki.Pair  // the last certificate obtained, also an expired one; Leaf is nil where there is none
	Next     time.Time // when to Obtain
	Failures int       // in a row, since the last success
	Why      string    // of the last failure, in one line
}

// record is the note beside a certificate.
type record struct {
	Directory string    `json:"directory,omitempty"` // where the certificate is from
	Request   string    `json:"request,omitempty"`   // the one that failed
	Failures  int       `json:"failures,omitempty"`
	Next      time.Time `json:"next,omitzero"`
	Why       string    `json:"why,omitempty"`
}

// began is noted before an attempt: one that never ends was a failure.
const began = "the last attempt did not end"

// Kept reads what there is of a request; it asks nobody. A certificate for
// other hosts or from another directory is there as well, to serve until its
// successor comes. A failure counts only for the very request that failed: who
// has mended the file need not wait. What cannot be read is not there.
func (c Client) Kept(r Request, now time.Time) Kept {
	k, rec := Kept{Next: now}, c.record(r)
	if c.Dir == "" {
		return k
	}
	if p, err := pki.ReadKept(c.certificate(r.Name)); err == nil {
		k.Pair = p
	}
	switch {
	case rec.Failures > 0 && rec.Request == r.id():
		k.Failures, k.Why, k.Next = rec.Failures, rec.Why, rec.Next
		if most := now.Add(longestWait); k.Next.After(most) { // the clock was set back
			k.Next = most
		}
	case rec.Directory == r.Directory && k.Pair.Leaf != nil && (rec.Request == r.id() || r.answers(k.Pair)):
		k.Next = pki.RenewAt(k.Pair.Leaf)
		if most := now.Add(mostPause); rec.Next.After(k.Next) && !rec.Next.After(most) {
			k.Next = rec.Next
		}
	}
	return k
}

func (c Client) record(r Request) (rec record) {
	text, err := pki.ReadNote(c.note(r.Name))
	if err != nil || json.Unmarshal(text, &rec) != nil {
		return record{}
	}
	return rec
}

func (c Client) keepRecord(r Request, rec record) error {
	text, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return err
	}
	return pki.KeepNote(c.note(r.Name), append(text, '\n'))
}

// Between is what a handshake for Protocol is shown between challenges: a
// certificate for nobody, of an authority that nobody has. It is kept, so that
// a restart pushes nothing.
func (c Client) Between(now time.Time) (pki.Pair, error) {
	file := filepath.Join(c.Dir, "between.pem")
	if c.Dir != "" {
		if p, err := pki.ReadKept(file); err == nil {
			return p, nil
		}
	}
	const lifetime = pki.AuthorityLifetime
	ca, err := pki.NewAuthority("usher", lifetime, now)
	if err != nil {
		return pki.Pair{}, err
	}
	p, err := ca.Issue(pki.Request{Hosts: []string{"acme.invalid"}, Lifetime: lifetime}, now)
	if err != nil || c.Dir == "" {
		return p, err
	}
	return p, pki.Keep(file, p)
}

package console

import (
	"sync"
	"time"

	"usher/cmd/usher/desk"
)

// history is what was changed in the file, the newest first.
type history struct {
	Fault   string
	Changes []change
	Older   int // changes that are not shown
}

// change is an entry of the journal as it is shown.
type change struct {
	desk.Entry
	Who string
}

// recent is how many changes are shown at first.
const recent = 10

// journal keeps the history as it was read last: reading it means reading every
// entry with both its texts.
type journal struct {
	mu   sync.Mutex
	hash string // of the file then
	at   time.Time
	all  []desk.Entry
	err  error
}

// freshFor is how long what was read is good for while the file stays the same: the
// journal may note a change a little later than it happens.
const freshFor = 3 * time.Second

// read is the history for a file of that hash.
func (j *journal) read(d *desk.Desk, hash string, now time.Time) ([]desk.Entry, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if hash != j.hash || now.Sub(j.at) > freshFor {
		j.all, j.err = d.History()
		j.hash, j.at = hash, now
	}
	return j.all, j.err
}

func (c *Console) history(hash string, all bool) history {
	entries, err := c.journal.read(c.Desk, hash, c.Now())
	if err != nil {
		return history{Fault: err.Error()}
	}
	h := history{}
	if !all && len(entries) > recent {
		h.Older = len(entries) - recent
		entries = entries[:recent]
	}
	for _, e := range entries {
		h.Changes = append(h.Changes, change{e, who(e)})
	}
	return h
}

// who is who made a change, and by which way.
func who(e desk.Entry) string {
	switch {
	case e.Name == "" && e.Via == desk.ViaFile:
		return "an editor"
	case e.Name == "":
		return e.Via
	}
	return e.Name + ", by " + e.Via
}

// TakeBack is what the button for that sends.
func (c change) TakeBack() string { return form{Act: actTakeBack, ID: c.ID}.query() }

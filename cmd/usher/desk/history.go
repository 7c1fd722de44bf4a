package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Bounds of the journal: the oldest entries go first, the last one stays.
const (
	maxEntries = 200
	maxBytes   = 20 << 20
)

// Entry is one change of the file.
type Entry struct {
	ID    string    `json:"id"`
	Time  time.Time `json:"time"`
	Name  string    `json:"name"`  // of who did it; empty where nobody knows
	Via   string    `json:"via"`   // see Author
	Words []string  `json:"words"` // see Changes
	Diff  string    `json:"diff"`
}

// record is an entry as it is kept.
type record struct {
	Entry
	Before string `json:"before"`
	After  string `json:"after"`
}

// Note tells the journal what the file is now, where an editor may have changed it:
// what is known already is noted once. The first time it only remembers it.
// Only one goroutine may note.
func (d *Desk) Note(ctx context.Context, now Seen) error {
	unlock, err := d.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	err = d.note(now.Text, d.seen, now)
	d.seen = now
	return err
}

func (d *Desk) note(now []byte, seen ...Seen) error {
	last, err := os.ReadFile(d.last())
	switch {
	case errors.Is(err, os.ErrNotExist):
		return write(d.last(), now)
	case err != nil:
		return fmt.Errorf("read the journal: %w", err)
	case string(last) == string(now):
		return nil
	}
	_, err = d.add(Author{Via: ViaFile}, last, now, seen...)
	return err
}

// add writes an entry. The lock is held.
func (d *Desk) add(by Author, before, after []byte, seen ...Seen) (Entry, error) {
	ids, err := d.ids()
	if err != nil {
		return Entry{}, err
	}
	id := 1
	if len(ids) > 0 {
		id = ids[len(ids)-1] + 1
	}
	r := record{Before: string(before), After: string(after)}
	r.Entry = Entry{ID: strconv.Itoa(id), Time: time.Now().UTC().Truncate(time.Second), Name: by.Name, Via: by.Via, Words: d.words(before, after, seen...),
		Diff: unified(filepath.Base(d.config), before, after)}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return Entry{}, err
	}
	if err := errors.Join(write(d.path(id), append(data, '\n')), write(d.last(), after)); err != nil {
		return r.Entry, fmt.Errorf("the change is made, but not noted: %w", err)
	}
	return r.Entry, d.trim(append(ids, id))
}

// words are the changes as the journal has them.
func (d *Desk) words(before, after []byte, seen ...Seen) []string {
	was, _ := d.read(before, seen...)
	now, problems := d.read(after, seen...)
	switch {
	case now == nil:
		return []string{"the file can't be read: " + problems[0].What}
	case was == nil:
		return []string{"the file can be read again"}
	}
	words := Changes(was, now)
	if len(problems) > 0 {
		words = append(words, fmt.Sprintf("the file has faults (%d): it is not served", len(problems)))
	}
	if len(words) == 0 {
		words = []string{"comments or layout alone"}
	}
	return words
}

// trim removes the oldest entries beyond the bounds.
func (d *Desk) trim(ids []int) error {
	total := int64(0)
	for n, id := range slices.Backward(ids) {
		info, err := os.Stat(d.path(id))
		if err != nil {
			continue
		}
		total += info.Size()
		if kept := len(ids) - 1 - n; kept > 0 && (kept >= maxEntries || total > maxBytes) {
			if err := os.Remove(d.path(id)); err != nil {
				return fmt.Errorf("shorten the journal: %w", err)
			}
		}
	}
	return nil
}

// History are the changes that the journal has, the newest first.
func (d *Desk) History() ([]Entry, error) {
	ids, err := d.ids()
	if err != nil {
		return nil, err
	}
	all := []Entry{}
	for _, id := range slices.Backward(ids) {
		r, err := d.record(strconv.Itoa(id))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed while we read
		}
		if err != nil {
			return nil, err
		}
		all = append(all, r.Entry)
	}
	return all, nil
}

// Entry is one change of the journal.
func (d *Desk) Entry(id string) (Entry, error) {
	r, err := d.record(id)
	return r.Entry, err
}

func (d *Desk) record(id string) (r record, err error) {
	n, err := strconv.Atoi(id)
	if err != nil || n < 1 {
		return r, fmt.Errorf("%q is no change of the journal: `usher history` lists them", id)
	}
	data, err := os.ReadFile(d.path(n))
	if errors.Is(err, os.ErrNotExist) {
		return r, fmt.Errorf("the journal has no change %d: `usher history` lists them: %w", n, os.ErrNotExist)
	}
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read change %d of the journal: %w", n, err)
	}
	return r, nil
}

package desk

import (
	"context"
	"fmt"
)

// PreviewTakeBack is what it would do to take a change back: its lines become what
// they were before, in the file as it is now. Where later changes have touched them
// it is an error that says so.
func (d *Desk) PreviewTakeBack(ctx context.Context, id string) (Preview, error) {
	r, err := d.record(id)
	if err != nil {
		return Preview{}, err
	}
	now, err := d.Read()
	if err != nil {
		return Preview{}, err
	}
	after, err := takenBack([]byte(r.Before), []byte(r.After), now.Data)
	if err != nil {
		return Preview{}, fmt.Errorf("change %s: %w", id, err)
	}
	if string(after) == string(now.Data) {
		return Preview{}, fmt.Errorf("change %s has been taken back already", id)
	}
	return d.Compare(ctx, now.Data, after), nil
}

// TakeBack takes a change back, which is a change in the journal itself. If the
// result has faults, they are the error and nothing is saved. With a base, the hash
// of the file that somebody has looked at, it is ErrChanged if that is another one.
func (d *Desk) TakeBack(ctx context.Context, by Author, base, id string) (Entry, error) {
	p, err := d.PreviewTakeBack(ctx, id)
	switch {
	case err != nil:
		return Entry{}, err
	case base != "" && base != p.Before.Hash:
		return Entry{}, ErrChanged
	case len(p.Problems) > 0:
		return Entry{}, p.Problems
	}
	return d.Save(ctx, by, p.Before.Hash, p.After.Data)
}

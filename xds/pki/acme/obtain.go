package acme

import (
	"context"
	"errors"
	"fmt"
	"time"

	"usher/xds/pki"
)

// patience bounds one attempt, from the first question to the certificate.
const patience = 5 * time.Minute

// Obtain gets a certificate and keeps it, however long that takes: five
// minutes at most. present is called once with all challenges and returns when
// they are shown; after Obtain has returned they may be taken away.
//
// An error that comes with a certificate says that it could not be kept: it is
// good, and lost at the next start. Any other error counts as a failure, and
// Kept says when to try again: not before Backoff (with random) has passed,
// nor before the time that the directory named. Only the end of ctx counts for
// nothing.
func (c Client) Obtain(ctx context.Context, r Request, now func() time.Time, random float64, present func(context.Context, []Challenge) error) (pki.Pair, error) {
	if c.Dir == "" {
		return pki.Pair{}, errors.New("there is no state folder to keep a certificate in")
	}
	before := c.record(r)
	rec := before.failed(r, began, Backoff(before.failures(r)+1, random), now())
	if err := c.keepRecord(r, rec); err != nil {
		return pki.Pair{}, fmt.Errorf("the directory is not asked, for its answer could not be kept: %w", err)
	}
	p, err := c.attempt(ctx, r, present)
	if err == nil {
		return p, c.keep(r, p, now())
	}
	rec = before
	if ctx.Err() == nil {
		wait := max(Backoff(before.failures(r)+1, random), retryAfter(err, now()))
		rec = before.failed(r, err.Error(), wait, now())
	}
	return pki.Pair{}, errors.Join(err, c.keepRecord(r, rec))
}

func (c Client) attempt(ctx context.Context, r Request, present func(context.Context, []Challenge) error) (pki.Pair, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := c.session(ctx, r)
	if err != nil {
		return pki.Pair{}, err
	}
	defer s.close()
	return s.order(ctx, r, present)
}

// keep ends the failures only where the certificate is safe: otherwise the
// directory would be asked again at once, and again.
func (c Client) keep(r Request, p pki.Pair, now time.Time) error {
	if err := pki.Keep(c.certificate(r.Name), p); err != nil {
		return err
	}
	return c.keepRecord(r, record{Directory: r.Directory, Request: r.id(), Next: now.Add(pause(p))})
}

// failures are those of the very request.
func (rec record) failures(r Request) int {
	if rec.Request != r.id() {
		return 0
	}
	return rec.Failures
}

// failed is the record after one more failure.
func (rec record) failed(r Request, why string, wait time.Duration, now time.Time) record {
	return record{rec.Directory, r.id(), rec.failures(r) + 1, now.Add(wait), why}
}

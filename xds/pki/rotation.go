package pki

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Phase is where the rotation of the local authority stands.
type Phase string

// The phases, in their order. Each step is one rename: a crash leaves the
// phase before or the phase after.
const (
	Steady     Phase = "steady"     // there is one authority
	Introduced Phase = "introduced" // the new one is trusted, the old one still issues
	Replaced   Phase = "replaced"   // the new one issues, the old one is still trusted
)

// Authorities are the local ones that count now.
type Authorities struct {
	Issuing Authority
	Other   Authority // during a rotation: the new one, or the old one; else zero
	Phase   Phase
}

// PEM is what is trusted: the authority that issues, and during a rotation the
// other one as well.
func (a Authorities) PEM() []byte {
	return slices.Concat(a.Issuing.PEM, a.Other.PEM)
}

// Trusted are the certificates of PEM.
func (a Authorities) Trusted() []*x509.Certificate {
	if a.Phase == Steady {
		return []*x509.Certificate{a.Issuing.Certificate}
	}
	return []*x509.Certificate{a.Issuing.Certificate, a.Other.Certificate}
}

// Old is the authority that a rotation takes out of service.
func (a Authorities) Old() (old Authority, ok bool) {
	switch a.Phase {
	case Introduced:
		return a.Issuing, true
	case Replaced:
		return a.Other, true
	case Steady:
	}
	return Authority{}, false
}

// Folders of the authorities.
const (
	issuingFolder = "ca"
	otherFolder   = "ca-other"
	retiredFolder = "retired"
	// succeedsFile is in the folder of an authority that came by a rotation:
	// the certificate of the one before. Which of two folders has the one that
	// names the other tells the phase.
	succeedsFile = "succeeds.crt"
)

// AuthorityFiles are the files that change with the local authorities.
func (s Store) AuthorityFiles() []string {
	return []string{filepath.Join(s.Dir, issuingFolder, authorityFile), filepath.Join(s.Dir, issuingFolder, authorityKeyFile),
		filepath.Join(s.Dir, otherFolder, authorityFile)}
}

// Authorities are the local authority, made at its first use as Authority makes
// it, and the other one of a rotation that is under way.
func (s Store) Authorities(now time.Time) (a Authorities, made bool, err error) {
	a.Phase = Steady
	a.Issuing, made, err = s.Authority(now)
	if err != nil || made || s.Dir == "" {
		return a, made, err
	}
	other := filepath.Join(s.Dir, otherFolder)
	// Its date does not matter: an expired one vouches for nothing, and must not
	// keep the other from its work.
	a.Other, err = loadAuthority(other, s.Passphrase, time.Time{})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		a.Other = Authority{}
		return a, false, nil
	case err != nil:
		return a, false, err
	}
	a.Phase, err = s.phase(a)
	return a, false, err
}

func (s Store) phase(a Authorities) (Phase, error) {
	for _, c := range []struct {
		folder string
		before Authority
		phase  Phase
	}{{otherFolder, a.Issuing, Introduced}, {issuingFolder, a.Other, Replaced}} {
		text, err := read(filepath.Join(s.Dir, c.folder, succeedsFile))
		if err == nil && bytes.Equal(text, c.before.PEM) {
			return c.phase, nil
		}
	}
	return Steady, fmt.Errorf("the authorities in %s and %s do not follow each other: move one of the folders away", filepath.Join(s.Dir, issuingFolder), filepath.Join(s.Dir, otherFolder))
}

// Adopt makes an authority the local one, where there is none yet.
func (s Store) Adopt(a Authority) error {
	dir := filepath.Join(s.Dir, issuingFolder)
	err := a.keep(dir, nil)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("there is an authority in %s already: 'usher ca rotate' brings another one without an outage", dir)
	}
	return err
}

// Introduce begins a rotation: the next authority is trusted and does not issue
// yet, so that clients can be told of it before they meet it.
func (s Store) Introduce(next Authority) (Authorities, error) {
	a, err := s.rotating(Steady)
	if err != nil {
		return a, err
	}
	if next.Certificate.Equal(a.Issuing.Certificate) {
		return a, errors.New("this is the authority that issues already")
	}
	if err := next.keep(filepath.Join(s.Dir, otherFolder), a.Issuing.PEM); err != nil {
		return a, fmt.Errorf("keep the new authority: %w", err)
	}
	return s.rotating(Introduced)
}

// Replace lets the new authority issue. What the old one issued is good as
// long as it is trusted, and certificates of the file are issued anew.
func (s Store) Replace() (Authorities, error) {
	a, err := s.rotating(Introduced)
	if err != nil {
		return a, err
	}
	if err := a.Other.Closed(); err != nil {
		return a, err
	}
	err = unix.Renameat2(unix.AT_FDCWD, filepath.Join(s.Dir, issuingFolder), unix.AT_FDCWD, filepath.Join(s.Dir, otherFolder), unix.RENAME_EXCHANGE)
	if err == nil {
		err = syncDir(s.Dir)
	}
	if err != nil {
		return a, fmt.Errorf("let %s and %s change places: %w", issuingFolder, otherFolder, err)
	}
	return s.rotating(Replaced)
}

// Retire ends a rotation: the old authority is no longer trusted, and its key
// is gone. What it issued is worth nothing from then on: see Hanging.
func (s Store) Retire() (Authorities, error) {
	return s.drop(Replaced)
}

// Abort ends a rotation before the new authority has issued anything.
func (s Store) Abort() (Authorities, error) {
	return s.drop(Introduced)
}

// drop removes the other authority: in one rename, then for good.
func (s Store) drop(in Phase) (Authorities, error) {
	a, err := s.rotating(in)
	if err != nil {
		return a, err
	}
	// What the system's trust store may still hold: see Retired.
	gone := filepath.Join(s.Dir, retiredFolder, strings.ReplaceAll(Fingerprint(a.Other.Certificate), ":", "")+".crt")
	if err := replace(gone, a.Other.PEM); err != nil {
		return a, err
	}
	away, err := os.MkdirTemp(s.Dir, ".ca-*")
	if err != nil {
		return a, err
	}
	defer os.RemoveAll(away) //nolint:errcheck // a dot folder that nothing reads
	if err := os.Rename(filepath.Join(s.Dir, otherFolder), filepath.Join(away, otherFolder)); err != nil {
		return a, fmt.Errorf("remove the authority: %w", err)
	}
	if err := syncDir(s.Dir); err != nil {
		return a, err
	}
	return s.rotating(Steady)
}

// Retired are the certificates of authorities that a rotation took away.
func (s Store) Retired() ([]*x509.Certificate, error) {
	return certificatesIn(filepath.Join(s.Dir, retiredFolder, "*.crt"))
}

// rotating are the authorities, where the rotation is in the phase that a step
// begins with. Whether they are valid now is not asked: a rotation is what helps
// when one has expired.
func (s Store) rotating(want Phase) (Authorities, error) {
	if _, err := os.Stat(filepath.Join(s.Dir, issuingFolder)); err != nil {
		return Authorities{}, fmt.Errorf("there is no authority in %s to be rotated", s.Dir)
	}
	a, _, err := s.Authorities(time.Time{})
	if err == nil && a.Phase != want {
		err = fmt.Errorf("the rotation of the local authority is in the phase %s, this step begins with %s", a.Phase, want)
	}
	return a, err
}

// Issued tells whether an authority issued a certificate.
func (a Authority) Issued(c *x509.Certificate) bool {
	return a.Certificate != nil && c.CheckSignatureFrom(a.Certificate) == nil
}

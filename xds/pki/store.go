package pki

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// Store is the part of the state folder that holds certificates. Several
// processes may use one folder. The zero Store keeps nothing: its authority is
// a new one at every call and its certificates are always issued, all in
// memory, as `usher check` wants it.
type Store struct {
	Dir string
}

// Names of the authorities.
const (
	localName    = "usher local CA"
	internalName = "usher internal CA"
)

// certificateName is what a certificate may be called; it becomes a file name.
var certificateName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,200}$`)

// Authority is the local authority, made at its first use. What is there is
// never overwritten: half an authority, a key that does not fit, an expired
// one is an error that says what to do.
func (s Store) Authority(now time.Time) (ca Authority, made bool, err error) {
	return s.authority(localName, now)
}

func (s Store) authority(name string, now time.Time) (Authority, bool, error) {
	dir := filepath.Join(s.Dir, "ca")
	if s.Dir != "" {
		ca, err := loadAuthority(dir, now)
		if !errors.Is(err, fs.ErrNotExist) {
			return ca, false, err
		}
	}
	ca, err := NewAuthority(name, AuthorityLifetime, now)
	if err != nil || s.Dir == "" {
		return ca, err == nil, err
	}
	switch err := ca.keep(dir); {
	case errors.Is(err, fs.ErrExist): // another process was faster
		ca, err := loadAuthority(dir, now)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s holds neither ca.crt nor ca.key, but other files: move it away", dir)
		}
		return ca, false, err
	case err != nil:
		return Authority{}, false, fmt.Errorf("keep the new authority: %w", err)
	}
	return ca, true, nil
}

// Certificate is the one of that name for a server of these hosts: the kept
// one, or one issued now because there is none, it cannot be read, its hosts,
// its lifetime or the authority are others, or RenewAt has passed. What cannot
// be read is replaced: the folder is usher's own, and nothing in it is worth
// more than a new one. Where a new one cannot be kept, it is returned together
// with the error: it is good, and lost at the next start.
func (s Store) Certificate(name string, hosts []string, lifetime time.Duration, ca Authority, now time.Time) (p Pair, issued bool, err error) {
	if !certificateName.MatchString(name) {
		return Pair{}, false, fmt.Errorf("%q cannot name a certificate", name)
	}
	r := Request{CommonName: commonName(hosts), Hosts: hosts, Lifetime: lifetime}
	file := filepath.Join(s.Dir, "certificates", name+".pem")
	if s.Dir != "" {
		if p, err := kept(file, now); err == nil && fresh(p.Leaf, r, ca, now) {
			return p, false, nil
		}
	}
	p, err = ca.Issue(r, now)
	if err != nil {
		return Pair{}, false, fmt.Errorf("issue certificate %s: %w", name, err)
	}
	if s.Dir != "" {
		if err := Keep(file, p); err != nil {
			return p, true, fmt.Errorf("keep certificate %s: %w", name, err)
		}
	}
	return p, true, nil
}

// kept reads a certificate and its key from their one file.
func kept(file string, now time.Time) (Pair, error) {
	text, err := read(file)
	if err != nil {
		return Pair{}, err
	}
	return ParsePair(text, text, now)
}

// commonName is the first host, for people, where it is short enough.
func commonName(hosts []string) string {
	if len(hosts) == 0 || len(hosts[0]) > maxCommonName {
		return ""
	}
	return hosts[0]
}

// fresh tells whether a leaf is what the request wants, of this authority,
// and not yet due for renewal.
func fresh(leaf *x509.Certificate, r Request, ca Authority, now time.Time) bool {
	names, ips, err := subjects(r.Hosts)
	return err == nil && ca.Certificate != nil &&
		slices.Equal(leaf.DNSNames, names) &&
		slices.EqualFunc(leaf.IPAddresses, ips, net.IP.Equal) &&
		slices.Equal(leaf.ExtKeyUsage, []x509.ExtKeyUsage{r.usage()}) &&
		livesFor(leaf, r.Lifetime, ca) &&
		leaf.CheckSignatureFrom(ca.Certificate) == nil &&
		now.Before(RenewAt(leaf)) && !now.Before(leaf.NotBefore)
}

// livesFor tells whether a leaf was issued for a lifetime, or cut short by the
// authority's own end.
func livesFor(leaf *x509.Certificate, lifetime time.Duration, ca Authority) bool {
	life, want := leaf.NotAfter.Sub(leaf.NotBefore), lifetime.Truncate(time.Second)
	return life == want || life < want && leaf.NotAfter.Equal(ca.Certificate.NotAfter)
}

// keep puts a new authority into a folder in one step: both files are there,
// or none. fs.ErrExist tells that the folder has something in it already.
func (a Authority) keep(dir string) error {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(parent, ".ca-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // gone already where all went well
	for _, err := range []error{
		create(filepath.Join(tmp, "ca.key"), a.keyPEM),
		create(filepath.Join(tmp, "ca.crt"), a.PEM),
		syncDir(tmp),
	} {
		if err != nil {
			return err
		}
	}
	_ = os.Remove(dir) // an empty folder, and nothing else, goes
	if err := os.Rename(tmp, dir); err != nil {
		return err
	}
	return syncDir(parent)
}

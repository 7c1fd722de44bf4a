package pki

import (
	"cmp"
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

	"golang.org/x/sys/unix"
)

// Store is the part of the state folder that holds certificates. Several
// processes may use one folder. The zero Store keeps nothing: its authority is
// a new one at every call and its certificates are always issued, all in
// memory, as `usher check` wants it.
type Store struct {
	Dir        string
	Passphrase []byte // of the local authority's key, where it is under one
	ReadOnly   bool   // uses what is kept and keeps nothing new
}

// Names of the authorities.
const (
	LocalName    = "usher local CA"
	internalName = "usher internal CA"
)

// certificateName is what a certificate may be called; it becomes a file name.
var certificateName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,200}$`)

// Authority is the local authority, made at its first use. What is there is
// never overwritten: half an authority, a key that does not fit, an expired
// one is an error that says what to do. One without a key, or with one under a
// passphrase that is not the Store's, is Closed.
func (s Store) Authority(now time.Time) (ca Authority, made bool, err error) {
	return s.authority(AuthorityRequest{Name: LocalName, Lifetime: AuthorityLifetime, Passphrase: s.Passphrase}, now)
}

func (s Store) authority(r AuthorityRequest, now time.Time) (Authority, bool, error) {
	dir := filepath.Join(s.Dir, issuingFolder)
	if s.Dir != "" {
		ca, err := loadAuthority(dir, s.Passphrase, now)
		if !errors.Is(err, fs.ErrNotExist) {
			return ca, false, err
		}
	}
	ca, err := r.New(now)
	if err != nil || !s.keeps() {
		return ca, err == nil, err
	}
	switch err := ca.keep(dir, nil); {
	case errors.Is(err, fs.ErrExist): // another process was faster
		ca, err := loadAuthority(dir, s.Passphrase, now)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s holds neither ca.crt nor ca.key, but other files: move it away", dir)
		}
		return ca, false, err
	case err != nil:
		return Authority{}, false, fmt.Errorf("keep the new authority: %w", err)
	}
	return ca, true, nil
}

// Certificate is the one of that name that the request asks for: the kept one,
// or one issued now because there is none, it cannot be read, its hosts, use,
// kind of key, lifetime or authority are others, or RenewAt has passed. Its
// common name is the first host where the request has none. What cannot be read
// is replaced: the folder is usher's own, and nothing in it is worth more than a
// new one. Where a new one cannot be kept, it is returned together with the
// error: it is good, and lost at the next start. Where none can be issued, the
// kept one is returned with the error as long as it is valid for these hosts.
func (s Store) Certificate(name string, r Request, ca Authority, now time.Time) (p Pair, issued bool, err error) {
	if !certificateName.MatchString(name) {
		return Pair{}, false, fmt.Errorf("%q cannot name a certificate", name)
	}
	r.CommonName = cmp.Or(r.CommonName, commonName(r.Hosts))
	file := filepath.Join(s.Dir, "certificates", name+".pem")
	var old Pair
	if s.Dir != "" {
		if k, err := kept(file, now); err == nil && serves(k.Leaf, r) {
			old = k
		}
		if old.Leaf != nil && fresh(old.Leaf, r, ca, now) {
			return old, false, nil
		}
	}
	p, err = ca.Issue(r, now)
	if err != nil {
		return old, false, fmt.Errorf("issue certificate %s: %w", name, err)
	}
	if s.keeps() {
		if err := Keep(file, p); err != nil {
			return p, true, fmt.Errorf("keep certificate %s: %w", name, err)
		}
	}
	return p, true, nil
}

func (s Store) keeps() bool { return s.Dir != "" && !s.ReadOnly }

// Kept is the issued certificate of that name as it is in the folder, valid or
// not.
func (s Store) Kept(name string) (Pair, error) {
	return kept(filepath.Join(s.Dir, "certificates", name+".pem"), time.Time{})
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
	return serves(leaf, r) && ca.Certificate != nil &&
		IsOf(leaf.PublicKey, r.Key) &&
		livesFor(leaf, r.Lifetime, ca) &&
		leaf.CheckSignatureFrom(ca.Certificate) == nil &&
		now.Before(RenewAt(leaf)) && !now.Before(leaf.NotBefore)
}

// serves tells whether a leaf is for the hosts and the use of a request.
func serves(leaf *x509.Certificate, r Request) bool {
	names, ips, err := subjects(r.Hosts)
	return err == nil && slices.Equal(leaf.DNSNames, names) &&
		slices.EqualFunc(leaf.IPAddresses, ips, net.IP.Equal) &&
		slices.Equal(leaf.ExtKeyUsage, r.usages())
}

// livesFor tells whether a leaf was issued for a lifetime, or cut short by the
// authority's own end.
func livesFor(leaf *x509.Certificate, lifetime time.Duration, ca Authority) bool {
	life, want := leaf.NotAfter.Sub(leaf.NotBefore), lifetime.Truncate(time.Second)
	return life == want || life < want && leaf.NotAfter.Equal(ca.Certificate.NotAfter)
}

// keep puts a new authority into a folder in one step, with the certificate of
// the one that it succeeds, if any: all files are there, or none. fs.ErrExist
// tells that the folder has something in it already.
func (a Authority) keep(dir string, succeeds []byte) error {
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(parent, ".ca-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // gone already where all went well
	for _, f := range []struct {
		name string
		text []byte
	}{{authorityKeyFile, a.keyPEM}, {authorityFile, a.PEM}, {succeedsFile, succeeds}} {
		if f.text == nil {
			continue
		}
		if err := create(filepath.Join(tmp, f.name), f.text); err != nil {
			return err
		}
	}
	if err := syncDir(tmp); err != nil {
		return err
	}
	_ = unix.Rmdir(dir) // an empty folder, and nothing else, goes: no link to one
	if err := os.Rename(tmp, dir); err != nil {
		return err
	}
	return syncDir(parent)
}

package pki

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The ledger holds a copy of every certificate that was issued for use
// elsewhere, by its serial number: none is given twice, and a rotation knows
// what still hangs on the old authority.

const ledgerFolder = "ledger"

// maxSerial is the greatest serial number of RFC 5280, 4.1.2.2: 20 octets,
// the first bit of them 0.
var maxSerial = new(big.Int).Lsh(big.NewInt(1), 159)

func (s Store) ledgerFile(serial *big.Int) string {
	return filepath.Join(s.Dir, ledgerFolder, fmt.Sprintf("%040x.crt", serial))
}

// IssueElsewhere issues for use elsewhere, such as on a node, with a new key,
// and enters the certificate in the ledger.
func (s Store) IssueElsewhere(r Request, now time.Time) (Pair, error) {
	ca, _, err := s.Authorities(now)
	if err != nil {
		return Pair{}, err
	}
	return s.entered(r, func(r Request) (Pair, error) { return ca.Issuing.Issue(r, now) })
}

// entered reserves a serial number in the ledger before it is used, and puts
// the certificate there afterwards.
func (s Store) entered(r Request, issue func(Request) (Pair, error)) (Pair, error) {
	if r.Serial == nil {
		r.Serial = newSerial()
	}
	if r.Serial.Sign() <= 0 || r.Serial.Cmp(maxSerial) >= 0 {
		return Pair{}, fmt.Errorf("a serial number is positive and has at most 20 octets (RFC 5280)")
	}
	file := s.ledgerFile(r.Serial)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return Pair{}, err
	}
	if err := s.reserve(r.Serial, file); err != nil {
		return Pair{}, err
	}
	p, err := issue(r)
	if err != nil {
		return Pair{}, errors.Join(err, os.Remove(file))
	}
	return p, replace(file, certificatesPEM(p.Leaf))
}

// reserve takes a serial number that no certificate in the folder has.
func (s Store) reserve(serial *big.Int, file string) error {
	issued, err := s.issued()
	if err != nil {
		return err
	}
	for _, c := range issued {
		if c.SerialNumber.Cmp(serial) == 0 {
			return usedTwice(serial, named(c))
		}
	}
	err = create(file, nil)
	if errors.Is(err, fs.ErrExist) {
		return usedTwice(serial, "another certificate")
	}
	return err
}

func usedTwice(serial *big.Int, by string) error {
	return fmt.Errorf("the serial number %x is that of %s: leave --serial out for a random one", serial, by)
}

// Ledger are the certificates that were issued for use elsewhere, the one that
// expires first before the others.
func (s Store) Ledger() ([]*x509.Certificate, error) {
	all, err := certificatesIn(filepath.Join(s.Dir, ledgerFolder, "*.crt"))
	slices.SortFunc(all, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	return all, err
}

// issued are all certificates of the local authorities in the folder, and the
// authorities themselves.
func (s Store) issued() ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, pattern := range []string{ledgerFolder + "/*.crt", "certificates/*.pem", issuingFolder + "/" + authorityFile, otherFolder + "/" + authorityFile} {
		some, err := certificatesIn(filepath.Join(s.Dir, pattern))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// certificatesIn are the first certificates of files; what cannot be read as
// one, such as a reserved number, is left out.
func certificatesIn(pattern string) ([]*x509.Certificate, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for _, f := range files {
		text, err := read(f)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if certs, err := certificates(InChain, text); err == nil {
			all = append(all, certs[0])
		}
	}
	return all, nil
}

// Hanging are the certificates, valid now, that only the old authority of a
// rotation vouches for: those of the ledger that nothing was issued anew for,
// and those given, such as usher serves or the nodes showed.
func (s Store) Hanging(a Authorities, seen []*x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	issued, err := s.Ledger()
	if err != nil {
		return nil, err
	}
	old, _ := a.Old()
	var hanging []*x509.Certificate
	hangs := func(c *x509.Certificate) bool {
		return now.Before(c.NotAfter) && !c.IsCA && old.Issued(c) && !a.Issuing.Issued(c)
	}
	for _, c := range issued {
		if hangs(c) && !slices.ContainsFunc(issued, func(d *x509.Certificate) bool { return !hangs(d) && now.Before(d.NotAfter) && takesOver(d, c) }) {
			hanging = append(hanging, c)
		}
	}
	for _, c := range seen {
		if hangs(c) && !slices.ContainsFunc(hanging, c.Equal) {
			hanging = append(hanging, c)
		}
	}
	return hanging, nil
}

// takesOver tells whether a certificate was issued for all that another is for.
func takesOver(next, before *x509.Certificate) bool {
	names := Names(next)
	return !next.IsCA && !slices.ContainsFunc(Names(before), func(n string) bool { return !slices.Contains(names, n) }) &&
		slices.Equal(next.ExtKeyUsage, before.ExtKeyUsage)
}

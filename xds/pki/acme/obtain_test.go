package acme

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"usher/e2e/pebble"
)

func TestBothChallengesAreProvenToPebble(t *testing.T) {
	for _, kind := range []string{HTTP01, TLSALPN01} {
		t.Run(kind, func(t *testing.T) {
			s, c := newShop(t), client(t)
			r := wish(s.directory(t), kind)
			p, err := c.Obtain(t.Context(), r, atNoon, 0, s.present)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(p.Leaf.Issuer.CommonName, pebble.Issuer) || !r.answers(p) || s.seen != 2 {
				t.Errorf("by %s for %v, %d challenges", p.Leaf.Issuer, p.Leaf.DNSNames, s.seen)
			}
			if n := bytes.Count(p.Chain, []byte("BEGIN CERTIFICATE")); n != 2 {
				t.Errorf("a chain of %d, not leaf and intermediate", n)
			}
			k := c.Kept(r, noon)
			// The directory lives now, and this clock is ahead of it.
			if k.Failures != 0 || !k.Next.Equal(noon.Add(pause(p))) || !bytes.Equal(k.Pair.Key, p.Key) {
				t.Errorf("kept %+v", k)
			}
		})
	}
}

func TestTheStateFolderIsForItsOwnerAlone(t *testing.T) {
	s, c := newShop(t), client(t)
	if _, err := c.Obtain(t.Context(), wish(s.directory(t), HTTP01), atNoon, 0, s.present); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Between(noon); err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`-[0-9a-f]{16}\.`).ReplaceAllString(files(t, c.Dir), "-HASH.")
	want := "drwx------ accounts\n-rw------- accounts/127.0.0.1-HASH.key\n-rw------- between.pem\n" +
		"drwx------ certificates\n-rw------- certificates/server.json\n-rw------- certificates/server.pem\n"
	if got != want {
		t.Error(got)
	}
}

func TestARenewalHasTheSameAccountAndAnotherKey(t *testing.T) {
	s, c := newShop(t), client(t)
	r := wish(s.directory(t), TLSALPN01)
	first, err := c.Obtain(t.Context(), r, atNoon, 0, s.present)
	if err != nil {
		t.Fatal(err)
	}
	account, err := os.ReadFile(c.account(r))
	if err != nil {
		t.Fatal(err)
	}
	next, err := c.Obtain(t.Context(), r, atNoon, 0, s.present)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first.Key, next.Key) || first.Leaf.Equal(next.Leaf) {
		t.Error("the renewed certificate has the key of the first")
	}
	if again, _ := os.ReadFile(c.account(r)); !bytes.Equal(account, again) {
		t.Error("the account has another key")
	}
}

func TestARefusalIsKeptAndSoIsTheLastCertificate(t *testing.T) {
	s, c := newShop(t), client(t)
	good := wish(s.directory(t), HTTP01)
	p, err := c.Obtain(t.Context(), good, atNoon, 0, s.present)
	if err != nil {
		t.Fatal(err)
	}
	bad := good
	bad.Hosts = []string{"nobody.example.org"}
	for i, wait := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute} {
		if _, err = c.Obtain(t.Context(), bad, atNoon, 0, s.present); err == nil {
			t.Fatal("issued for a host that does not exist")
		}
		k := Client{c.Dir}.Kept(bad, noon) // as after a restart
		if k.Failures != i+1 || !k.Next.Equal(noon.Add(wait)) || k.Why != err.Error() || !bytes.Equal(k.Pair.Key, p.Key) {
			t.Errorf("after failure %d: %+v", i+1, k)
		}
	}
	const want = "the directory could not verify nobody.example.org: "
	if !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "could not resolve URL") || strings.Contains(err.Error(), "\n") {
		t.Errorf("said %q", err)
	}
	mended := bad
	mended.Hosts = []string{"is" + pebble.Domain}
	if k := c.Kept(mended, noon); k.Failures != 0 || k.Next.After(noon) {
		t.Errorf("who mends the file has to wait: %+v", k)
	}
	if _, err := c.Obtain(t.Context(), mended, atNoon, 0, s.present); err != nil {
		t.Error(err)
	}
	if k := c.Kept(bad, noon); k.Failures != 0 {
		t.Errorf("a success leaves failures: %+v", k)
	}
}

func TestTheDirectorysOwnTimeIsKept(t *testing.T) {
	s, c := newShop(t), client(t)
	d := s.directory(t)
	r := wish(d, HTTP01)
	for header, wait := range map[string]time.Duration{
		"7200":                          2 * time.Hour,
		"1":                             time.Minute,
		"Tue, 01 Jun 2027 15:00:00 GMT": 3 * time.Hour,
		"99999999":                      7 * 24 * time.Hour,
		"nonsense":                      time.Minute,
	} {
		if err := os.RemoveAll(c.Dir); err != nil {
			t.Fatal(err)
		}
		d.Refuse(&pebble.Refusal{Status: 429, RetryAfter: header,
			Problem: `{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many\ncertificates", "status": 429}`})
		_, err := c.Obtain(t.Context(), r, atNoon, 0, s.present)
		if err == nil || err.Error() != "the directory takes no order: too many certificates (rateLimited)" {
			t.Errorf("said %v", err)
		}
		if k := c.Kept(r, noon); !k.Next.Equal(noon.Add(wait)) {
			t.Errorf("Retry-After: %s: next in %s, not %s", header, k.Next.Sub(noon), wait)
		}
	}
	if n := d.Orders.Load(); n != 5 {
		t.Errorf("%d orders for 5 attempts", n)
	}
}

func TestAnAttemptThatNeverEndsIsAFailure(t *testing.T) {
	s, c := newShop(t), client(t)
	r := wish(s.directory(t), HTTP01)
	var during Kept
	_, err := c.Obtain(t.Context(), r, atNoon, 0, func(ctx context.Context, open []Challenge) error {
		during = c.Kept(r, noon) // what a program would find that is started after a crash
		return s.present(ctx, open)
	})
	if err != nil || during.Failures != 1 || during.Why != began || !during.Next.Equal(noon.Add(time.Minute)) {
		t.Errorf("%v: %+v", err, during)
	}
}

func TestBeingToldToEndIsNoFailure(t *testing.T) {
	s, c := newShop(t), client(t)
	r := wish(s.directory(t), HTTP01)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := c.Obtain(ctx, r, atNoon, 0, func(ctx context.Context, _ []Challenge) error { cancel(); return ctx.Err() })
	if k := c.Kept(r, noon); !errors.Is(err, context.Canceled) || k.Failures != 0 || k.Next.After(noon) {
		t.Errorf("%v: %+v", err, k)
	}
}

func TestWhatCannotBeNotedIsNotAsked(t *testing.T) {
	s, c := newShop(t), client(t)
	d := s.directory(t)
	if err := os.WriteFile(filepath.Dir(c.Dir)+"/acme", nil, 0o600); err != nil { // a file where the folder belongs
		t.Fatal(err)
	}
	if _, err := c.Obtain(t.Context(), wish(d, HTTP01), atNoon, 0, s.present); err == nil || !strings.Contains(err.Error(), "is not asked") {
		t.Error(err)
	}
	if n := d.Orders.Load(); n != 0 {
		t.Errorf("%d orders", n)
	}
}

func TestWhatCannotBeKeptServesAndIsNotAskedForAtOnce(t *testing.T) {
	s, c := newShop(t), client(t)
	r := wish(s.directory(t), HTTP01)
	if err := os.MkdirAll(c.certificate(r.Name)+"/in/the/way", 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := c.Obtain(t.Context(), r, atNoon, 0, s.present)
	if err == nil || p.Leaf == nil {
		t.Errorf("%v, %v", p.Leaf, err)
	}
	if k := c.Kept(r, noon); k.Failures != 1 || !k.Next.Equal(noon.Add(time.Minute)) {
		t.Errorf("%+v", k)
	}
}

func TestADirectoryOfAnUnknownAuthorityIsNotTrusted(t *testing.T) {
	s, c := newShop(t), client(t)
	r := wish(s.directory(t), HTTP01)
	r.Roots = nil
	if _, err := c.Obtain(t.Context(), r, atNoon, 0, s.present); err == nil || !strings.Contains(err.Error(), "certificate signed by unknown authority") {
		t.Error(err)
	}
}

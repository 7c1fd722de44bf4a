package acme

import (
	"testing"
	"time"

	"usher/xds/pki"
)

func TestBackoffDoublesToSixHours(t *testing.T) {
	for failures, want := range map[int]time.Duration{
		0: time.Minute, 1: time.Minute, 2: 2 * time.Minute, 5: 16 * time.Minute, 9: 256 * time.Minute, 10: 6 * time.Hour, 1000: 6 * time.Hour,
	} {
		if got := Backoff(failures, 0); got != want {
			t.Errorf("after %d: %s, not %s", failures, got, want)
		}
		if got := Backoff(failures, 1); got != want+want/4 {
			t.Errorf("after %d, the most: %s", failures, got)
		}
	}
}

// Let's Encrypt lets a host fail five times, and once more every twelve minutes.
func TestBackoffStaysWithinWhatLetsEncryptAllows(t *testing.T) {
	left, at := 5.0, time.Duration(0)
	for n := 1; n < 20; n++ {
		if left < 1 {
			t.Fatalf("attempt %d after %s is one too many", n, at)
		}
		wait := Backoff(n, 0)
		left, at = min(5, left-1+wait.Minutes()/12), at+wait
	}
}

// TestAfterASuccessNothingIsAskedForAWhile: not where this machine's clock is
// ahead of the directory's, so that the certificate is due at once, nor where
// the directory puts more names into it than were asked for.
func TestAfterASuccessNothingIsAskedForAWhile(t *testing.T) {
	ca, err := pki.NewAuthority("directory", pki.AuthorityLifetime, noon.Add(-30*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	p, err := ca.Issue(pki.Request{Hosts: []string{"is.example.org", "www.is.example.org"}, Lifetime: 24 * time.Hour}, noon.Add(-20*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	c, r := Client{Dir: t.TempDir()}, Request{Name: "server", Hosts: []string{"is.example.org"}, Directory: "https://directory.example"}
	if err := c.keep(r, p, noon); err != nil {
		t.Fatal(err)
	}
	if k := c.Kept(r, noon); !k.Next.Equal(noon.Add(time.Hour)) || k.Failures != 0 {
		t.Errorf("asked again at %s", k.Next)
	}
	later := noon.Add(2 * time.Hour)
	if k := c.Kept(r, later); k.Next.After(later) {
		t.Errorf("a certificate that is due is asked for at %s only", k.Next)
	}
	other := r
	other.Hosts = []string{"other.example.org"}
	if k := c.Kept(other, noon); !k.Next.Equal(noon) {
		t.Errorf("another wish waits until %s", k.Next)
	}
}

package acme

import (
	"testing"
	"time"
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

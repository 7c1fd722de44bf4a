package acme

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	xacme "golang.org/x/crypto/acme"

	"usher/xds/pki"
)

const (
	// firstWait follows a first failure, and each further one doubles it. Let's
	// Encrypt allows five failures an hour for a host and gives one back every
	// twelve minutes: this never reaches that limit.
	firstWait = time.Minute
	// lastWait is where the doubling ends.
	lastWait = 6 * time.Hour
	// longestWait is the most that a directory's Retry-After is believed: Let's
	// Encrypt's longest limit is a week.
	longestWait = 7 * 24 * time.Hour
)

// mostPause is the most of pause.
const mostPause = time.Hour

// pause is how long nothing is asked after a success, whatever this machine's
// clock says of the certificate's life: a third of it, at most an hour.
func pause(p pki.Pair) time.Duration {
	return min(p.Leaf.NotAfter.Sub(p.Leaf.NotBefore)/3, mostPause)
}

// Backoff is how long to wait after so many failures in a row, from 1: a
// minute, doubled each time up to six hours, and up to a quarter more by a
// random number from 0 to 1.
func Backoff(failures int, random float64) time.Duration {
	wait := lastWait
	if n := max(0, failures-1); n < 10 { // 1 min << 9 is more than lastWait
		wait = min(lastWait, firstWait<<n)
	}
	return wait + share(wait/4, random)
}

func share(of time.Duration, random float64) time.Duration {
	return time.Duration(float64(of) * min(max(random, 0), 1))
}

// retryAfter is how long the directory wants to be left alone (RFC 8555, 6.6;
// RFC 9110, 10.2.3), at most longestWait; 0 where it does not say.
func retryAfter(err error, now time.Time) time.Duration {
	var refused *xacme.Error
	if !errors.As(err, &refused) {
		return 0
	}
	text := refused.Header.Get("Retry-After")
	wait := time.Duration(0)
	if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	} else if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		wait = time.Duration(n) * time.Second
	}
	return min(max(0, wait), longestWait)
}

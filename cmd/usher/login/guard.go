package login

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"
)

// Config says whom a Guard knows.
type Config struct {
	Users *Users    // nil where there is no users file
	OIDC  *Provider // nil where nobody comes by OpenID Connect
	Log   *slog.Logger
	URL   string           // of the console, without a path, for one-time links
	Open  []string         // exact paths that need no login anywhere, such as /healthz
	Asks  []string         // exact paths of which a POST changes nothing, so that viewers may
	Now   func() time.Time // time.Now
}

// Guard knows who is who, at all doors.
type Guard struct {
	Config
	sessions  *sessions
	links     *links
	limits    *limiter
	looks     chan struct{} // a look at a password has its place here
	queue     chan struct{} // and here while it waits for one
	secret    []byte        // of this process
	flows     sealer
	strangers meter
	streams   streams
}

const (
	// looksAtOnce bounds the memory of argon2: 64 MiB each.
	looksAtOnce = 2
	// mostQueued is how many may wait for a look.
	mostQueued = 32
	// sweepEvery is how soon the answers that stream to somebody end with his
	// session.
	sweepEvery = 5 * time.Second
)

// NewGuard knows the users of a Config.
func NewGuard(c Config) *Guard {
	return &Guard{
		Config: c, sessions: newSessions(), links: newLinks(), limits: newLimiter(),
		looks: make(chan struct{}, looksAtOnce), queue: make(chan struct{}, mostQueued),
		secret: []byte(secret()), flows: newSealer(),
	}
}

// Run ends the sessions that are over, until ctx ends. Nobody is let in by one
// that is over, whether it runs or not.
func (g *Guard) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			g.sweep(ctx)
		}
	}
}

// sweep ends what still streams to those who may no longer listen.
func (g *Guard) sweep(ctx context.Context) {
	for _, u := range g.sessions.sweep(g.users(), g.Now()) {
		note(ctx, g.Log, u, "", "session ended", Done)
	}
	g.streams.sweep(func(sum [sha256.Size]byte) bool {
		_, good := g.bearer(sum)
		return good
	})
}

func (g *Guard) users() entries {
	if g.Users == nil {
		return entries{}
	}
	return g.Users.now()
}

var (
	errWrong = errors.New("the user name or the password is wrong")
	errBusy  = errors.New("too many log in at this moment: try again")
)

// waitError is an attempt that comes too soon after others that failed.
type waitError time.Duration

// Error says how long to wait.
func (e waitError) Error() string {
	return fmt.Sprintf("too many attempts failed: try again in %d seconds", e.seconds())
}

func (e waitError) seconds() int { return int(math.Ceil(time.Duration(e).Seconds())) }

// password tells who has a name and a password. Of a name that nobody has it
// takes as long, and says the same.
func (g *Guard) password(ctx context.Context, name, password, from string) (person, error) {
	if len(name) > 64 || len(password) > longestPassword {
		return person{}, errWrong
	}
	try, wait := g.limits.begin(name, from, g.Now())
	if wait > 0 {
		return person{}, waitError(wait)
	}
	release, err := g.look(ctx)
	if err != nil {
		g.limits.abandoned(try, g.Now())
		return person{}, err
	}
	defer release()
	e := g.users()
	who, known := e.user(name)
	if !known {
		who.hash = g.standIn(name, e)
	}
	if !who.hash.matches(password) || !known {
		return person{}, errWrong
	}
	g.limits.succeeded(try, g.Now())
	return who, nil
}

// look waits for a place to look at a password.
func (g *Guard) look(ctx context.Context) (release func(), err error) {
	select {
	case g.queue <- struct{}{}:
		defer func() { <-g.queue }()
	default:
		return nil, errBusy
	}
	select {
	case g.looks <- struct{}{}:
		return func() { <-g.looks }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// standIn is a hash for a name that nobody has: as dear as that of one of the
// users, always of the same one.
func (g *Guard) standIn(name string, e entries) hash {
	mac := hmac.New(sha256.New, g.secret)
	mac.Write([]byte(name))
	sum := mac.Sum(nil)
	h := hash{cost: usual, salt: sum[:16], sum: sum}
	if n := uint64(len(e.Users)); n > 0 {
		h.cost = e.Users[binary.BigEndian.Uint64(sum)%n].hash.cost
	}
	return h
}

// bearer tells whose a token is, by its hash.
func (g *Guard) bearer(sum [sha256.Size]byte) (User, bool) {
	var found User
	for _, t := range g.users().Tokens {
		if subtle.ConstantTimeCompare(sum[:], t.sum[:]) == 1 && (t.Expires.IsZero() || g.Now().Before(t.Expires)) {
			found = User{Name: t.Name, Role: t.role, Via: ViaToken}
		}
	}
	return found, found.Role != 0
}

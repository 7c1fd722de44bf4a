package login

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestBruteForceIsSlowedDown(t *testing.T) {
	h := newHouse(t)
	b := browse(t, h.door(Remote))
	for i := range byName.free {
		if got := b.logIn("alice", fmt.Sprintf("guess %d", i)); got.code != 401 || !strings.Contains(got.body, "The user name or the password is wrong") {
			t.Fatal(i, got)
		}
	}
	got := b.logIn("alice", aliceSays)
	if got.code != 429 || got.header.Get("Retry-After") != "1" {
		t.Fatal("the next one need not wait", got)
	}
	h.mustLog("who=alice", "what=login", "result=failed")
	h.mustLog("who=alice", "what=login", "result=refused", "too many attempts")
	guesses := 0
	for start := h.clock.now(); h.clock.now().Sub(start) < time.Hour; h.clock.pass(5 * time.Second) {
		if got := b.logIn("alice", "another guess"); got.code == 401 {
			guesses++
		}
	}
	if guesses > 30 {
		t.Errorf("%d guesses in an hour from one address", guesses)
	}
	h.clock.pass(byAddress.longest)
	if got := b.logIn("alice", aliceSays); got.code != 303 {
		t.Error("the right password after the wait", got)
	}
}

func TestAnAttackOnANameLetsItsUserInWhereHeWasBefore(t *testing.T) {
	h := newHouse(t)
	try := func(password, from string) error {
		_, err := h.password(t.Context(), "alice", password, from)
		return err
	}
	if err := try(aliceSays, "10.0.0.1"); err != nil {
		t.Fatal(err)
	}
	for i := range 200 { // from as many addresses
		_ = try("a guess", fmt.Sprintf("192.0.2.%d", i))
		h.clock.pass(time.Second)
	}
	var wait waitError
	if err := try(aliceSays, "10.0.0.2"); !errors.As(err, &wait) || time.Duration(wait) > byName.longest {
		t.Error("at a new address she has to wait, but not for long:", err)
	}
	if err := try(aliceSays, "10.0.0.1"); err != nil {
		t.Error("where she was before:", err)
	}
	for range byPair.free {
		_ = try("a guess", "10.0.0.1")
	}
	if err := try(aliceSays, "10.0.0.1"); !errors.As(err, &wait) {
		t.Error("guesses are free where she was before:", err)
	}
}

func TestManyGuessesAtOnceAreNotFree(t *testing.T) {
	h := newHouse(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	looked := 0
	for i := range 50 {
		all.Go(func() {
			if _, err := h.password(t.Context(), "alice", fmt.Sprintf("guess %d", i), "192.0.2.1"); errors.Is(err, errWrong) {
				mu.Lock()
				looked++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if looked > byName.free {
		t.Errorf("%d of 50 were looked at", looked)
	}
}

func TestOneWithAPasswordGetsNoFreeGuessesAtOthers(t *testing.T) {
	h := newHouse(t)
	guesses := 0
	for i := range 200 {
		if _, err := h.password(t.Context(), fmt.Sprintf("user%d", i), "password", "192.0.2.1"); errors.Is(err, errWrong) {
			guesses++
		}
		_, _ = h.password(t.Context(), "bob", bobSays, "192.0.2.1")
	}
	if guesses > byAddress.free {
		t.Errorf("%d guesses", guesses)
	}
}

func TestANameThatNobodyHasIsAnsweredLikeOneThatSomebodyHas(t *testing.T) {
	h := newHouse(t)
	b := browse(t, h.door(Remote))
	for i := range byName.free + 1 {
		known, unknown := b.logIn("bob", "a guess"), b.logIn("nob", "a guess")
		if known.code != unknown.code || strings.ReplaceAll(known.body, "bob", "nob") != unknown.body {
			t.Errorf("attempt %d:\n%v\n%v", i, known, unknown)
		}
	}
	// As dear: by the cost of one of the users, the same each time.
	e := entries{Users: []person{{hash: hash{cost: cost{1 << 13, 1, 1}}}, {hash: hash{cost: cost{1 << 14, 2, 2}}}}}
	seen := map[cost]int{}
	for i := range 100 {
		c := h.standIn(fmt.Sprint("user", i), e).cost
		if c != h.standIn(fmt.Sprint("user", i), e).cost {
			t.Fatal("another cost at the next attempt")
		}
		seen[c]++
	}
	if len(seen) != 2 || seen[usual] != 0 {
		t.Error(seen)
	}
	if got := h.standIn("x", entries{}).cost; got != usual {
		t.Error(got)
	}
}

func TestLooksAtPasswordsAreFewAtOnce(t *testing.T) {
	h := newHouse(t)
	for range looksAtOnce {
		if _, err := h.look(t.Context()); err != nil { // never given back
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	codes := make(chan error, mostQueued+1)
	for range mostQueued + 1 {
		all.Go(func() { _, err := h.look(t.Context()); codes <- err })
	}
	if err := <-codes; !errors.Is(err, errBusy) { // one too many
		t.Error(err)
	}
	for range looksAtOnce {
		<-h.looks
	}
	for range mostQueued {
		if err := <-codes; err != nil {
			t.Error(err)
		}
		<-h.looks
	}
	all.Wait()
}

func TestTheMemoryOfAttemptsIsBounded(t *testing.T) {
	l, now := newLimiter(), time.Now()
	for i := range 3 * mostTries {
		l.begin(fmt.Sprint("user", i), fmt.Sprintf("2001:db8:%x:%x::1", i>>16, i&0xffff), now)
	}
	if len(l.names.all) > mostTries || len(l.addresses.all) > mostTries {
		t.Error(len(l.names.all), len(l.addresses.all))
	}
	if a, b := network("2001:db8::1"), network("2001:db8::ffff:1"); a != b {
		t.Error("one /64 counts twice", a, b)
	}
	if a, b := network("::ffff:192.0.2.1"), network("192.0.2.1"); a != b {
		t.Error(a, b)
	}
}

func TestTheMemoryOfSessionsIsBounded(t *testing.T) {
	s, now := newSessions(), time.Now()
	first := s.begin(User{Name: "first", Via: ViaOIDC}, key{}, place{unknownPeer, ""}, now)
	for i := range mostOfOne + 5 {
		s.begin(User{Name: "alice", Via: ViaOIDC}, key{}, place{unknownPeer, ""}, now.Add(time.Duration(i)*time.Second))
	}
	if len(s.all) != mostOfOne+1 || s.all[keyOf(first)] == nil {
		t.Error("one user's sessions end another's", len(s.all))
	}
	for i := range mostSessions + 5 {
		s.begin(User{Name: fmt.Sprint("user", i), Via: ViaOIDC}, key{}, place{unknownPeer, ""}, now.Add(time.Minute))
	}
	if len(s.all) != mostSessions {
		t.Error(len(s.all))
	}
}

func TestStrangersDoNotFillTheLog(t *testing.T) {
	h := newHouse(t)
	b := browse(t, h.door(Remote))
	for range 3 * meterEach {
		b.get("/")
	}
	if n := strings.Count(h.log.String(), "audit=true"); n != meterEach {
		t.Errorf("%d lines", n)
	}
	h.clock.pass(meterSpan)
	b.get("/")
	h.mustLog(fmt.Sprintf("lines_left_out_before=%d", 2*meterEach))
}

func TestALongBodyAtTheLoginIsNotRead(t *testing.T) {
	h := newHouse(t)
	b := browse(t, h.door(Remote))
	if got := b.ask("POST", "/login", url.Values{"name": {"alice"}, "password": {strings.Repeat("x", 1<<20)}}); got.code != 401 {
		t.Error(got)
	}
}

package xds

import (
	"context"
	"net"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoverysvc "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"usher/model"
	"usher/model/sample"
)

// fleet is a server and many proxies that do as Envoy does, each over a connection
// of its own.
type fleet struct {
	*Server
	t       testing.TB
	address string
	leave   context.CancelFunc // of all members
	gone    sync.WaitGroup
	ctx     context.Context
	told    atomic.Int64 // resources that were received
	members []*member
}

// member is one of them. Its maps are its own goroutine's until it has left.
type member struct {
	has    [kinds]map[string]string // versions
	wanted atomic.Value             // version of the endpoints of p0 that it has
}

// newFleet serves resources as the program does.
func newFleet(t testing.TB, r Resources) *fleet {
	t.Helper()
	pokes := make(chan struct{}, 1)
	f := &fleet{t: t, Server: NewServer(func() {
		select {
		case pokes <- struct{}{}:
		default:
		}
	})}
	lis, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	f.address = lis.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	f.ctx, f.leave = context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- f.Serve(ctx, lis, Transport{Trusted: true}) }()
	go f.turn(ctx, pokes)
	t.Cleanup(func() {
		stop()
		f.gone.Wait()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	f.Publish(r, time.Now())
	return f
}

// turn does what a turn of the program's loop asks of the server.
func (f *fleet) turn(ctx context.Context, pokes <-chan struct{}) {
	for {
		wait := time.Hour
		if next := f.Advance(time.Now()); !next.IsZero() {
			wait = max(0, time.Until(next))
		}
		f.Refusals()
		f.Settled(true)
		f.Clients()
		f.Versions()
		select {
		case <-ctx.Done():
			return
		case <-pokes:
		case <-time.After(wait):
		}
	}
}

// change publishes, as the loop does.
func (f *fleet) change(r Resources) {
	f.Publish(r, time.Now())
	f.poke()
}

// join lets as many members connect, with what earlier ones know already.
func (f *fleet) join(n int, known ...*member) {
	f.t.Helper()
	for i := range n {
		m := &member{}
		m.wanted.Store("")
		for k := range m.has {
			m.has[k] = map[string]string{}
			if len(known) > 0 {
				m.has[k] = known[i].has[k]
			}
		}
		f.members = append(f.members, m)
		stream, end := f.dial(nil)
		f.gone.Go(func() { defer end(); f.follow(m, stream) })
	}
}

type deltaStream = discoverysvc.AggregatedDiscoveryService_DeltaAggregatedResourcesClient

// dial opens a stream over a connection that through may spoil.
func (f *fleet) dial(through func(net.Conn) net.Conn) (deltaStream, func()) {
	f.t.Helper()
	conn, err := grpc.NewClient("passthrough:unix", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, "unix", f.address)
		if err == nil && through != nil {
			c = through(c)
		}
		return c, err
	}))
	if err != nil {
		f.t.Fatal(err)
	}
	stream, err := discoverysvc.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(f.ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	return stream, func() { _ = conn.Close() }
}

// follow subscribes as Envoy does and takes everything, until the stream ends.
func (f *fleet) follow(m *member, stream deltaStream) {
	ask := func(k Kind, names ...string) bool {
		return stream.Send(&discoverysvc.DeltaDiscoveryRequest{TypeUrl: k.TypeURL(), ResourceNamesSubscribe: names,
			InitialResourceVersions: m.has[k], Node: &corev3.Node{Id: "member"}}) == nil
	}
	asked := [kinds]bool{Clusters: true, Listeners: true}
	if !ask(Clusters) || !ask(Listeners) {
		return
	}
	for _, k := range []Kind{Endpoints, Secrets, Routes} {
		if names := namesIn(m.has[k]); len(names) > 0 {
			asked[k] = ask(k, names...)
		}
	}
	for {
		r, err := stream.Recv()
		if err != nil {
			return
		}
		k, _ := kindOf(r.TypeUrl)
		f.told.Add(int64(len(r.Resources)))
		var names []string
		for _, res := range r.Resources {
			m.has[k][res.Name] = res.Version
			names = append(names, res.Name)
		}
		for _, name := range r.RemovedResources {
			delete(m.has[k], name)
		}
		m.wanted.Store(m.has[Endpoints]["p0"])
		_ = stream.Send(&discoverysvc.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce})
		switch {
		case k == Clusters && !asked[Endpoints]:
			asked[Endpoints] = ask(Endpoints, names...)
		case k == Listeners && !asked[Routes]:
			asked[Secrets], asked[Routes] = ask(Secrets, "server"), ask(Routes, names...)
		}
	}
}

func namesIn(versions map[string]string) (names []string) {
	for name := range versions {
		names = append(names, name)
	}
	return names
}

// settled waits until so many proxies have everything.
func (f *fleet) settled(n int) {
	f.t.Helper()
	f.until("everybody to have everything", func() bool { return len(f.Clients()) == n && f.Settled(true) })
}

// greeted waits until so many have asked for everything and lack nothing.
func (f *fleet) greeted(n int) {
	f.t.Helper()
	f.until("everybody to ask", func() bool {
		all := f.Clients()
		for _, c := range all {
			if c.Kinds[Routes].State == "unasked" {
				return false
			}
		}
		return len(all) == n && f.Settled(true)
	})
}

// have waits until all members have these endpoints of p0.
func (f *fleet) have(r Resources) {
	f.t.Helper()
	want := resourceOf(r[Endpoints]["p0"]).version
	f.until("everybody to have the change", func() bool {
		for _, m := range f.members {
			if m.wanted.Load() != want {
				return false
			}
		}
		return true
	})
}

func (f *fleet) until(what string, ok func() bool) {
	f.t.Helper()
	for end := time.Now().Add(3 * patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("waited %s in vain for %s", 3*patience, what)
		}
	}
}

// fleetFile is what a fleet serves: its weights may differ, or its routes.
func fleetFile(t testing.TB, f sample.File, weight int, timeout model.Duration) Resources {
	t.Helper()
	c, problems := model.Parse("cluster.yaml", []byte(sample.Reweigh(f.Text(), "p0n0", weight)))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c.Listeners[0].Routes[0].Timeout = timeout
	return Translate(c, Material{Pairs: pairsOf(c)})
}

func TestManyEnvoysLeaveNothingBehind(t *testing.T) {
	small := sample.File{Pools: 5, Each: 20}
	f := newFleet(t, fleetFile(t, small, 1, model.DefaultTimeout))
	before := runtime.NumGoroutine()
	f.join(200)
	f.settled(200)
	next := fleetFile(t, small, 2, model.DefaultTimeout)
	f.change(next)
	f.have(next)
	f.settled(200)
	f.change(fleetFile(t, small, 2, 2*model.DefaultTimeout)) // one of them is tried first
	f.settled(200)
	f.leave()
	f.gone.Wait()
	f.until("all to be forgotten", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.clients)+len(f.asking)+len(f.polls) == 0 && runtime.NumGoroutine() <= before
	})
}

func TestAFleetThatComesBackIsToldNothingThatItHas(t *testing.T) {
	const n = 200
	small := sample.File{Pools: 5, Each: 20}
	r := fleetFile(t, small, 1, model.DefaultTimeout)
	before := newFleet(t, r)
	before.join(n)
	before.settled(n)
	before.leave()
	before.gone.Wait()

	f := newFleet(t, r) // another usher, with the same file
	f.join(n, before.members...)
	f.greeted(n)
	if told := f.told.Load(); told > 0 {
		t.Errorf("%d resources are sent again", told)
	}
	next := fleetFile(t, small, 2, model.DefaultTimeout)
	f.change(next)
	f.have(next)
	f.settled(n)
	if told := f.told.Load(); told != n {
		t.Errorf("one weight is %d resources for %d proxies", told, n)
	}
}

// stuck reads so much, and nothing more for as long as it lives.
type stuck struct {
	net.Conn
	left  int
	never chan struct{}
}

func (s *stuck) Read(b []byte) (int, error) {
	if s.left <= 0 {
		<-s.never
		return 0, net.ErrClosed
	}
	n, err := s.Conn.Read(b[:min(len(b), s.left)])
	s.left -= n
	return n, err
}

func (s *stuck) Close() error {
	defer func() { _ = recover() }() // closed twice
	close(s.never)
	return s.Conn.Close()
}

// greeting is less than what a server says before it answers, and enough for a
// stream to begin.
const greeting = 200

// slow reads a byte a second, once it has read so much.
type slow struct {
	net.Conn
	left  int
	ended chan struct{}
	once  sync.Once
}

func (s *slow) Read(b []byte) (int, error) {
	if s.left > 0 {
		n, err := s.Conn.Read(b[:min(len(b), s.left)])
		s.left -= n
		return n, err
	}
	select {
	case <-s.ended:
		return 0, net.ErrClosed
	case <-time.After(time.Second):
		return s.Conn.Read(b[:1])
	}
}

func (s *slow) Close() error {
	s.once.Do(func() { close(s.ended) })
	return s.Conn.Close()
}

func TestWhoDoesNotListenDelaysNobody(t *testing.T) {
	for name, through := range map[string]func(net.Conn) net.Conn{
		"stuck from the beginning": func(c net.Conn) net.Conn { return &stuck{c, greeting, make(chan struct{})} },
		"stuck after a while":      func(c net.Conn) net.Conn { return &stuck{c, 100_000, make(chan struct{})} },
		"a byte a second":          func(c net.Conn) net.Conn { return &slow{Conn: c, left: greeting, ended: make(chan struct{})} },
	} {
		t.Run(name, func(t *testing.T) {
			large := sample.File{Pools: 3, Each: 1000} // more than fits into a window
			f := newFleet(t, fleetFile(t, large, 1, model.DefaultTimeout))
			deaf, end := f.dial(through)
			defer end()
			f.gone.Go(func() { f.follow(f.deaf(), deaf) })
			f.join(10)
			for weight := 2; weight < 12; weight++ {
				next := fleetFile(t, large, weight, model.DefaultTimeout)
				f.change(next)
				f.have(next)
			}
			f.leave()
		})
	}
}

// deaf is a member of whom nothing is expected.
func (f *fleet) deaf() *member {
	m := &member{}
	for k := range m.has {
		m.has[k] = map[string]string{}
	}
	return m
}

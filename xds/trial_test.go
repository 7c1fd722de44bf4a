package xds

import (
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"usher/model"
)

// pair are two proxies that have everything, the elder first.
func pair(t *testing.T, f fixture) (elder, younger *proxy) {
	t.Helper()
	f.Publish(translated(pool("a", 1)), time.Now())
	elder = f.proxy(t)
	elder.start(f)
	younger = f.proxy(t)
	younger.start(f)
	f.until(t, "both", func() bool { return len(f.Clients()) == 2 && f.Settled(true) })
	return elder, younger
}

// hosts are the resources of one pool with other hosts in the routes.
func hosts(weight model.Weight, names ...string) Resources {
	r := translated(pool("a", weight))
	r[Routes]["https"].(*routev3.RouteConfiguration).VirtualHosts[0].Domains = names
	return r
}

func TestOneIsTriedFirst(t *testing.T) {
	f := serve(t, true)
	elder, younger := pair(t, f)
	f.Publish(hosts(1, "new"), time.Now())
	routes := elder.want("routes +https")
	younger.quiet()
	if f.Settled(true) {
		t.Error("settled while one is tried")
	}
	elder.accept(routes)
	younger.accept(younger.want("routes +https"))
	f.until(t, "acceptance", func() bool { return f.Settled(true) })
	elder.quiet()
}

func TestWhatOneRefusesTheOthersNeverSee(t *testing.T) {
	f := serve(t, true)
	elder, younger := pair(t, f)
	f.Publish(hosts(1, "refused"), time.Now())
	elder.refuse(elder.want("routes +https"), "no")
	f.until(t, "the refusal", func() bool { return len(f.Refusals()) == 1 })
	late := f.proxy(t)
	late.begin()
	f.Publish(translated(pool("a", 1)), time.Now())
	elder.accept(elder.want("routes +https"))
	f.until(t, "acceptance", func() bool { return f.Settled(true) })
	younger.quiet()
	late.quiet()
	f.Publish(hosts(2, "good"), time.Now())
	elder.accept(elder.want("endpoints +a"))
	elder.accept(elder.want("routes +https"))
	for _, p := range []*proxy{younger, late} {
		p.accept(p.want("endpoints +a"))
		p.accept(p.want("routes +https"))
	}
	f.until(t, "acceptance of the next", func() bool { return f.Settled(true) })
}

func TestNodesAreEverybodysAtOnce(t *testing.T) {
	f := serve(t, true)
	elder, younger := pair(t, f)
	f.Publish(translated(pool("a", 2)), time.Now())
	e, y := elder.want("endpoints +a"), younger.want("endpoints +a")
	younger.accept(y)
	elder.accept(e)
	f.until(t, "acceptance", func() bool { return f.Settled(true) })
}

func TestWhoGoesWhileTriedIsReplaced(t *testing.T) {
	f := serve(t, true)
	elder, younger := pair(t, f)
	f.Publish(hosts(1, "new"), time.Now())
	elder.want("routes +https")
	younger.quiet()
	if err := elder.stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	younger.accept(younger.want("routes +https"))
	f.until(t, "acceptance", func() bool { return f.Settled(true) })
}

func TestWhoIsSilentHoldsUpTheOthersForAWhileOnly(t *testing.T) {
	f := serve(t, true)
	elder, younger := pair(t, f)
	f.Publish(hosts(1, "new"), time.Now())
	elder.want("routes +https")
	younger.accept(younger.want("routes +https")) // after settleLimit
	f.until(t, "the trial's end", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.rest.has(f.lead.target) })
}

func TestAPoolThatGoesLeavesEveryEnvoyAfterItsRoutes(t *testing.T) {
	f := serve(t, true)
	elder, younger := pair(t, f)
	f.Publish(translated(pool("a", 1), pool("b", 1)), time.Now())
	for _, p := range []*proxy{elder, younger} {
		p.accept(p.want("clusters +b"))
		p.ask(Endpoints, "b")
		p.accept(p.want("endpoints +b"))
		p.accept(p.want("routes +https"))
	}
	f.until(t, "the pool everywhere", func() bool { return f.Settled(true) })
	f.Publish(translated(pool("a", 1)), time.Now())
	for _, p := range []*proxy{elder, younger} {
		routes := p.want("routes +https")
		p.quiet()
		p.accept(routes)
		p.accept(p.want("clusters -b"))
		p.accept(p.want("endpoints -b"))
	}
	f.until(t, "acceptance", func() bool { return f.Settled(true) })
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lead != f.rest || f.tried != nil {
		t.Error("the trial has no end")
	}
}

package envoy

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// quiet is how long no request may be in flight before Envoy is told to go:
	// one that arrives at the last moment on a kept connection is still answered.
	quiet = 200 * time.Millisecond
	// force is the time between the steps of stopping.
	force = 2 * time.Second
)

// end stops an Envoy, or leaves it.
func (o Options) end(ctx context.Context, id identity) {
	if errors.Is(context.Cause(ctx), ErrLeave) {
		o.Notify(Event{State: Left, PID: id.PID})
		return
	}
	o.stop(id)
}

// stop ends an Envoy in rising force: drain its listeners until nothing is in
// flight or Drain has passed, ask it to quit, SIGTERM, SIGKILL.
func (o Options) stop(id identity) {
	o.Notify(Event{State: Draining, PID: id.PID})
	admin := Admin{Socket: filepath.Join(o.Dir, AdminSocket)}
	ctx, cancel := context.WithTimeout(context.Background(), o.Drain)
	defer cancel()
	if _, err := admin.Post(ctx, "/drain_listeners?graceful&skip_exit"); err == nil {
		o.idle(ctx, id, admin)
	}
	for _, push := range []func(){
		func() { _, _ = admin.Post(context.Background(), "/quitquitquit") },
		func() { _ = syscall.Kill(id.PID, syscall.SIGTERM) },
		func() { _ = syscall.Kill(id.PID, syscall.SIGKILL) },
	} {
		if id.lives() {
			push()
		}
		gone, cancel := context.WithTimeout(context.Background(), force)
		alive := o.watch(gone, id)
		cancel()
		if !alive {
			break
		}
	}
	o.Notify(Event{State: Stopped, PID: id.PID})
}

// idle waits until no request has been in flight for a while, or ctx ends.
func (o Options) idle(ctx context.Context, id identity, admin Admin) {
	since := time.Now()
	for id.lives() && time.Since(since) < quiet {
		if n, err := admin.InFlight(ctx); err != nil || n > 0 {
			since = time.Now()
		}
		if !sleep(ctx, 20*time.Millisecond) {
			return
		}
	}
}

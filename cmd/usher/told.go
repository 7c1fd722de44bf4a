package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"usher/envoy"
)

// report tells the service manager how it stands.
func (l *loop) report() state {
	s := state{taken: l.serving() && l.settled(), pending: !l.saved.IsZero()}
	switch {
	case !l.serving():
		s.words = "nothing is served yet"
	case len(l.problems) > 0:
		fault, _, _ := strings.Cut(l.problems[0].String(), "\n")
		s.words = "what was accepted before is served: " + fault
	case !s.taken:
		s.words = "Envoy has not accepted cluster.yaml yet"
	default:
		s.words = fmt.Sprintf("cluster.yaml is live: %d listeners, %d pools, %d nodes",
			len(l.now.cluster.Listeners), len(l.now.cluster.Pools), l.now.nodes())
	}
	return s
}

// bye tells it of the end, for which there are two reasons.
func (l *loop) bye(ctx context.Context) {
	if errors.Is(context.Cause(ctx), envoy.ErrLeave) {
		l.manager.stopping("Envoy serves on, for the next usher")
		return
	}
	l.manager.stopping("requests in flight are answered, no new ones are taken")
}

// leaving ends at SIGUSR2, too: then Envoy serves on, for the next usher.
func leaving(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR2)
	go func() {
		defer signal.Stop(asked)
		select {
		case <-asked:
			cancel(envoy.ErrLeave)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"usher/cmd/usher/api"
	"usher/cmd/usher/figures"
	"usher/cmd/usher/login"
	"usher/cmd/usher/metrics"
	"usher/envoy"
	"usher/xds"
	"usher/xds/pki"
)

// options are those of run and serve.
type options struct {
	vault
	logging
	envoy     string
	xds       string
	advertise string
	figures   uint16 // the port at which Envoys elsewhere show theirs; 0 for none
	console   consoleOptions
	supervise bool // an Envoy of our own
}

func runCommand() *cobra.Command {
	o := options{supervise: true}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the balancer: the control plane and an Envoy of its own",
		Long: `run watches the cluster file and starts an Envoy that does what it says. Every
save is live in well under a second; a faulty one changes nothing. Envoy is
restarted when it dies, outlives a crash of usher, and is drained on Ctrl-C.

Signals: SIGTERM and SIGINT drain Envoy and end, SIGUSR2 ends usher alone (the
next one takes Envoy over: so it is restarted without an outage), SIGUSR1 opens
the access logs anew. A service manager is told by sd_notify(3): READY=1 as soon
as Envoy has accepted the cluster file.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.last(os.Stderr, o.run(cmd.Context())) },
	}
	o.flags(cmd)
	envoyFlag(cmd, &o.envoy)
	return cmd
}

func serveCommand() *cobra.Command {
	o := options{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the control plane alone, for Envoys started elsewhere",
		Long: `serve watches the cluster file and tells every Envoy that connects. On a
loopback address the port is plain text and gives no private key: an Envoy on
this machine uses the socket in the state folder. On any other address it
demands mutual TLS with certificates of usher's own internal CA. What such an
Envoy needs is written to STATE/xds: ca.crt, client.crt, client.key and
bootstrap.yaml. With --figures-port such Envoys show usher what they count, and
how the nodes are with them, as 'usher run' has it of its own: at that port, by
mutual TLS, for usher alone.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.last(os.Stderr, o.run(cmd.Context())) },
	}
	o.flags(cmd)
	figuresFlag(cmd, &o.figures)
	cmd.Flags().StringVar(&o.advertise, "advertise", "", "HOST:PORT by which Envoys reach the xDS port (default: that of --xds)")
	envoyFlag(cmd, &o.envoy)
	return cmd
}

func (o *options) flags(cmd *cobra.Command) {
	o.vault.flags(cmd)
	o.logging.flags(cmd)
	cmd.Flags().StringVar(&o.xds, "xds", "127.0.0.1:18000", "address of the xDS port; any but a loopback address demands mutual TLS")
	o.console.flags(cmd)
}

// run brings everything up in the order in which it can fail, runs it until
// ctx ends or a part of it fails, and takes it down again.
func (o *options) run(ctx context.Context) error {
	store, err := o.open()
	if err != nil {
		return err
	}
	if err := o.mustHaveAFile(); err != nil {
		return err
	}
	binary, err := o.findEnvoy()
	if err != nil {
		return err
	}
	if err := o.makeState(); err != nil {
		return err
	}
	unlock, err := envoy.Lock(o.state)
	if err != nil {
		return err
	}
	defer unlock()
	l := o.newLoop(store, binary)
	entrance, err := o.entrance(l.log)
	if err != nil {
		return err
	}
	doors, err := o.listen()
	if err != nil {
		return err
	}
	defer doors.close()
	entrance.open(doors.console, o.console.address)
	l.face = entrance.face
	ctx, stop := leaving(ctx)
	defer stop()
	return o.together(ctx, l, doors, entrance)
}

// newLoop is a loop that says what it does, to people and to the service manager.
func (o *options) newLoop(store pki.Store, binary *envoy.Binary) *loop {
	l := newLoop(o.places, store, binary)
	l.log, l.aside = o.to(os.Stderr)
	l.manager = serviceManager(os.Getenv)
	return l
}

// mustHaveAFile refuses to start where there is neither a cluster file nor one
// that was accepted before.
func (o *options) mustHaveAFile() error {
	_, err := readConfig(o.config)
	if _, accepted := os.Stat(o.accepted()); err != nil && accepted != nil {
		return err
	}
	return nil
}

// findEnvoy finds what is to be run. serve only validates with it, and does
// without where there is none.
func (o *options) findEnvoy() (*envoy.Binary, error) {
	binary, err := envoy.Find(o.envoy)
	if err == nil {
		return &binary, nil
	}
	if o.supervise || o.envoy != "" || !errors.Is(err, envoy.ErrNotFound) {
		return nil, err
	}
	return nil, nil
}

// doors are where usher itself listens.
type doors struct {
	xdsSocket, xdsPort, api, console net.Listener
	mutual                           bool // the xDS port demands mutual TLS
}

func (o *options) listen() (d doors, err error) {
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	local, err := loopback(o.xds)
	if err != nil {
		return d, err
	}
	d.mutual = !local
	if o.figures != 0 && local {
		return d, usageError{fmt.Errorf("--figures-port %d: with --xds %s Envoys are not asked for figures: choose an address that is not loopback, or let `usher run` start the Envoy of this machine", o.figures, o.xds)}
	}
	if d.xdsSocket, err = listenUnix(o.xdsSocket()); err != nil {
		return d, err
	}
	if d.api, err = listenUnix(o.apiSocket()); err != nil {
		return d, err
	}
	if d.xdsPort, err = listenTCP("--xds", o.xds); err != nil {
		return d, err
	}
	d.console, err = listenTCP("--console", o.console.address)
	return d, err
}

func (d doors) close() {
	for _, lis := range []net.Listener{d.xdsSocket, d.xdsPort, d.api, d.console} {
		if lis != nil {
			_ = lis.Close()
		}
	}
}

// together runs all parts until one fails or ctx ends; then the others end.
func (o *options) together(ctx context.Context, l *loop, d doors, e *entrance) error {
	port := xds.Transport{}
	if d.mutual {
		internal, _, err := l.store.Internal(time.Now())
		if err != nil {
			return err
		}
		port = xds.Transport{Trusted: true, TLS: internal.ServerTLS(time.Now)}
		l.internal = &internal
	}
	if !o.supervise {
		l.elsewhere = &elsewhere{o.places, o.reachedAt(), o.figures, d.mutual}
		l.leave(time.Now())
	}
	switch {
	case o.supervise:
		l.figures = figures.New(figures.Only(envoy.Admin{Socket: o.adminSocket()}), l.status.Load)
	case o.figures != 0:
		l.figures = figures.New(afar(l.server.Clients, o.figures, l.internal.FiguresTLS(time.Now)), l.status.Load)
	}
	answers := handler(l.Status, metrics.Sources{Status: l.status.Load, Counts: l.server.Counts, Figures: l.figures, Own: l.counts})
	whole := http.NewServeMux()
	whole.Handle(api.Prefix+"/", api.Handler(l))
	whole.Handle("/", answers)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.server.Serve(ctx, d.xdsSocket, xds.Transport{Trusted: true}) })
	g.Go(func() error { return l.server.Serve(ctx, d.xdsPort, port) })
	g.Go(func() error { return serveHTTP(ctx, d.api, e.guard.Gate(login.Local).Wrap(whole), l.log, nil) })
	g.Go(func() error { return e.serve(ctx, d.console, o.withConsole(l, whole)) })
	g.Go(func() error { return e.guard.Run(ctx) })
	g.Go(func() error { return l.watcher.Run(ctx) })
	g.Go(func() error { l.resolver.run(ctx); return nil })
	g.Go(func() error { l.asker.run(ctx); return nil })
	g.Go(func() error { l.noter.run(ctx); return nil })
	g.Go(func() error { l.sessions.run(ctx); return nil })
	if l.figures != nil {
		g.Go(func() error { l.figures.Run(ctx); return nil })
	}
	if o.supervise {
		g.Go(func() error { return o.superviseEnvoy(ctx, l) })
	}
	g.Go(func() error { return l.run(ctx) })
	return g.Wait()
}

// reachedAt is the address that Envoys elsewhere are told.
func (o *options) reachedAt() string {
	if o.advertise != "" {
		return o.advertise
	}
	return o.xds
}

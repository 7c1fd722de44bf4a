package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"usher/cmd/usher/status"
	"usher/envoy"
)

// drainTime is how long requests in flight may take when usher is told to end.
const drainTime = 10 * time.Second

// processStatus is the supervised Envoy as its events tell of it. The loop owns
// it.
type processStatus struct{ s *status.Supervised }

func (p *processStatus) note(e envoy.Event, b *envoy.Binary) {
	next := status.Supervised{PID: e.PID, State: e.State, Words: e.Words, Version: b.Version}
	if p.s != nil {
		next.Restarts = p.s.Restarts
		if e.State == envoy.Started {
			next.Restarts++
		}
	}
	p.s = &next
}

// superviseEnvoy keeps an Envoy alive from the first publication on: before,
// there is nothing that it could do.
func (o *options) superviseEnvoy(ctx context.Context, l *loop) error {
	select {
	case <-ctx.Done():
		return nil
	case <-l.first:
	}
	boot, err := envoy.Bootstrap{
		Node:    "usher-" + filepath.Base(filepath.Dir(o.config)),
		Socket:  filepath.Base(o.xdsSocket()),
		Admin:   envoy.AdminSocket,
		MaxHeap: mostMemory(),
	}.JSON()
	if err != nil {
		return err
	}
	defer o.relayLogs(ctx, l.log)()
	go reopenLogs(ctx, l.log, envoy.Admin{Socket: o.adminSocket()})
	return envoy.Supervise(ctx, envoy.Options{
		Binary: *l.envoy, Dir: o.state, Bootstrap: boot, Drain: drainTime,
		Notify: func(e envoy.Event) { l.tell(e) },
	})
}

// relayLogs passes on what Envoy logs, until end is called: its last lines come
// after ctx has ended.
func (o *options) relayLogs(ctx context.Context, log *slog.Logger) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var both sync.WaitGroup
	both.Go(func() {
		envoy.TailLog(ctx, filepath.Join(o.state, envoy.LogFile), func(line string) { relay(log, line) })
	})
	both.Go(func() {
		envoy.TailLog(ctx, filepath.Join(o.state, envoy.AccessLogFile), func(line string) { fmt.Println(line) })
	})
	return func() { cancel(); both.Wait() }
}

// reopenLogs has Envoy open its access logs anew at SIGUSR1, after a rotation.
func reopenLogs(ctx context.Context, log *slog.Logger, admin envoy.Admin) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	defer signal.Stop(asked)
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
			if _, err := admin.Post(ctx, "/reopen_logs"); err != nil {
				log.Error("the access logs could not be opened anew", "error", err)
			}
		}
	}
}

// tell logs an event and hands it to the loop, which may be gone already.
func (l *loop) tell(e envoy.Event) {
	args := []any{"pid", e.PID}
	if e.Words != "" {
		args = append(args, "words", e.Words)
	}
	switch e.State {
	case envoy.Died:
		l.log.Error("Envoy died; another one is started", append(args, "in", e.Wait)...)
	case envoy.Unrecorded:
		l.log.Warn("Envoy serves, but a restarted usher would not find it: make room in the state folder", args...)
		return // it is as started as before
	default:
		l.log.Info("Envoy "+e.State, args...)
	}
	select {
	case l.events <- e:
	default:
	}
}

// relay puts a line of Envoy's log into usher's, tagged.
func relay(log *slog.Logger, line string) {
	levels := map[string]slog.Level{
		"trace": slog.LevelDebug, "debug": slog.LevelDebug, "info": slog.LevelInfo,
		"warning": slog.LevelWarn, "error": slog.LevelError, "critical": slog.LevelError,
	}
	level, text := envoy.ParseLine(line)
	if text == "" {
		return
	}
	if at, ok := levels[level]; ok {
		log.Log(context.Background(), at, text, "from", "envoy")
		return
	}
	log.Info(text, "from", "envoy")
}

// mostMemory is what Envoy may take: three quarters of the machine's.
func mostMemory() uint64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return info.Totalram * uint64(info.Unit) / 4 * 3
}

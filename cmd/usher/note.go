package main

import (
	"context"
	"log/slog"

	"usher/cmd/usher/desk"
	"usher/model"
)

// noter tells the journal of what editors do to the file. It writes for the loop,
// which waits for no disk and no lock.
type noter struct {
	desk *desk.Desk
	news chan desk.Seen // the file as it was last seen, at most one
	log  *slog.Logger
}

func newNoter(p places, log *slog.Logger) *noter {
	parse := func(_ context.Context, text []byte) (*model.Cluster, model.Problems) {
		return model.Parse(p.config, text)
	}
	return &noter{desk.New(p.config, p.state, parse), make(chan desk.Seen, 1), log}
}

// tell leaves the file as it is now. Only the loop does.
func (n *noter) tell(file desk.Seen) {
	select {
	case <-n.news: // what was not noted yet is part of the next difference
	default:
	}
	n.news <- file
}

// run notes until ctx ends.
func (n *noter) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case file := <-n.news:
			if err := n.desk.Note(ctx, file); err != nil && ctx.Err() == nil {
				n.log.Warn("a change of the cluster file could not be noted in the journal", "error", err)
			}
		}
	}
}

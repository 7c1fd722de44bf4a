package login

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Result is how something ended that is audited.
type Result string

// The results.
const (
	Done    Result = "done"
	Failed  Result = "failed"  // it was tried, or whoever asks is not who he says
	Refused Result = "refused" // he may not, or not now
)

// Audit writes one line about what somebody did, such as "node isNode1: state
// drain". A handler calls it for every change, with the context of its request.
// All such lines have audit=true, and are written at any --log-level.
func Audit(ctx context.Context, what string, result Result, more ...slog.Attr) {
	if a, ok := ctx.Value(askerKey).(asker); ok && a.log != nil {
		note(ctx, a.log, a.User, a.from, what, result, more...)
	}
}

func note(ctx context.Context, log *slog.Logger, u User, from, what string, result Result, more ...slog.Attr) {
	level := slog.LevelInfo
	if result != Done {
		level = slog.LevelWarn
	}
	all := []slog.Attr{
		slog.Bool("audit", true), slog.String("who", u.Name), slog.String("role", u.Role.String()),
		slog.String("via", string(u.Via)), slog.String("from", from), slog.String("what", short(what)), slog.String("result", string(result)),
	}
	line := slog.NewRecord(time.Now(), level, "audit", 0)
	line.AddAttrs(append(all, more...)...)
	_ = log.Handler().Handle(ctx, line) // past the level of the log: who did what is always told
}

// meter bounds the lines about strangers: they can ask as often as they like, and
// must not fill the disk.
type meter struct {
	mu      sync.Mutex
	since   time.Time
	count   int
	dropped int
}

const (
	// meterEach is how many lines there are about strangers in one meterSpan.
	meterEach = 60
	meterSpan = time.Minute
)

// pass tells whether there may be another line, and how many there were that
// might not.
func (m *meter) pass(now time.Time) (ok bool, dropped int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.since) >= meterSpan {
		m.since, m.count = now, 0
	}
	if m.count >= meterEach {
		m.dropped++
		return false, 0
	}
	m.count++
	dropped, m.dropped = m.dropped, 0
	return true, dropped
}

// noteRefusal notes what was refused; of strangers only so much.
func (g *Guard) noteRefusal(ctx context.Context, u User, from, what, why string) {
	more := []slog.Attr{slog.String("why", why)}
	if u.Role == 0 || u.Via == ViaLoopback {
		ok, dropped := g.strangers.pass(g.Now())
		if !ok {
			return
		}
		if dropped > 0 {
			more = append(more, slog.Int("lines_left_out_before", dropped))
		}
	}
	note(ctx, g.Log, u, from, what, Refused, more...)
}

// short keeps what strangers send from filling the log.
func short(text string) string {
	const most = 200
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// origin is the address that a request comes from, of the connection itself.
func origin(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // "@" of a unix socket
	}
	return host
}

package envoy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// logLimit is the size at which the log begins anew.
const logLimit = 8 << 20

// TailLog reports each new line of one of Envoy's logs until ctx ends: from where
// the last one left off, or from the end of the file where that one did not come
// to its own end. It keeps the file under logLimit: Envoy appends, so the file may
// be cut at any time.
func TailLog(ctx context.Context, path string, line func(string)) {
	at := resume(path)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			leaveOff(path, readLog(path, at, line))
			return
		case <-tick.C:
			at = readLog(path, at, line)
		}
	}
}

// leftOff is beside a log while nobody reads it, and says how far it was read.
func leftOff(path string) string { return path + ".read" }

// leaveOff remembers a place. Where that fails, as on a full disk, what is written
// before the next reader comes stays unread.
func leaveOff(path string, at int64) {
	_ = replaceFile(leftOff(path), []byte(strconv.FormatInt(at, 10)))
}

// resume finds that place, once: after a crash it would be an old one.
func resume(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	text, err := os.ReadFile(leftOff(path))
	if err != nil || os.Remove(leftOff(path)) != nil {
		return info.Size()
	}
	at, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || at < 0 || at > info.Size() {
		return info.Size()
	}
	return at
}

func readLog(path string, at int64, line func(string)) int64 {
	info, err := os.Stat(path) // as a rule there is nothing new
	if err != nil {
		return 0
	}
	if info.Size() == at {
		return at
	}
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close() //nolint:errcheck // read only
	if info.Size() < at {
		at = 0
	}
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return at
	}
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		text, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // half a line waits for its end
		}
		if err != nil {
			return at
		}
		at += int64(len(text))
		line(strings.TrimRight(text, "\n"))
	}
	if at > logLimit && os.Truncate(path, 0) == nil {
		return 0
	}
	return at
}

// ParseLine splits a line of Envoy's log into its level (warning, error,
// critical, …) and text. A line of another shape has no level.
func ParseLine(line string) (level, text string) {
	parts := strings.SplitN(line, " ", 4)
	if len(parts) < 4 || !strings.Contains(parts[0], "T") {
		return "", line
	}
	return parts[1], parts[3]
}

// lastWords is the last error that a dead Envoy logged.
func lastWords(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	if len(data) > 16<<10 {
		data = data[len(data)-16<<10:]
	}
	last := ""
	for line := range strings.Lines(string(data)) {
		if level, text := ParseLine(strings.TrimSpace(line)); level == "critical" || level == "error" {
			last = text
		}
	}
	return last
}

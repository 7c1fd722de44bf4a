package scale

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"usher/model/sample"
)

// quiet is longer than the time that usher leaves between two reports of saves.
const quiet = 700 * time.Millisecond

// unchecked is a pool whose nodes neither usher nor Envoy asks anything, so that
// a change is all that is measured.
const unchecked = "sticky: {jvm_route: JSESSIONID, session_path: off}; tls: {verify: none}; health: {tcp: false}"

// changes are what is saved, each in turn with what was there before.
var changes = []struct {
	name string
	make func(text string) string
}{
	{"one_weight", func(text string) string { return sample.Reweigh(text, "p0n0", 2) }},
	{"every_weight", func(text string) string { return strings.ReplaceAll(text, "weight: 1}", "weight: 3}") }},
	{"one_node_less", func(text string) string {
		head, rest, _ := strings.Cut(text, "      - {name: p0n0,")
		_, tail, _ := strings.Cut(rest, "\n")
		return head + tail
	}},
	{"one_route", func(text string) string {
		return strings.Replace(text, "{path: /p0, pool: p0}", "{path: /p0, pool: p0, timeout: 7s}", 1)
	}},
	{"one_pool", func(text string) string {
		return strings.Replace(text, "  - name: p0\n", "  - name: p0\n    connect_timeout: 2s\n", 1)
	}},
}

// BenchmarkSave is the time from a save to the moment at which a real Envoy has
// accepted it, the wait for further saves included.
func BenchmarkSave(b *testing.B) {
	for _, f := range sample.Sizes() {
		b.Run(f.Name(), func(b *testing.B) {
			f.Pool, f.Port = unchecked, freePort(b)
			text := f.Text()
			s := newSite(b, text)
			for _, c := range changes {
				b.Run(c.name, func(b *testing.B) { s.measure(b, text, c.make(text)) })
			}
		})
	}
}

func (s *site) measure(b *testing.B, was, next string) {
	s.b = b
	longest := time.Duration(0)
	for range b.N {
		b.StopTimer()
		time.Sleep(quiet)
		b.StartTimer()
		began := time.Now()
		s.save(next)
		longest = max(longest, s.wait().Sub(began))
		was, next = next, was
	}
	b.StopTimer()
	b.ReportMetric(float64(longest.Milliseconds()), "ms-max")
	b.ReportMetric(s.memory(b, "VmHWM"), "MB-peak")
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/op")
	b.ReportMetric(0, "ns/op")
	if b.N%2 == 1 { // back to where it was
		time.Sleep(quiet)
		s.save(next)
		s.wait()
	}
}

// BenchmarkIdle is what usher takes while nothing happens and nobody looks, of
// nodes that live and are asked as the defaults have it.
func BenchmarkIdle(b *testing.B) {
	nodes := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	nodes.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	nodes.StartTLS()
	defer nodes.Close()
	for _, f := range []sample.File{{Pools: 5, Each: 20}, {Pools: 500, Each: 20}} {
		b.Run(f.Name(), func(b *testing.B) {
			f.Pool, f.Port = unchecked, freePort(b)
			f.Pool = strings.Replace(f.Pool, ", session_path: off", "", 1)
			f.Node = portOf(nodes.Listener)
			s := newSite(b, f.Text())
			b.ReportMetric(s.memory(b, "VmHWM"), "MB-start")
			time.Sleep(3 * time.Minute) // nobody looks any more, and every node has been asked once
			for range b.N {
				before, began := s.cpu(b), time.Now()
				time.Sleep(30 * time.Second)
				b.ReportMetric(100*float64(s.cpu(b)-before)/float64(time.Since(began)), "%cpu")
			}
			b.ReportMetric(s.memory(b, "VmRSS"), "MB")
			b.ReportMetric(s.memory(b, "VmHWM"), "MB-peak")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// memory is a line of /proc/PID/status in MB.
func (s *site) memory(b *testing.B, line string) float64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), line+":")
	kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1000
}

// tick is what /proc counts CPU time in, on every architecture of Linux.
const tick = 10 * time.Millisecond

// cpu is the time that usher has taken so far.
func (s *site) cpu(b *testing.B) time.Duration {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := bytes.Fields(data[bytes.LastIndex(data, []byte(") "))+2:])
	total := 0
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(string(f))
		if err != nil {
			b.Fatal(err)
		}
		total += n
	}
	return time.Duration(total) * tick
}

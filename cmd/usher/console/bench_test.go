package console

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"usher/cmd/usher/status"
)

// BenchmarkTwoHundredNodes is what a page of 200 nodes costs each time it renews
// itself, plain and compressed.
func BenchmarkTwoHundredNodes(b *testing.B) {
	var text strings.Builder
	text.WriteString("listeners: [{name: http, address: :80, routes: [{path: /, pool: p}]}]\npools:\n  - name: p\n    nodes:\n")
	for i := range 200 {
		fmt.Fprintf(&text, "      - {name: node%d, address: 10.0.0.%d:9443}\n", i, i)
	}
	s := statusOf("cluster.yaml", text.String())
	seen := &seen{now: figuresOf(s)}
	c := &Console{Status: func() *status.Status { return &s }, Figures: seen, Now: func() time.Time { return noon }}
	for _, encoding := range []string{"identity", "gzip"} {
		b.Run(encoding, func(b *testing.B) {
			b.ReportAllocs()
			bytes := 0
			for b.Loop() {
				seen.now.Time = seen.now.Time.Add(1) // other figures: nothing is shared
				r := httptest.NewRequest("GET", "/console/live", nil)
				r.Header.Set("Accept-Encoding", encoding)
				w := httptest.NewRecorder()
				c.live(w, r)
				bytes = w.Body.Len()
			}
			b.ReportMetric(float64(bytes), "bytes/page")
		})
	}
}

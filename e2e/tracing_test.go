package e2e

import (
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	commonv1 "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
)

// collector takes OTLP by gRPC and keeps the spans.
type collector struct {
	address string
	mu      sync.Mutex
	spans   []*tracev1.Span
	service string
}

func startCollector(t *testing.T) *collector {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{address: lis.Addr().String()}
	s := grpc.NewServer(grpc.UnknownServiceHandler(c.take))
	go func() { _ = s.Serve(lis) }()
	t.Cleanup(s.Stop)
	return c
}

// take is ExportTraceServiceRequest, whose bytes are those of TracesData.
func (c *collector) take(_ any, stream grpc.ServerStream) error {
	const export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	method, _ := grpc.MethodFromServerStream(stream)
	var data tracev1.TracesData
	if err := stream.RecvMsg(&data); err != nil || method != export {
		return fmt.Errorf("%s: %w", method, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range data.ResourceSpans {
		c.service = attribute(r.GetResource().GetAttributes(), "service.name")
		for _, scope := range r.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	return stream.SendMsg(&tracev1.TracesData{})
}

func attribute(all []*commonv1.KeyValue, key string) string {
	for _, a := range all {
		if a.Key == key {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// span is that of a path, as far as it has come.
func (c *collector) span(path string) (found *tracev1.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if strings.HasSuffix(attribute(s.Attributes, "http.url"), path) && attribute(s.Attributes, "usher.pool") != "" {
			found = s
		}
	}
	return found
}

func TestSpansNameNodeAndOutcomeAndNodesAreTold(t *testing.T) {
	c := startCollector(t)
	s := newSite(t, 2, file{listener: "tracing: {collector: \"" + c.address + "\", sample: 100%, service: edge}"})
	_, _ = s.ask("/sticky", "JSESSIONID=A.isNode2")
	_, _ = s.ask("/new", "")
	const trace = "0af7651916cd43dd8448eb211c80319c"
	req, _ := http.NewRequest(http.MethodGet, s.url("/headers"), nil)
	req.Header.Set("traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	resp, body := s.whole(req)
	if resp.StatusCode != 200 || !strings.Contains(body, trace) {
		t.Errorf("the node is not told of the trace: %s", body)
	}
	for path, want := range map[string][2]string{"/sticky": {"isNode2", "sticky"}, "/new": {"", "new"}, "/headers": {"", "new"}} {
		until(t, patience, "the span of "+path, func() bool { return c.span(path) != nil })
		span := c.span(path)
		node, outcome := attribute(span.Attributes, "usher.node"), attribute(span.Attributes, "usher.outcome")
		if attribute(span.Attributes, "usher.pool") != "identity" || outcome != want[1] || want[0] != "" && node != want[0] || !strings.HasPrefix(node, "isNode") {
			t.Errorf("%s: %v", path, span)
		}
	}
	if id := hex.EncodeToString(c.span("/headers").TraceId); id != trace {
		t.Errorf("the span is of another trace, %s", id)
	}
	if c.service != "edge" {
		t.Errorf("the service is called %q", c.service)
	}
}

// What is not sampled is sent to nobody, and a node is told so; without the key
// nothing of it is in Envoy.
func TestNothingIsTracedUnasked(t *testing.T) {
	c := startCollector(t)
	s := newSite(t, 1, file{listener: "tracing: {collector: \"" + c.address + "\", sample: 0%}"})
	req, _ := http.NewRequest(http.MethodGet, s.url("/headers"), nil)
	if _, body := s.whole(req); !strings.Contains(strings.ToLower(body), "traceparent") {
		t.Errorf("the node sees %s", body)
	}
	req.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if _, body := s.whole(req); !strings.Contains(body, "00-0af7651916cd43dd8448eb211c80319c-") || strings.Contains(body, "-01\"") {
		t.Errorf("a stranger decides what is traced: %s", body)
	}
	if n := c.count(); n > 0 {
		t.Errorf("%d spans", n)
	}
	s.change("no tracing", func(f *file) { f.listener = "" })
	until(t, 2*patience, "Envoy to forget about tracing", func() bool { // a listener drains for ten seconds
		dump := s.admin("/config_dump?resource=dynamic_listeners") + s.admin("/config_dump?resource=dynamic_active_clusters")
		return !strings.Contains(dump, "opentelemetry") && !strings.Contains(dump, "/tracing/") && !strings.Contains(dump, "usher.pool")
	})
}

// whole sends a request and reads all of the answer.
func (s *site) whole(req *http.Request) (*http.Response, string) {
	s.t.Helper()
	resp, err := s.client(false, nil).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(body)
}

func (c *collector) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.spans)
}

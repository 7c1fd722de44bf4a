package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	clustersvc "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoverysvc "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	secretsvc "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	reflectionsvc "google.golang.org/grpc/reflection/grpc_reflection_v1"
)

func (s *site) dial(creds credentials.TransportCredentials, more ...grpc.DialOption) *grpc.ClientConn {
	s.t.Helper()
	conn, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", s.xds), append(more, grpc.WithTransportCredentials(creds))...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestAStrangerOnLoopbackSeesEverythingButKeys(t *testing.T) {
	s := newIdleSite(t, 2, file{})
	s.startUsher("serve")
	until(t, patience, "serve", func() bool { st, ok := s.status(); return ok && st.Serving })
	conn := s.dial(insecure.NewCredentials())
	for _, node := range []*corev3.Node{nil, {Id: "anybody"}} {
		for kind, fetch := range map[string]func(context.Context, *discoverysvc.DiscoveryRequest, ...grpc.CallOption) (*discoverysvc.DiscoveryResponse, error){
			"clusters": clustersvc.NewClusterDiscoveryServiceClient(conn).FetchClusters,
			"secrets":  secretsvc.NewSecretDiscoveryServiceClient(conn).FetchSecrets,
		} {
			resp, err := fetch(t.Context(), &discoverysvc.DiscoveryRequest{Node: node})
			if err != nil || len(resp.GetResources()) != 1 {
				t.Fatalf("%s for %v: %d resources, %v", kind, node, len(resp.GetResources()), err)
			}
			if text := resp.String(); strings.Contains(text, "PRIVATE KEY") || kind == "secrets" && !strings.Contains(text, "[redacted]") {
				t.Errorf("%s shows a key", kind)
			}
		}
	}
	stream, err := discoverysvc.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = stream.Send(&discoverysvc.DeltaDiscoveryRequest{TypeUrl: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", ResourceNamesSubscribe: []string{"server"}})
	resp, err := stream.Recv()
	if err != nil || len(resp.Resources) != 1 || strings.Contains(resp.String(), "PRIVATE KEY") {
		t.Errorf("by the stream: %v, %v", resp, err)
	}
	refl, err := reflectionsvc.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = refl.Send(&reflectionsvc.ServerReflectionRequest{MessageRequest: &reflectionsvc.ServerReflectionRequest_ListServices{}})
	list, err := refl.Recv()
	if err != nil || !strings.Contains(list.String(), "envoy.service.cluster.v3.ClusterDiscoveryService") {
		t.Errorf("reflection: %v, %v", list, err)
	}
}

func TestAnEnvoysPingsAreWelcome(t *testing.T) {
	t.Parallel() // with the other that mostly waits
	s := newSite(t, 1, file{})
	conn := s.dial(insecure.NewCredentials(), grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: time.Second, PermitWithoutStream: true}))
	stream, err := discoverysvc.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = stream.Send(&discoverysvc.DeltaDiscoveryRequest{TypeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster"})
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	cut := make(chan error, 1)
	go func() { _, err := stream.Recv(); cut <- err }()
	select {
	case err := <-cut:
		t.Errorf("the stream was cut: %v", err)
	case <-time.After(35 * time.Second): // three pings; by default the third is too many
	}
}

func TestOnAnyOtherAddressAStrangerGetsNothing(t *testing.T) {
	s := newIdleSite(t, 1, file{})
	s.startUsher("serve", "--xds", fmt.Sprintf("0.0.0.0:%d", s.xds))
	until(t, patience, "serve", func() bool { st, ok := s.status(); return ok && st.Serving })
	for name, creds := range map[string]credentials.TransportCredentials{
		"plain text":          insecure.NewCredentials(),
		"without certificate": credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}), //nolint:gosec // what a stranger would do
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		_, err := clustersvc.NewClusterDiscoveryServiceClient(s.dial(creds)).FetchClusters(ctx, &discoverysvc.DiscoveryRequest{})
		cancel()
		if err == nil {
			t.Errorf("%s: answered", name)
		}
	}
	folder := filepath.Join(s.state(), "xds")
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "client.crt"), filepath.Join(folder, "client.key"))
	if err != nil {
		t.Fatal(err)
	}
	friend := credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true}) //nolint:gosec // the server's side is not the question
	resp, err := secretsvc.NewSecretDiscoveryServiceClient(s.dial(friend)).FetchSecrets(t.Context(), &discoverysvc.DiscoveryRequest{})
	if err != nil || !strings.Contains(resp.String(), "PRIVATE KEY") {
		t.Errorf("with its certificate an Envoy gets no key: %v", err)
	}
}

func TestAnEnvoyElsewhereIsServedByMutualTLS(t *testing.T) {
	s := newIdleSite(t, 2, file{})
	s.startUsher("serve", "--xds", fmt.Sprintf("0.0.0.0:%d", s.xds), "--advertise", fmt.Sprintf("localhost:%d", s.xds))
	until(t, patience, "serve", func() bool { st, ok := s.status(); return ok && st.Serving })
	e := start(t, envoyPath(), "-c", filepath.Join(s.state(), "xds", "bootstrap.yaml"), "--disable-hot-restart", "--log-level", "warning", "--concurrency", "1")
	t.Cleanup(e.kill)
	until(t, patience, "the Envoy to be led", func() bool {
		st, _ := s.status()
		return st.Accepted && len(st.Envoys) == 1 && st.Envoys[0].Trusted && listens(s.port)
	})
	s.always("isNode2", "/", "JSESSIONID=ABC.isNode2")
	s.change("a drained node", func(f *file) { f.state = map[string]string{"isNode2": "disabled"} })
	s.always("isNode1", "/", "JSESSIONID=ABC.isNode2")
	if said := e.output(); strings.Contains(said, "deprecated") || strings.Contains(said, "error") {
		t.Errorf("Envoy said:\n%s", said)
	}
}

func TestEveryKeyIsForItsOwnerAlone(t *testing.T) {
	s := newSite(t, 1, file{})
	err := filepath.Walk(s.state(), func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if said := s.usher.output(); strings.Contains(said, "PRIVATE KEY") {
		t.Error("a key was logged")
	}
}

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	s := newIdleSite(t, 1, file{})
	lis, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s.xds))
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close() //nolint:errcheck // the test ends
	s.startUsher("run")
	<-s.usher.done
	if said := s.usher.output(); !strings.Contains(said, fmt.Sprintf("--xds 127.0.0.1:%d: the port is taken", s.xds)) {
		t.Errorf("usher said:\n%s", said)
	}
}

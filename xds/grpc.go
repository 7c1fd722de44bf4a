package xds

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	clustersvc "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoverysvc "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	endpointsvc "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	listenersvc "github.com/envoyproxy/go-control-plane/envoy/service/listener/v3"
	routesvc "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	secretsvc "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	statussvc "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
)

// Transport is how clients reach the server on one listener.
type Transport struct {
	// Trusted clients get private keys, and their refusals count. Only a socket
	// that the file system guards or mutual TLS may be trusted.
	Trusted bool
	// TLS demands and checks a client certificate. nil: plain text.
	TLS *tls.Config
}

// Serve answers on lis until ctx ends, then closes it and every stream. It
// returns an error only when it could not serve.
func (s *Server) Serve(ctx context.Context, lis net.Listener, t Transport) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g := grpc.NewServer(append(options(), grpc.Creds(credentialsOf(t)))...)
	s.register(ctx, g, t.Trusted)
	stop := context.AfterFunc(ctx, g.Stop)
	defer stop()
	if err := g.Serve(lis); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("xDS on %s: %w", lis.Addr(), err)
	}
	return nil
}

func credentialsOf(t Transport) credentials.TransportCredentials {
	if t.TLS == nil {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(t.TLS)
}

// options allow Envoy's own keepalive (30 s and below; grpc-go's default cuts a
// stream that pings more than every 5 minutes) and notice an Envoy that is gone
// without a word.
func options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 10 * time.Second}),
		grpc.MaxConcurrentStreams(1000),
		grpc.StreamInterceptor(answerBeforeEnd),
	}
}

func (s *Server) register(ctx context.Context, g *grpc.Server, trusted bool) {
	f := s.face(ctx, trusted)
	discoverysvc.RegisterAggregatedDiscoveryServiceServer(g, f)
	clustersvc.RegisterClusterDiscoveryServiceServer(g, f)
	endpointsvc.RegisterEndpointDiscoveryServiceServer(g, f)
	secretsvc.RegisterSecretDiscoveryServiceServer(g, f)
	listenersvc.RegisterListenerDiscoveryServiceServer(g, f)
	routesvc.RegisterRouteDiscoveryServiceServer(g, f)
	statussvc.RegisterClientStatusDiscoveryServiceServer(g, csds{Server: s})
	reflection.Register(g)
}

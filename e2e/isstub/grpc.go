package main

import (
	"context"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// grpcServer has the health service alone; to all else gRPC answers by itself.
func (n *node) grpcServer() *grpc.Server {
	s := grpc.NewServer()
	healthpb.RegisterHealthServer(s, checker{n: n})
	return s
}

type checker struct {
	healthpb.UnimplementedHealthServer
	n *node
}

// Check answers for every service.
func (c checker) Check(context.Context, *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	status := healthpb.HealthCheckResponse_SERVING
	if h := c.n.now().Health; h == failing || h == draining {
		status = healthpb.HealthCheckResponse_NOT_SERVING
	}
	return &healthpb.HealthCheckResponse{Status: status}, nil
}

package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Host is one endpoint of one of Envoy's clusters, as Envoy sees it.
type Host struct {
	Cluster string
	Address string   // IP:PORT
	Faults  []string // why it gets no requests; none where it does
}

// Hosts are all endpoints (Envoy: /clusters).
func (a Admin) Hosts(ctx context.Context) ([]Host, error) {
	text, err := a.Get(ctx, "/clusters?format=json")
	if err != nil {
		return nil, err
	}
	var page clustersPage
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		return nil, fmt.Errorf("Envoy's clusters: %w", err)
	}
	var all []Host
	for _, c := range page.Clusters {
		for _, h := range c.Hosts {
			at := h.Address.Socket
			all = append(all, Host{Cluster: c.Name, Address: net.JoinHostPort(at.Address, strconv.Itoa(at.Port)), Faults: h.Health.faults()})
		}
	}
	return all, nil
}

// Why is what keeps requests from it.
func (h Host) Why() string { return strings.Join(h.Faults, ", ") }

// clustersPage is what is read of admin.v3.Clusters.
type clustersPage struct {
	Clusters []struct {
		Name  string `json:"name"`
		Hosts []struct {
			Address struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"address"`
			Health hostHealth `json:"health_status"`
		} `json:"host_statuses"`
	} `json:"cluster_statuses"`
}

// hostHealth is admin.v3.HostHealthStatus.
type hostHealth struct {
	Check   bool   `json:"failed_active_health_check"`
	Outlier bool   `json:"failed_outlier_check"`
	Removed bool   `json:"pending_dynamic_removal"`
	Pending bool   `json:"pending_active_hc"`
	EDS     string `json:"eds_health_status"`
}

func (h hostHealth) faults() (all []string) {
	for _, f := range []struct {
		is   bool
		what string
	}{
		{h.Pending, "its first health check is not over"},
		{h.Check && !h.Pending, "its health check fails"},
		{h.Outlier, "its requests failed"},
		{h.Removed, "it has left the file"},
		{h.EDS != "" && h.EDS != "HEALTHY" && h.EDS != "UNKNOWN", "it is " + strings.ToLower(h.EDS)},
	} {
		if f.is {
			all = append(all, f.what)
		}
	}
	return all
}

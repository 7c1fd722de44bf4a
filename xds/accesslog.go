package xds

import (
	"encoding/json"
	"maps"
	"strings"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	statsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stats/v3"
	streamv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
)

// What is told of every request. Figures are of instructions a request, of some
// 170,000 without TLS: counters 4 %, the time that it took by node, with failures,
// 3 % more, the log 12 % (combined 7 %), and what became of a known session 6 %
// more in the log.

// told tells whether anybody wants to know what becomes of sessions.
func (s socket) told() bool {
	return !s.first().Metrics.Off() || s.first().AccessLog != nil || s.first().Tracing != nil
}

// accessLogs are the counters and the log of a listener.
func (s socket) accessLogs() (all []*accesslogv3.AccessLog) {
	if !s.first().Metrics.Off() {
		all = append(all, accessLog("envoy.access_loggers.stats", s.counters()), failures())
		if s.reverses() {
			all = append(all, leaks())
		}
	}
	if l := s.first().AccessLog; l != nil {
		all = append(all, logTo(*l, httpLine))
	}
	return all
}

// Names of counters. In Prometheus' format Envoy puts envoy_ before them.
const (
	counterScope = "usher"
	requestCount = "requests"
	failureCount = "failures"
	leakCount    = "leaks"
	durationName = "duration"
)

// The tags of the counters: the name of the route, see name in forward.go, what the
// filter has read from the request where the route does not say it, and the node;
// or the pool's cluster and the node.
const (
	TagSeat    = "seat"
	TagAsked   = "asked"
	TagNode    = "node"
	TagCluster = "cluster"
)

func (s socket) counters() *statsv3.Config {
	read := "%DYNAMIC_METADATA(" + lbNamespace + ":" + routeKey + ")%"
	if s.grown(filterNodes) {
		read = coalesce(found(verdictKey), operator{"DYNAMIC_METADATA", lbNamespace + ":" + routeKey})
	}
	c := count(requestCount,
		&statsv3.Config_Tag{Name: TagSeat, ValueFormat: "%ROUTE_NAME%"},
		&statsv3.Config_Tag{Name: TagAsked, ValueFormat: read},
		&statsv3.Config_Tag{Name: TagNode, ValueFormat: nodeOf})
	c.Histograms = []*statsv3.Config_Histogram{{
		Stat:        &statsv3.Config_Stat{Name: durationName, Tags: served()},
		Unit:        statsv3.Config_Histogram_Milliseconds,
		ValueFormat: "%DURATION%", // a number for every request, with or without a node
	}}
	return c
}

// served are the tags for who has served a request. The router's own figures
// (dynamic_stats) would know the cluster alone, for 2 µs a request.
func served() []*statsv3.Config_Tag {
	return []*statsv3.Config_Tag{{Name: TagCluster, ValueFormat: "%UPSTREAM_CLUSTER%"}, {Name: TagNode, ValueFormat: nodeOf}}
}

// failures count answers from 500 on; others are looked at once and cost nothing
// that could be measured. What Envoy keeps of a host as rq_error stays 0 without
// dynamic_stats.
func failures() *accesslogv3.AccessLog {
	l := accessLog("envoy.access_loggers.stats", count(failureCount, served()...))
	l.Filter = &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_StatusCodeFilter{
		StatusCodeFilter: &accesslogv3.StatusCodeFilter{Comparison: &accesslogv3.ComparisonFilter{
			Op:    accesslogv3.ComparisonFilter_GE,
			Value: &corev3.RuntimeUInt32{DefaultValue: 500, RuntimeKey: "usher.failures"},
		}},
	}}
	return l
}

// count adds one for every request.
func count(name string, tags ...*statsv3.Config_Tag) *statsv3.Config {
	return &statsv3.Config{
		StatsScope: &typev3.Scope{Prefix: counterScope},
		Counters: []*statsv3.Config_Counter{{
			Stat:       &statsv3.Config_Stat{Name: name, Tags: tags},
			ValueFixed: wrapperspb.UInt64(1),
		}},
	}
}

const nodeOf = "%UPSTREAM_METADATA(" + usherNamespace + ":" + nodeKey + ")%"

// why is what became of a session: by the route, or for one that is known by
// whether its node has served it. Nothing is said where no node was asked.
var why = coalesce(routeSays(whyKey), found(whyKey), cel("'asked' in xds.route_metadata.filter_metadata['usher']"+
	" ? (xds.route_metadata.filter_metadata['usher']['asked'] == xds.upstream_host_metadata.filter_metadata['usher']['node'] ? 'sticky' : 'failover')"+
	" : (metadata.filter_metadata['envoy.lb']['route'] == xds.upstream_host_metadata.filter_metadata['usher']['node'] ? 'sticky' : 'failover')"))

var asked = coalesce(routeSays(askedKey),
	found(askedKey), operator{"DYNAMIC_METADATA", lbNamespace + ":" + routeKey})

// operator is one of Envoy's, with its parameter.
type operator struct {
	Command string `json:"command"`
	Param   string `json:"param"`
}

func routeSays(key string) operator {
	return operator{"METADATA", "ROUTE:" + usherNamespace + ":" + key}
}

// found is what a filter has found out.
func found(key string) operator { return operator{"DYNAMIC_METADATA", usherNamespace + ":" + key} }

func cel(expression string) operator { return operator{"CEL", expression} }

// coalesce is the first operator that has a value. Closing brackets would end it.
func coalesce(operators ...operator) string {
	b, err := json.Marshal(map[string]any{"operators": operators})
	if err != nil {
		panic("xds: " + err.Error()) // texts only
	}
	return "%COALESCE(" + strings.ReplaceAll(string(b), ")", `\u0029`) + ")%"
}

// path is the client's, also where the node gets another one.
var path = coalesce(operator{"DYNAMIC_METADATA", usherNamespace + ":" + pathKey}, operator{"REQ", ":path"})

// line is how requests or connections are logged.
type line struct {
	json     map[string]string
	combined string
}

var connectionLine = line{
	json: map[string]string{
		"time": "%START_TIME%", "client": clientOf, "pool": "%UPSTREAM_CLUSTER%", "node": nodeOf,
		"received": "%BYTES_RECEIVED%", "sent": "%BYTES_SENT%", "duration_ms": "%DURATION%",
		"attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%", "flags": "%RESPONSE_FLAGS%",
	},
	combined: clientOf + " - - " + httpdTime + ` "TCP" - %BYTES_SENT% "-" "-" ` + nodeOf + " %UPSTREAM_REQUEST_ATTEMPT_COUNT% %RESPONSE_FLAGS% %DURATION%",
}

const (
	clientOf     = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"
	httpdTime    = "[%START_TIME(%d/%b/%Y:%H:%M:%S %z)%]"
	upstreamTime = "%COMMON_DURATION(US_TX_BEG:US_RX_BEG:ms)%"
)

var httpLine = line{
	json: map[string]string{
		"time": "%START_TIME%", "client": clientOf, "method": "%REQ(:METHOD)%", "host": "%REQ(:AUTHORITY)%",
		"path": path, "protocol": "%PROTOCOL%", "status": "%RESPONSE_CODE%",
		"received": "%BYTES_RECEIVED%", "sent": "%BYTES_SENT%", "duration_ms": "%DURATION%", "upstream_ms": upstreamTime,
		"pool": "%METADATA(ROUTE:usher:pool)%", "asked": asked, "node": nodeOf, "why": why,
		"attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%", "flags": "%RESPONSE_FLAGS%", "details": "%RESPONSE_CODE_DETAILS%",
		"referer": "%REQ(REFERER)%", "agent": "%REQ(USER-AGENT)%",
	},
	combined: clientOf + " - - " + httpdTime + ` "%REQ(:METHOD)% ` + path + ` %PROTOCOL%" %RESPONSE_CODE% %BYTES_SENT% "%REQ(REFERER)%" "%REQ(USER-AGENT)%" ` +
		asked + " " + nodeOf + " " + why + " %UPSTREAM_REQUEST_ATTEMPT_COUNT% %RESPONSE_FLAGS% " + upstreamTime,
}

func logTo(l model.AccessLog, how line) *accesslogv3.AccessLog {
	format := &corev3.SubstitutionFormatString{OmitEmptyValues: false}
	if l.Format == model.LogCombined {
		format.Format = &corev3.SubstitutionFormatString_TextFormatSource{TextFormatSource: &corev3.DataSource{
			Specifier: &corev3.DataSource_InlineString{InlineString: how.combined + "\n"},
		}}
	} else {
		format.Format = &corev3.SubstitutionFormatString_JsonFormat{JsonFormat: texts(how.json)}
	}
	if l.File == model.Stdout {
		return accessLog("envoy.access_loggers.stdout", &streamv3.StdoutAccessLog{AccessLogFormat: &streamv3.StdoutAccessLog_LogFormat{LogFormat: format}})
	}
	return accessLog("envoy.access_loggers.file", &filev3.FileAccessLog{Path: l.File, AccessLogFormat: &filev3.FileAccessLog_LogFormat{LogFormat: format}})
}

func texts(fields map[string]string) *structpb.Struct {
	s := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	for key, value := range maps.All(fields) {
		s.Fields[key] = structpb.NewStringValue(value)
	}
	return s
}

func accessLog(name string, config proto.Message) *accesslogv3.AccessLog {
	return &accesslogv3.AccessLog{Name: name, ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: pack(config)}}
}

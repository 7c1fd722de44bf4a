// Package envoy is the Envoy process: finding the binary, its bootstrap,
// asking it to validate, keeping one alive, and its admin interface.
//
// It knows nothing of clusters, pools and nodes: what Envoy carries comes to
// it over xDS. It serves the loop in cmd/usher.
//
// What it keeps in the state folder: envoy.json (which process runs),
// envoy.log, envoy-bootstrap.json, admin.sock, and lock.
package envoy

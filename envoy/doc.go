// Package envoy is the Envoy process: finding the binary, its bootstrap,
// asking it to validate, keeping one alive, and its admin interface.
//
// It knows nothing of clusters, pools and nodes: what Envoy carries comes to
// it over xDS. It serves the loop in cmd/usher.
//
// What it keeps in the state folder: envoy.json (which process runs),
// envoy.log, access.log (neither grows beyond some 8 MiB while usher runs; beside
// each, how far it was read, while usher does not run), envoy-bootstrap.json, admin.sock, and lock.
package envoy

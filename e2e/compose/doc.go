// Package compose holds the promises of deploy/compose.yaml, kept against a real
// Docker daemon. It serves whoever changes the compose file, the images, or how
// an Envoy elsewhere is led.
//
// It has tests only, behind the build tag of the same name, for they need a
// daemon and the images: `make compose-test` brings both.
package compose

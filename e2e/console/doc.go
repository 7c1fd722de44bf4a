// Package console holds what the console promises to whoever sits before it, in a
// real Chromium in front of a real usher with its Envoy and stub servers: every
// section and every action, by mouse and keyboard, wide and narrow, light and dark,
// without a message in the browser's console, without a fault that axe would call
// serious. It needs Debian's chromium and, for axe-core, npm: `make test-console`.
//
// It starts everything on loopback, on free ports, in temporary folders, and ends by
// process id what it started.
package console

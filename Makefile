# usher: what a first-time user and a contributor type. `make` lists it.

SHELL      := /bin/bash
TOOLS      := .tools
LINT       := v2.15.0
AXE        := axe-core-4.14.1.min.js
NFPM       := v2.43.4
CYCLONEDX  := v1.10.0
BENCHSTAT  := v0.0.0-20260908200009-22c9c6c9d4da
VERSION    := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT     := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
GO_BUILD    = CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)"
# The version is given; a checkout of another user would only be refused.
export GOFLAGS := -buildvcs=false $(GOFLAGS)

.DEFAULT_GOAL := help
.NOTPARALLEL: # the tests want the cores for themselves
.PHONY: help build envoy demo test unit e2e test-httpd test-tomcat test-console lint reference man bench test-bench bench-go bench-scale images compose-test release test-release test-kubernetes clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## bin/usher and bin/isstub, static
	@mkdir -p bin
	$(GO_BUILD) -o bin/usher ./cmd/usher
	$(GO_BUILD) -o bin/isstub ./e2e/isstub

envoy: ## the pinned real Envoy, to .tools/envoy
	@deploy/get-envoy.sh $(TOOLS)

demo: build envoy ## two stubs and a balancer on https://localhost:8443; Ctrl-C ends it
	@exec deploy/demo/demo.sh

test: envoy lint unit e2e ## all that you need to trust a change

unit: envoy ## the packages' own tests and goldens, with the race detector
	go vet ./...
	go test -race -timeout 10m $$(go list ./... | grep -v '/e2e$$')

e2e: envoy ## the promises, kept against the real Envoy
	go test -timeout 40m -count=1 ./e2e

test-httpd: envoy ## a real httpd beside usher, the same requests to both; needs Debian's apache2-bin
	go test -tags httpd -timeout 10m -count=1 ./e2e/httpd

test-tomcat: envoy ## sessions, redirects and failover of a real Tomcat; needs Debian's tomcat10-common
	go test -tags tomcat -timeout 10m -count=1 ./e2e/tomcat

test-kubernetes: ## the manifest against the types of the Kubernetes API
	cd e2e/kubernetes && go vet ./... && go test -count=1 ./...

test-console: envoy $(TOOLS)/$(AXE) ## the console in a real Chromium, and axe; needs Debian's chromium and npm
	go test -tags console -timeout 15m -count=1 ./e2e/console

$(TOOLS)/$(AXE):
	@mkdir -p $(TOOLS)
	e2e/console/get-axe.sh $@

lint: $(TOOLS)/golangci-lint-$(LINT) ## gofmt and the linters of .golangci.yml
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	$< run ./...

$(TOOLS)/golangci-lint-$(LINT):
	@echo "building golangci-lint $(LINT); this takes some minutes, once"
	GOBIN="$(CURDIR)/$(TOOLS)/lint" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT)
	@mv $(TOOLS)/lint/golangci-lint $@ && rmdir $(TOOLS)/lint

reference: ## write the references of the file and of the metrics in README.md anew
	go test ./model -run Reference -update
	go test ./cmd/usher/metrics -run Readme -update

man: build ## the manual pages, to dist/man; read them by `man -M dist/man usher`
	bin/usher man dist/man

bench: build envoy ## what a request costs: usher's Envoy, a lean one, httpd, HAProxy, nginx; to dist/bench
	@mkdir -p bin
	go build -o bin/bench ./e2e/bench
	bin/bench $(BENCH)

test-bench: BENCH = -balancers envoy-lean,usher,usher-lean -rounds 1 -warm 100ms -window 200ms -out dist/bench/short
test-bench: bench ## the three Envoys of it for a moment, so that it can't rot; its figures mean nothing

bench-go: $(TOOLS)/benchstat-$(BENCHSTAT) ## the Go benchmarks; with BASE=COMMIT beside those of another commit
	e2e/scale/compare.sh $< $(BASE)

$(TOOLS)/benchstat-$(BENCHSTAT):
	@mkdir -p $(TOOLS)
	GOBIN="$(CURDIR)/$(TOOLS)/new-benchstat" go install golang.org/x/perf/cmd/benchstat@$(BENCHSTAT)
	@mv $(TOOLS)/new-benchstat/benchstat $@ && rmdir $(TOOLS)/new-benchstat

bench-scale: envoy ## from a save to its acceptance by a real Envoy, memory and idle time, by size; 20 minutes
	go test -run '^$$' -bench . -benchtime 5x -timeout 60m ./e2e/scale

images: build envoy ## the images of deploy/compose.yaml; needs a Docker daemon
	deploy/images.sh

compose-test: build envoy ## deploy/compose.yaml on a real Docker daemon, started if there is none
	deploy/compose-test.sh

RELEASERS = $(TOOLS)/nfpm-$(NFPM) $(TOOLS)/cyclonedx-gomod-$(CYCLONEDX)

release: $(RELEASERS) ## dist/release: tarballs, deb, rpm, SBOM, checksums; the same bytes every time
	deploy/release.sh $^

test-release: envoy $(RELEASERS) ## the release built twice, and its deb under a real systemd; needs root, rpm and systemd
	deploy/release-test.sh $(RELEASERS) dist/release
	deploy/systemd-test.sh dist/release/usher_*_$$(go env GOARCH).deb $(TOOLS)/envoy

$(TOOLS)/nfpm-$(NFPM): PROGRAM := github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM)
$(TOOLS)/cyclonedx-gomod-$(CYCLONEDX): PROGRAM := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX)
$(RELEASERS):
	@mkdir -p $(TOOLS)
	GOBIN="$(CURDIR)/$(TOOLS)/new" go install $(PROGRAM)
	@mv $(TOOLS)/new/* $@ && rmdir $(TOOLS)/new

clean: ## remove what was built; the tools stay
	rm -rf bin dist

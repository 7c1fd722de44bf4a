# usher: what a contributor and a first-time user type. `make help` lists it.

SHELL      := /bin/bash
TOOLS      := $(CURDIR)/.tools
VERSION    := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LINT       := v2.15.0
GRPCURL    := v1.9.4
GO_BUILD    = CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)"

.DEFAULT_GOAL := help
.PHONY: help build envoy demo test unit e2e lint reference bench images compose-test clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## bin/usher and bin/isstub, static
	@mkdir -p bin
	$(GO_BUILD) -o bin/usher ./cmd/usher
	$(GO_BUILD) -o bin/isstub ./e2e/isstub

envoy: ## the pinned real Envoy, into .tools/envoy
	@deploy/get-envoy.sh $(TOOLS)

demo: build envoy ## two stubs and a balancer on https://localhost:8443; Ctrl-C ends it
	@deploy/demo/demo.sh

test: envoy lint unit e2e ## everything that you need to trust a change

unit: envoy ## the packages' own tests, with the race detector
	go vet ./...
	go test -race -timeout 10m $$(go list ./... | grep -v '/e2e$$')

e2e: envoy ## the promises, kept against a real Envoy
	go test -timeout 20m -count=1 ./e2e

lint: $(TOOLS)/golangci-lint-$(LINT) ## gofmt and the linters
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	$< run ./...

$(TOOLS)/golangci-lint-$(LINT):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS)/lint go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT)
	@mv $(TOOLS)/lint/golangci-lint $@ && rmdir $(TOOLS)/lint

reference: ## write the file reference in README.md anew
	go test ./model -run Reference -update

bench: ## Go benchmarks
	go test -run '^$$' -bench . -benchmem ./model ./xds

images: build envoy ## the compose file's images, assembled from the binaries here
	deploy/images.sh

compose-test: images ## start the compose file on a real Docker daemon and try it
	deploy/compose-test.sh

clean: ## what was built; the tools stay
	rm -rf bin dist

# What one does here, in a few words. The first two are all that a new machine needs:
#   make run URL=https://go.dev/blog/    builds larder and prints the titles of a page
#   make test                            installs what the tests need and runs them all

GO ?= go
URL ?= https://go.dev/blog/
ARGS ?=
FUZZTIME ?= 1m

.PHONY: run build test race lint fuzz bench deps docs

run: build
	bin/larder titles $(ARGS) $(URL)

build:
	$(GO) build -o bin/larder ./cmd/larder

# Everything, nothing skipped: what a test needs is installed, and CI=true makes missing it a failure.
test: deps
	CI=true $(GO) test -tags slow -timeout 20m ./...

race: deps
	$(GO) test -race -timeout 20m ./...

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }
	$(GO) vet ./...
	cd bench && $(GO) vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...

fuzz:
	scripts/fuzz.sh $(FUZZTIME)

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

docs:
	$(GO) test -run '^(Example|TestExample)' ./... ./examples/...
	@echo "browse them: $(GO) doc -http, beginning with docs/tour.md"

deps:
	@scripts/deps.sh

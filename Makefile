# make run and make test are all that a new machine needs; script/setup installs the rest.
export PATH := $(CURDIR)/.cache/bin:$(PATH)
export GOTOOLCHAIN ?= auto
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 60s
SETUP := .cache/setup.done

.PHONY: build run test check bench fuzz soak arm64 clean python verify-python cpython-tests

build: $(SETUP) ## bin/wasmill, Python included
	@go run ./pyodide-build/recipe -copy pyodide-build/embedded
	go build -tags embed_python -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/wasmill ./cmd/wasmill

python: $(SETUP) ## CPython for the sandbox from its sources, unless the cache has it
	@go run ./pyodide-build/recipe

verify-python: $(SETUP) ## build it again elsewhere, from nothing: the same bytes
	@go run ./pyodide-build/recipe -verify

cpython-tests: python ## CPython's own tests, in the sandbox
	@go run ./pyodide-build/cpythontests "$$(go run ./pyodide-build/recipe tests)/bundle"

$(SETUP): script/setup go.mod
	@script/setup

examples/flights/flights.wasm: examples/flights/flights.c sdk/c/wasmill.h $(SETUP)
	clang-19 --target=wasm32 -std=c11 -O2 -nostdlib -ffreestanding -Isdk/c -fuse-ld=/usr/bin/wasm-ld-19 -Wl,--no-entry -o $@ $<

run: build examples/flights/flights.wasm ## the main job: real flights through JetStream, a C function and keyed state
	@script/run-flights

test: $(SETUP) check python ## the whole suite, with the race detector
	go test -race -timeout 20m ./...
	$(MAKE) arm64

check: $(SETUP) ## formatting, vet, staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not formatted:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	go tool staticcheck ./...

arm64: $(SETUP) ## the boundary's tests for linux/arm64, under emulation
	@mkdir -p .cache/arm64
	@for p in wasmhost/linmem wasmhost/arrowabi; do \
		GOARCH=arm64 CGO_ENABLED=0 go test -c -o .cache/arm64/$$(basename $$p).test ./$$p && \
		(cd $$p && qemu-aarch64-static $(CURDIR)/.cache/arm64/$$(basename $$p).test -test.short) || exit 1; \
	done

bench: build ## the tables in docs/benchmarks.md
	go run ./bench

fuzz: $(SETUP) ## every fuzz target for FUZZTIME
	@for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
		echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

soak: build ## kill -9 loops against a real server, for an hour
	WASMILL_SOAK=1h go test -count=1 -timeout 90m -run 'Soak|Kill' ./cmd/wasmill/...

clean:
	rm -rf bin .cache pyodide-build/embedded

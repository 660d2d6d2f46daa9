# Everything here is a short script in scripts/: read that to see what happens.
.DEFAULT_GOAL := help
.PHONY: help run build dist test test-core bench bench-recycle bench-detect bench-sampler bench-cache bench-delivery bench-load bench-stress leak-check soak docs sampler sanitize format lint clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

run: ## Install what is missing, build, and start the example service under Oakum
	@scripts/run

build: ## Build everything in release mode
	@scripts/build release

dist: ## Build release artefacts into dist/, signed when OAKUM_SIGNING_KEY names a key
	@scripts/dist

sampler: ## Build the preloadable allocation sampler alone (seconds; needs clang and libc)
	@scripts/sampler

test: ## Install what is missing, build, lint, and run every test
	@scripts/test

test-core: ## Run the tests of the pure core alone, without outside packages (seconds)
	@scripts/test-core

bench: ## Run all benchmarks and print their tables
	@scripts/bench

bench-recycle: ## Lose no request over 200 forced recycles (FULL=1: a million requests)
	@scripts/bench recycle

bench-detect: ## Measure the leak detector: delays, false alarms, recall (SCALE=10: a tenth)
	@scripts/bench-detect

bench-sampler: ## Cost of the allocation sampler beside jemalloc's profiling and heaptrack, on one server under one load
	@scripts/bench sampler

bench-cache: ## Hit ratios of the cache on recorded traces, and its speed (TRACES=DIR, SIZES=512,64K, SPEED=no)
	@scripts/bench-cache

bench-delivery: ## Kill oakum at every point of a page's way, and storm it with alerts (RUNS=112 a point, STORM_MINUTES=10)
	@scripts/bench delivery

bench-load: ## The load generator beside wrk and hey: cost of a request, and the p99 of a server that pauses (ROUNDS=5)
	@scripts/bench load

bench-stress: ## Leaking programs and their repaired twins under oakum stress, beside other tools' rules (PAIRS=, RUNS=1000)
	@scripts/bench stress

leak-check: ## Every endpoint under oakum stress, the service with the address sanitizer, the leak tests' example (SECONDS_EACH=10)
	@scripts/leak-check

soak: ## The cache under write pressure, and the registration service under load: memory stays bounded (MINUTES=3, at most 60)
	@scripts/soak

docs: ## Build the documentation of the cache and of the leak tests (DocC), with every link checked
	@scripts/docs

sanitize: ## Run the tests under the address and the thread sanitizer
	@scripts/sanitize

format: ## Format the Swift code
	@scripts/format

lint: ## Check the format of the Swift code
	@scripts/lint

clean: ## Delete what was built
	rm -rf .build .build-* dist

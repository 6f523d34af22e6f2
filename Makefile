# Everything that a developer or CI does, by name. `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help demo cluster image test e2e agents check fix bless chart fuzz bench bench-push soak

SOAK_MINUTES ?= 2

help: ## this list
	@sed -n 's/^\([a-z-]*\): .*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: ## build Pillion and watch SDK-shaped calls go through it, on loopback
	@cargo run --locked -- demo

cluster: ## a Kubernetes with Pillion in it, a real node if root, and what to try there with kubectl
	@scripts/cluster

image: ## the container image, built with buildah into target/image; its size is stated and bounded
	@scripts/image

test: ## what CI runs: check, unit and integration tests, real SDKs, a real Kubernetes, soak
	@scripts/test

e2e: ## image and chart on a real node with kubelet and containerd: pods, calls, failures (root)
	@scripts/e2e

agents: ## Claude Code and Codex themselves, on upstreams of every dialect (400 MB of packages)
	@scripts/agents

check: ## formatting, lints, dependencies (no test is run)
	@scripts/check

fix: ## format, and apply what clippy can apply by itself
	@cargo fmt --all
	@cargo clippy --locked --workspace --all-targets --fix --allow-dirty --allow-staged

soak: ## load, faults and reloads at once, and books that must agree (SOAK_MINUTES=2)
	@SOAK_MINUTES=$(SOAK_MINUTES) cargo test --locked --test soak -- --nocapture

bless: ## accept what the code now generates: crds/ and snapshots; read the diff before you commit
	@BLESS=1 INSTA_UPDATE=always cargo test --locked --test it
	@git status --short

chart: ## the chart's README, copies and rendered cases made anew; read the diff before you commit
	@scripts/cluster-tools >/dev/null
	@BLESS=1 cargo test --locked --test it chart::

fuzz: ## each fuzz target for a minute, on a nightly compiler
	@scripts/fuzz

bench: ## speed and memory beside nginx, HAProxy and Envoy; writes docs/benchmarks.md (BENCH_FULL=1: longer)
	@scripts/bench

bench-push: ## from a change to 500 sidecars: time, memory, CPU, restarts; writes docs/benchmarks-push.md
	@scripts/bench-push

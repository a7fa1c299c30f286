# `make run` and `make test` do all of their own set-up. They need Rust, Node 20 or newer with npm, and a C compiler; what else is
# missing (curl, Chromium, nginx) comes from apt-get, on Debian and its kin. `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
# Prerequisites run one after the other, in the order written: the steps of `test` are cheap ones first, and cargo and npm use all
# cores by themselves.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
# Flags for the server: make run ARGS="--listen 127.0.0.1:9000".
ARGS ?=
# A browser of your own for the browser test: make test CHROMIUM=/path/to/chrome.
CHROMIUM ?=
# How long `make soak` lasts, and each target of `make fuzz`. SOAK_SEED=N repeats the choices of an earlier soak.
SOAK_SECONDS ?= 600
FUZZ_SECONDS ?= 60

# The command-line client that the README shows and the tests use. Pinned, because a test should not change with the day it runs.
WEBSOCAT_VERSION := 1.14.1
WEBSOCAT := target/tools/bin/websocat

PAGE_SOURCES := $(shell find static -type f -not -path '*/node_modules/*' -not -path 'static/dist/*' 2>/dev/null)

say = @printf '\n== %s\n' "$(1)"

# $(call apt,PACKAGE): installs it, as root or through sudo.
apt = command -v apt-get >/dev/null || { echo "install $(1), then run make again: there is no apt-get here" >&2; exit 1; }; \
	as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; \
	$$as_root apt-get update -qq && $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1)

find_chromium = for name in $(or $(CHROMIUM),chromium chromium-browser google-chrome google-chrome-stable); do \
	command -v "$$name" && break; done

.PHONY: help run dev build test soak fuzz bench lint clean
.PHONY: setup need curl chromium nginx page-deps page
.PHONY: check-format check-page check-clippy check-doc test-page test-rust test-box test-soak test-doc test-browser screenshots

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-14s %s\n", $$1, $$2 }'

run: need page ## Build the page and the server, and serve on 127.0.0.1:8080 (ARGS="--listen ADDR")
	$(call say,the server)
	cargo run --release -- serve $(ARGS)

# cargo replaces itself with the server, so its process id is the server's.
dev: need page-deps ## Serve with the profile dev, and the page from source with live reload
	$(call say,a debug server and the page with live reload)
	cargo build
	cargo run -- serve --profile dev $(ARGS) & server=$$!; trap 'kill $$server' EXIT; cd static && npm run dev

build: need page ## Build the release binary with the page in it
	$(call say,the release binary)
	cargo build --release

test: check-format test-page page check-clippy check-doc test-rust test-box test-soak test-doc test-browser ## Check and test everything
	$(call say,all is well)

soak: ## Chaos for SOAK_SECONDS: random clients at one server, whose workers are killed and stopped
	$(call say,soak)
	SOAK_SECONDS=$(SOAK_SECONDS) cargo test --test it soak:: -- --ignored --nocapture

# cargo-fuzz asks for options that only a nightly compiler takes, or a stable one that is told to be generous. Without the entropic
# schedule, which took two thirds of the time.
fuzz: ## Fuzz each target for FUZZ_SECONDS
	cargo fuzz --version >/dev/null 2>&1 || cargo install cargo-fuzz --locked
	for target in $$(ls fuzz/fuzz_targets | sed 's/\.rs$$//'); do \
		printf '\n== fuzz %s\n' "$$target"; \
		mkdir -p "fuzz/found/$$target"; \
		RUSTC_BOOTSTRAP=1 cargo fuzz run "$$target" "fuzz/found/$$target" "fuzz/corpus/$$target" -- \
			-max_total_time=$(FUZZ_SECONDS) -max_len=1024 -entropic=0 -timeout=20 -print_final_stats=1; \
	done

screenshots: page chromium ## Take pictures of the page into target/screenshots, and the README's into docs
	$(call say,pictures of the page)
	cargo build
	browser=$$($(find_chromium)); cd static && RUNPEN_BIN='$(abspath $(TARGET)/debug/runpen)' CHROMIUM="$$browser" \
		node e2e/screenshots.mjs '$(abspath target/screenshots)'
	cp target/screenshots/desktop-light.png docs/page.png

bench: need page $(WEBSOCAT) ## Measure
	$(call say,benchmarks)
	cargo bench

lint: check-format check-page check-clippy check-doc ## Check format, types and lints, without tests

clean: ## Remove everything that was built or fetched
	cargo clean
	rm -rf target static/dist static/node_modules

# Set-up.

setup: need curl chromium nginx page-deps $(WEBSOCAT) ## Get everything that the tests need

need:
	@for tool in cargo node npm cc; do \
		command -v $$tool >/dev/null || { echo "$$tool is missing: runpen needs Rust, Node 20 or newer, npm and a C compiler" >&2; exit 1; }; \
	done
	@node -e 'if (parseInt(process.versions.node) < 20) { console.error("Node " + process.versions.node + " is too old: the page needs 20 or newer"); process.exit(1) }'

curl:
	@command -v curl >/dev/null || { $(call apt,curl); }

chromium:
	@[ -z "$(CHROMIUM)" ] || command -v "$(CHROMIUM)" >/dev/null || { echo "CHROMIUM=$(CHROMIUM) is no program" >&2; exit 1; }
	@[ -n "$$($(find_chromium))" ] || { $(call apt,chromium); }

# In front of the server as the operator's guide documents it, with a certificate that openssl makes.
nginx:
	@PATH="$$PATH:/usr/sbin" command -v nginx >/dev/null || { $(call apt,nginx); }
	@command -v openssl >/dev/null || { $(call apt,openssl); }

# An install of its own, so that the version is the pinned one whatever else is on the machine.
$(WEBSOCAT):
	$(call say,websocat $(WEBSOCAT_VERSION))
	cargo install websocat --version $(WEBSOCAT_VERSION) --locked --no-default-features --root target/tools

# The page. npm and Vite write these two files anew each time; `touch` makes them newer than what they were made from.

static/node_modules/.package-lock.json: static/package.json static/package-lock.json
	$(call say,the dependencies of the page)
	cd static && npm ci --include=dev --no-audit --no-fund
	touch $@

static/dist/index.html: static/node_modules/.package-lock.json $(PAGE_SOURCES)
	$(call say,the page)
	cd static && npm run build
	touch $@

page-deps: need static/node_modules/.package-lock.json
page: need static/dist/index.html

# The steps of `test` and `lint`.

check-format: need
	$(call say,format)
	cargo fmt --all --check

check-page: page-deps
	$(call say,types of the page)
	cd static && npm run check

check-clippy:
	$(call say,clippy)
	cargo clippy --all-targets -- -D warnings

check-doc:
	$(call say,documentation)
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps

test-page: check-page
	$(call say,tests of the page)
	cd static && npm test

# nextest gives each test a process of its own, and says which one hangs; cargo test does as well where it is not installed. Nothing is
# tried twice: a test that fails now and then has found a fault, in the program or in itself.
test-rust: curl $(WEBSOCAT)
	$(call say,tests of the server)
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run; else cargo test --lib --bins --tests; fi

# A minute of it, alone: beside it every other test would be slow.
test-soak:
	$(call say,chaos)
	SOAK_SECONDS=60 cargo test --test it soak:: -- --ignored

# Another build: the feature gives tests a way to try what the box forbids, and no other build has it.
test-box: ## Try from inside what the box forbids (another build, with the feature box-probes)
	$(call say,attempts to leave the box)
	if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --features box-probes box_probes attempts; \
	else cargo test --features box-probes --test it -- box_probes attempts; fi

test-doc:
	$(call say,examples in the documentation)
	cargo test --doc

# The debug binary: the tests before it have built most of it.
test-browser: page chromium curl nginx
	$(call say,the page in a browser)
	cargo build
	browser=$$($(find_chromium)); cd static && RUNPEN_BIN='$(abspath $(TARGET)/debug/runpen)' CHROMIUM="$$browser" npm run e2e

# What a developer or a first user types. Everything lives in .venv, built from the lock file.

PYTHON ?= python3
BIN := .venv/bin
TESTS ?= tests
WORKERS ?= 2
ENGINE ?= docker
PLATFORM := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64v8,amd64)
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' modules/nestor/nestor/__init__.py)

.DEFAULT_GOAL := help
.PHONY: help run edge layers test conformance reference check fix bench bench-forward bench-herd bench-proxy lock iotedgedev image sbom

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Nestor needs Python 3.11 or newer"; echo "hint: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; } >&2
	@$(PYTHON) -m venv .venv || { echo "hint: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }
	@echo "Installing what Nestor needs into .venv ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

help: ## Show these lines
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: .venv/ready ## Serve with the settings of Microsoft's EST tutorial; pass options in ARGS="..."
	@$(BIN)/nestor serve --tutorial $(ARGS)

edge: .venv/ready ## Start a local IoT Edge with the module on it, and a prompt; ARGS="..." is for the one that runs
	@PYTHONPATH=tests $(BIN)/python -m standin $(ARGS)

layers: .venv/ready ## Lay out five layers that each reach their parent alone, and tell how a device fares (needs root)
	@PYTHONPATH=tests $(BIN)/python -m layers

test: .venv/ready ## Run the tests; TESTS=path chooses, ARGS="..." passes options to pytest
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(TESTS) $(ARGS)

reference: .venv/ready ## Write docs/reference anew, from the program
	@PYTHONPATH=tests $(BIN)/python -m support.reference

conformance: .venv/ready ## Write docs/conformance.md anew, from the tests that prove its rows
	@$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m conformance --write-conformance $(ARGS)

check: .venv/ready ## Lint, types, and the directions of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "error: some files are not formatted"; echo "hint: make fix"; exit 1; } >&2
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

fix: .venv/ready ## Mend what the linter can mend, and format
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

bench: .venv/ready ## Measure the server against a bare TLS handshake of openssl on the same core
	@$(BIN)/python -m benchmarks $(ARGS)

bench-forward: .venv/ready ## Measure what a forwarder adds to an enrollment, with one and with two of them
	@$(BIN)/python -m benchmarks.forwarding $(ARGS)

bench-herd: .venv/ready ## Let 10,000 devices come at once, as aziot-certd does
	@$(BIN)/python -m benchmarks.herd $(ARGS)

bench-proxy: .venv/ready ## Measure the API proxy beside nginx: the same job, the same core, the same run
	@$(BIN)/python -m benchmarks.proxying $(ARGS)

LOCK := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

lock: .venv/ready ## Write the lock files anew from pyproject.toml (needs uv)
	@$(LOCK) --group dev pyproject.toml -o requirements.lock
	@$(LOCK) --constraints requirements.lock pyproject.toml -o modules/nestor/requirements.lock
	@$(LOCK) --constraints requirements.lock --group image -o modules/nestor/build.lock
	@$(LOCK) --group iotedgedev -o tests/package/iotedgedev.lock

iotedgedev: .iotedgedev/ready ## Install iotedgedev beside .venv: it expands the deployment templates

.iotedgedev/ready: tests/package/iotedgedev.lock
	@$(PYTHON) -m venv .iotedgedev
	@.iotedgedev/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

image: ## Build the container image of this machine's kind; ENGINE=podman for another engine than docker
	@$(ENGINE) build --file modules/nestor/Dockerfile.$(PLATFORM) --build-arg REVISION=$$(git rev-parse HEAD) \
	  --tag nestor:$(VERSION) --tag nestor:latest .

sbom: ## Print what the image is made of, as CycloneDX
	@$(ENGINE) run --rm --entrypoint cat nestor:latest /opt/nestor/sbom.json

# Everything is set up by the targets themselves: only Python 3.11+, git, bash and make need to be there.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.8
ENV ?= dev
# Processes that share the tests; each has the whole stack to itself.
WORKERS ?= 3
BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
export PYTHONPATH := layers/core/python
export PYTHONUNBUFFERED := 1

PACKAGES := layers/core/python/chatconnect functions local infra tests bench
GROUPS_OF_LAYERS := core http chat models parsing embedding

.PHONY: help
help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | column -t -s "$$(printf '\t')"

.venv/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@.venv/bin/uv pip sync --quiet --require-hashes --python .venv/bin/python requirements.txt
	@touch $@

web/dist/widget.js: .venv/ready web/package-lock.json web/build.js $(wildcard web/widget/*)
	@cd web && npm ci --silent --no-audit --no-fund && npm run --silent build

.PHONY: setup
setup: .venv/ready web/dist/widget.js ## Install what is locked and build the widget

.PHONY: dev
dev: setup ## Bring the whole product up on this machine (RESET=1 starts clean)
	@python -m local.dev

.PHONY: check
check: .venv/ready ## Lint, types, import contracts: seconds
	@ruff check $(PACKAGES)
	@ruff format --check --quiet $(PACKAGES)
	@mypy
	@lint-imports --no-cache
	@squawk layers/core/migrations/*.sql

.PHONY: test
test: setup check ## Everything: lint, types, unit, integration, infrastructure, browser
	@python -m local.services.node
	@python -m local.chromium
	@cd web && npm test --silent
	@# One thread for the embedding model's arithmetic: several, of several stacks, wait for each other.
	@OPENBLAS_NUM_THREADS=1 pytest tests --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: synth
synth: .venv/ready ## Synthesise an environment: make synth ENV=prod
	@python -m local.services.node
	@local/node_modules/.bin/cdk synth --quiet -c env=$(ENV)

.PHONY: deploy
deploy: .venv/ready ## Deploy an environment to AWS: make deploy ENV=staging
	@python -m local.services.node
	@local/node_modules/.bin/cdk deploy --all --require-approval never -c env=$(ENV)

.PHONY: deploy-local
deploy-local: setup ## Deploy the same app onto the AWS emulator and test it end to end
	@python -m local.services.node
	@pytest tests/deployed

.PHONY: bench
bench: setup ## Run the benchmarks, or those that BENCH names; they print JSON: make bench BENCH="turns cold_start"
	@python -m bench $(BENCH)

.PHONY: soak
soak: setup ## Ask a thousand questions while a fifth of the provider's calls fail; fails when a promise is broken
	@python -m bench.soak

.PHONY: fuzz-files
fuzz-files: setup ## Read randomly damaged files for SECONDS (600): each must end with a reason or as text
	@python -m tests.mutations $(or $(SECONDS),600) $(SEED)

.PHONY: soak-isolation
soak-isolation: setup ## Let tenants with things of equal ids do 100,000 things at once: none may meet another's
	@ISOLATION_OPERATIONS=$(or $(OPERATIONS),100000) pytest tests/integration/postgres/test_stateful_isolation.py --timeout=3600

.PHONY: mutate
mutate: setup ## Leave out one tenant filter after the other: each must be missed, and row-level security hold without any
	@python -m tests.tenant_filters $(OPERATIONS) $(SEED)

.PHONY: fuzz-api
fuzz-api: setup ## Send thousands of made-up requests by the OpenAPI document: each answer must be one that it promises
	@API_EXAMPLES=$(or $(EXAMPLES),20) API_PHASES=coverage,fuzzing,stateful API_SEED=$(or $(SEED),$$RANDOM) \
		API_CALLERS="owner server visitor nobody" \
		pytest tests/integration/api/test_fuzz.py --timeout=3600

.PHONY: invoke
invoke: setup ## Run a function with an event: make invoke FUNCTION=documents EVENT=events/documents.json
	@python -m local.invoke $(FUNCTION) $(EVENT)

.PHONY: format
format: .venv/ready ## Format the code
	@ruff check --fix --quiet $(PACKAGES)
	@ruff format --quiet $(PACKAGES)

.PHONY: lock
lock: .venv/ready ## Renew the lock files after a change in pyproject.toml
	@uv pip compile pyproject.toml --group dev $(LOCK_OPTIONS) -o requirements.txt
	@for group in $(GROUPS_OF_LAYERS); do \
		uv pip compile pyproject.toml --group $$group -c requirements.txt $(LOCK_OPTIONS) -o layers/deps/$$group.txt; \
	done
	@uv pip compile pyproject.toml --group bench --only-binary :all: --exclude-newer $(BENCH_LOCKED_AT) $(LOCK_OPTIONS) \
		-o bench/requirements.txt
	@uv pip compile pyproject.toml --group splitters --only-binary :all: --exclude-newer $(BENCH_LOCKED_AT) \
		$(LOCK_OPTIONS) -o bench/requirements-splitters.txt

# Nothing that is only compared with may be newer than this: see the group `bench` in pyproject.toml.
BENCH_LOCKED_AT := 2026-09-05
LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock"

# `make help` lists the targets. Each target first installs what it needs.

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
# Not in HOME, which may not be writable.
export UV_CACHE_DIR := .venv/cache
NODE_BIN := node_modules/.bin
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header

.DEFAULT_GOAL := help
.PHONY: help setup run test system-test coverage check bench simulation package screenshots lock clean

help: ## List the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: .venv/.ready .venv-cloud/.ready .venv-peers/.ready ## Install everything, into .venv, .venv-cloud and .venv-peers

run: .venv/.ready .venv-cloud/.ready ## Run the product on this machine, at http://127.0.0.1:8000 (PORT, DATA_DIR)
	@exec $(BIN)/python -m infra.local

# All tests of a file run in the same worker, so that shared fixtures, such as a deployed stack, are created once.
# See tests/support/parallel_plugin.py for the order.
PYTEST := $(BIN)/pytest -n 2 --dist loadfile
LOCAL_CLOUD_TESTS := $(patsubst %,tests/infra/test_local_%.py,cloud documents schedules)
SYSTEM_TESTS := tests/browser tests/deploy tests/bench tests/simulation $(LOCAL_CLOUD_TESTS)
CHECKS := tests/test_architecture.py tests/test_dotted_names.py

test: .venv/.ready .venv-cloud/.ready ## Run the tests; ARGS are passed to pytest
	@$(PYTEST) $(SYSTEM_TESTS:%=--ignore=%) $(CHECKS:%=--ignore=%) $(ARGS)

system-test: .venv/.ready .venv-cloud/.ready .venv-peers/.ready ## Run the tests that need Chromium, the local cloud, or a simulation
	@$(PYTEST) $(SYSTEM_TESTS) $(ARGS)

coverage: .venv/.ready .venv-cloud/.ready .venv-peers/.ready ## Run all tests and show the lines without coverage
	@$(PYTEST) --cov --cov-report=term $(ARGS)

check: .venv/.ready node_modules/.ready ## Check formatting, lint rules, types, layers, the supply chain, and portability
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(NODE_BIN)/biome check --error-on-warnings --log-level=warn
	@$(NODE_BIN)/tsc --project tsconfig.json
	@$(NODE_BIN)/tsc --project tsconfig.strict.json
	@$(BIN)/pytest -q $(CHECKS)
	@$(BIN)/python -m infra.supply_chain
	@test ! -e dist/template.json || $(BIN)/cfn-lint dist/template.json
	@$(MAKE) --no-print-directory check-portable

bench: .venv/.ready .venv-cloud/.ready .venv-peers/.ready ## Run the benchmarks and print the results
	@$(BIN)/python -m tests.bench $(ARGS)

simulation: .venv/.ready .venv-cloud/.ready ## Run the simulation tests, in about two hours; ARGS="--only faults"
	@$(BIN)/python -m tests.simulation $(if $(ENGINE),--engine $(ENGINE)) $(ARGS)

package: .venv/.ready ## Write dist/bundle.zip and dist/template.json for production (TEXTS=folder of your texts)
	@$(BIN)/python -m infra.bundle $(if $(TEXTS),--texts "$(TEXTS)")

screenshots: .venv/.ready .venv-cloud/.ready ## Take the screenshots of README again, with Chromium
	@$(BIN)/python -m infra.screenshots

lock: .venv/.ready ## Lock the newest versions that meet requirements-*.in
	$(LOCK) --upgrade requirements-run.in -o requirements-run.txt
	$(LOCK) --upgrade -c requirements-run.txt requirements-check.in -o requirements-check.txt
	$(LOCK) --upgrade requirements-packet.in -o requirements-packet.txt
	$(LOCK) --upgrade -c requirements-run.txt -c requirements-check.txt -c requirements-packet.txt requirements-dev.in -o requirements-dev.txt
	$(LOCK) --upgrade requirements-cloud.in -o requirements-cloud.txt
	$(LOCK) --upgrade -c requirements-run.txt requirements-peers.in -o requirements-peers.txt
	npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

clean: ## Remove all generated files, except the data in .local
	rm -rf .venv .venv-cloud .venv-peers node_modules build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# Committed files must work on every machine, so they contain no registry address and no home directory.
# The brackets keep the patterns from matching this file.
.PHONY: check-portable
check-portable:
	@! git grep -nIE 'p[y]pi\.org|python[h]osted\.|n[p]mjs\.|(^|[^[:alnum:].])/([h]ome|[U]sers|[r]oot|[w]ork)/' -- . \
		|| { echo 'Committed files must not contain a registry address or a path of one machine.' >&2; exit 1; }

# uv is faster. pip is the fallback for machines on which only pip is configured with the package index. The lock
# names every package, so pip resolves nothing: old versions of pip do not finish, or ask for a hash of an extra.
INSTALL := install --quiet --disable-pip-version-check --no-cache-dir --no-deps --require-hashes
.venv/.ready: requirements-dev.txt pyproject.toml chalicelib/version.py
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or later is required. Choose one with: make PYTHON=python3.12 ...")'
	@echo 'Installing into .venv ...' >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@awk '/^[a-z]/ { is_uv = /^uv==/ } is_uv' requirements-dev.txt > .venv/uv.txt
	@test -x $(UV) || $(BIN)/python -m pip $(INSTALL) -r .venv/uv.txt
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.txt \
		|| $(BIN)/python -m pip $(INSTALL) -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--config-settings editable_mode=compat --editable .
	@touch $@

# The local cloud pins a different botocore version and runs functions with its own interpreter. Therefore,
# it has a separate environment with the same Python.
# The local cloud, and what the benchmark compares with, need other versions of some libraries.
.venv-cloud/.ready .venv-peers/.ready: .venv-%/.ready: requirements-%.txt .venv/.ready
	@echo 'Installing into .venv-$* ...' >&2
	@test -x .venv-$*/bin/python || $(BIN)/python -m venv --without-pip .venv-$*
	@$(UV) pip sync --quiet --python .venv-$*/bin/python --require-hashes requirements-$*.txt \
		|| $(BIN)/python -m pip --python .venv-$*/bin/python $(INSTALL) -r requirements-$*.txt
	@touch $@

# Only `make check` needs Node. The dashboard has no build step.
node_modules/.ready: package.json package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null && npm --version >/dev/null 2>&1 \
		|| { printf '%s\n' '`make check` needs Node.js 18 or later with npm, to check the JavaScript of the dashboard.' \
			'Install them, for example:' \
			'  Debian or Ubuntu: sudo apt-get install nodejs npm' \
			'  macOS:            brew install node' \
			'  others:           https://nodejs.org/en/download' >&2; exit 1; }
	@echo 'Installing the JavaScript checks into node_modules ...' >&2
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

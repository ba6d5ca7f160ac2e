# Everything a contributor does, by one word. `make` lists the words. What is up to date is not made again.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
NPM := npm --no-audit --no-fund --no-update-notifier --loglevel=error
JS_TESTS := tests/integration/js
PEERS := loadtest/peers/node
SUITES_JS := tests/conformance/suites
GENERATED := web/src/client/types.gen.ts
WORKERS ?= 2

WEB_SOURCES := $(shell find web \( -name node_modules -o -path web/dist \) -prune -o -type f ! -name '*.tsbuildinfo' -print 2>/dev/null)

.PHONY: help run test test-py test-web web official-suites lint lint-py lint-web generate bench screenshots lock clean chromium redis

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run web/dist/index.html ## Start the demo school and print sign-in links (ARGS="--port 9000")
	@exec $(BIN)/homeroom demo $(ARGS)

test: test-web test-py ## Run all tests; installs what they need (ARGS="-k rooms" narrows the Python ones)

test-web: web/node_modules/.made
	cd web && $(NPM) test

test-py: $(VENV)/.dev web/dist/index.html $(JS_TESTS)/node_modules/.made $(PEERS)/node_modules/.made chromium redis
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

official-suites: $(VENV)/.dev $(SUITES_JS)/node_modules/.made ## Run the suites of the Socket.IO project (SUITES=checkout, or GIT=bare-clone)
	@[ -n "$(SUITES)$(GIT)" ] || { echo "The suites are not part of Homeroom. Clone github.com/socketio/socket.io, then:"; \
	  echo "  make official-suites SUITES=path/to/the/clone"; exit 1; }
	@$(BIN)/python scripts/official_suites.py $(if $(GIT),--git "$(GIT)","$(SUITES)")

lint: lint-py lint-web ## Check style, types, the direction of imports and generated files

lint-py: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

lint-web: $(VENV)/.dev web/node_modules/.made
	cd web && $(NPM) run check
	@kept=$$(mktemp) && cp -p $(GENERATED) "$$kept" && $(MAKE) --no-print-directory generate && \
	  { cmp -s "$$kept" $(GENERATED) && fresh=0 || fresh=1; mv "$$kept" $(GENERATED); \
	    [ $$fresh = 0 ] || { echo "$(GENERATED) is not what the contract says: run make generate"; exit 1; }; }

web: web/dist/index.html ## Build the web app

generate: $(VENV)/.dev web/node_modules/.made ## Write the TypeScript types of the contract anew
	$(BIN)/python -m realtime.contract.asyncapi | (cd web && $(NPM) --silent run generate)

bench: $(VENV)/.dev $(PEERS)/node_modules/.made redis ## Measure the hot paths, and compare with others (ARGS=--quick: roughly)
	@$(BIN)/python -m bench $(ARGS)

screenshots: $(VENV)/.dev web/dist/index.html chromium ## Take the pictures in docs/images anew
	@scripts/need.sh emoji
	$(BIN)/python scripts/screenshots.py

lock: $(VENV)/.dev ## Pin what pyproject.toml asks for (ARGS=--upgrade: the newest versions)
	$(BIN)/python scripts/lock.py $(ARGS)

clean: ## Remove all that make made (the data of `make run` stays)
	rm -rf $(VENV) web/node_modules web/dist $(JS_TESTS)/node_modules $(PEERS)/node_modules $(SUITES_JS)/node_modules
	rm -rf artifacts build dist htmlcov .coverage*
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

chromium redis:
	@scripts/need.sh $@

# ── what the targets stand on; each stamp is as new as the last time its step succeeded ──────────

$(BIN)/python:
	@python=$$(scripts/need.sh python) && "$$python" -m venv $(VENV)

$(VENV)/.run: requirements.txt requirements-build.txt pyproject.toml | $(BIN)/python
	@echo "Installing Python packages …"
	@$(PIP) install --require-hashes -r requirements.txt -r requirements-build.txt
	@$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing Python packages for development …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@

web/node_modules/.made: web/package.json web/package-lock.json
	@scripts/need.sh node
	@cd web && $(NPM) ci
	@touch $@

web/dist/index.html: web/node_modules/.made $(WEB_SOURCES)
	cd web && $(NPM) run build
	@touch $@

$(JS_TESTS)/node_modules/.made $(PEERS)/node_modules/.made $(SUITES_JS)/node_modules/.made: %/node_modules/.made: %/package.json %/package-lock.json
	@scripts/need.sh node
	@cd $* && $(NPM) ci
	@touch $@

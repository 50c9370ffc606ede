# Everything runs in .venv: `make demo` puts what the warehouse needs there, `make install` what a developer
# needs besides, both from locked requirements with hashes. Needs Python >= 3.11 and make; no root.
SUITS := import sys; sys.exit(sys.version_info < (3, 11))
# The first Python on PATH that is new enough and runs: a version manager's shim may be there and fail.
PYTHON ?= $(or $(shell for each in python3 python3.13 python3.12 python3.11; do \
	$$each -c '$(SUITS)' 2>/dev/null && echo $$each && break; done),python3)
VENV := .venv
BIN := $(VENV)/bin
SQL := src/sparkify/sql
# Modules are compiled when they are first imported: most of what is installed never is.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' pyproject.toml
# A worker that has no tests left takes over the half of what the other one has left.
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal
# The benchmark gives the peers the DuckDB that runs it.
LOCK_PEERS := uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-package duckdb --custom-compile-command 'make lock' \
	benchmarks/peers.in -o benchmarks/peers.txt

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all generate check fmt bench bench-quick dist lock clean

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.run: requirements/run.txt pyproject.toml
	@$(PYTHON) -c '$(SUITS)' 2>/dev/null || { \
		echo "Error: Python >= 3.11 is needed; $(PYTHON) --version says: $$($(PYTHON) --version 2>&1 | head -1)"; \
		echo "Try: make $(or $(firstword $(MAKECMDGOALS)),install) PYTHON=/path/to/python3.11"; exit 1; } >&2
	@echo "1/3 Make $(VENV) with $$($(PYTHON) --version)."
	@$(PYTHON) -m venv $(VENV)
	@echo "2/3 Install what the warehouse needs, locked in $<: 60 MB to download, 200 MB in $(VENV)."
	@$(PIP) --require-hashes -r $<
	@echo "3/3 Install sparkify from this folder."
	@$(PIP) --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Install what developers need besides, locked in $<: 1.1 GB in $(VENV)."
	@$(PIP) --require-hashes -r $<
	@touch $@

install: $(VENV)/.dev ## make .venv with everything a developer needs, from the lock

demo: $(VENV)/.run ## simulate a small month, load it, show the tables; installs only what that needs
	@$(BIN)/sparkify demo

test: install ## run the fast tests, in about 5 minutes
	$(PYTEST) -m "not thorough"

test-all: test ## run the fast tests, then the thorough ones; HYPOTHESIS_PROFILE=release draws more examples
	$(PYTEST) -m thorough

generate: install ## write the SQL that is generated from records and models
	$(BIN)/python -m tools.generate

check: install ## lint, format, types, SQL grammar
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers 2
	$(BIN)/sqlfluff lint --processes 2 $(SQL)

fmt: install ## format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

bench: install ## compare with the peers and with ourselves, in one run; writes benchmarks/results.md
	$(BIN)/python -m benchmarks

bench-quick: install ## a few of these ratios, at small sizes
	$(BIN)/python -m benchmarks --quick

dist: $(VENV)/.run ## build the wheel and the sdist in dist/, from what is installed
	@rm -rf dist
	$(BIN)/hatchling build

lock: ## renew what is in requirements/ (needs uv)
	$(LOCK) --upgrade --extra aws --group build --group test -o requirements/dev.txt
	$(LOCK) --group build --constraints requirements/dev.txt -o requirements/run.txt
	$(LOCK) --upgrade --extra aws --resolution lowest-direct -o requirements/lowest.txt
	$(LOCK_PEERS)

clean: ## remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

# Everything runs in .venv, made by `make install` from locked requirements with hashes.
# Needs Python >= 3.11 and make; no root, no system packages.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SQL := src/sparkify/sql

.DEFAULT_GOAL := help
.PHONY: help install demo test generate check fmt bench lock clean

help: ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed ## make .venv with everything a developer needs, from the lock

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Error: Python >= 3.11 is needed, this is " + sys.version.split()[0] + "\nTry: make install PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

demo: install ## simulate a small month, load it, show the tables
	$(BIN)/sparkify demo

test: install ## run the tests
	$(BIN)/python -m pytest -n 2

generate: install ## write the SQL that is generated from records and models
	$(BIN)/python -m tools.generate

check: install ## lint, format, types, SQL grammar
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --processes 2 $(SQL)

fmt: install ## format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

bench: install ## compare with the peers, in one run
	$(BIN)/python -m benchmarks

lock: ## renew requirements/dev.txt (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
		--no-emit-find-links --custom-compile-command 'make lock' --upgrade \
		--extra aws --group build --group test -o requirements/dev.txt pyproject.toml

clean: ## remove .venv and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

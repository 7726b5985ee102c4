# The front door. All it needs is Python 3.11 or newer; `make` alone lists what there is.
PYTHON ?= python3
PORT ?= 8000
ARGS ?=
RUN := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-reset test lint bench check locks

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup:  ## install everything (the others do it themselves)
	@$(PYTHON) bootstrap.py test

demo:  ## the portal with three local tenants on http://localhost:8000 (PORT=..., ARGS=--help)
	@$(PYTHON) bootstrap.py demo && exec $(RUN) manage.py demo --port $(PORT) $(ARGS)

demo-reset:  ## throw the demo's state away: the next demo starts afresh
	@$(PYTHON) bootstrap.py demo && exec $(RUN) manage.py demo --reset

test:  ## the whole test suite, browser tests included (ARGS="-k words" for a part)
	@$(PYTHON) bootstrap.py test && exec $(RUN) -m pytest -n 2 --dist loadgroup $(ARGS)

lint:  ## style, types, import contracts, Django's checks
	@$(PYTHON) bootstrap.py test
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	.venv/bin/lint-imports --config pyproject.toml
	$(RUN) -m mypy
	$(RUN) manage.py check --fail-level WARNING
	$(RUN) manage.py makemigrations --check --dry-run

bench:  ## the benchmarks, against a peer or a limit measured in the same run
	@$(PYTHON) bootstrap.py test && exec $(RUN) -m bench $(ARGS)

check: lint test  ## what CI runs

locks:  ## resolve the locks anew from pyproject.toml and package.json
	UV_NO_CONFIG=1 .venv/bin/uv pip compile --universal --generate-hashes --python-version 3.11 --no-annotate --no-header -q pyproject.toml -o requirements.lock
	UV_NO_CONFIG=1 .venv/bin/uv pip compile --universal --generate-hashes --python-version 3.11 --no-annotate --no-header -q pyproject.toml --group dev -o requirements-dev.lock
	npm install --package-lock-only

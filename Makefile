# The front door. All it needs is Python 3.11 or newer; `make` alone lists what there is.
PYTHON ?= python3
PORT ?= 8000
ARGS ?=
RUN := .venv/bin/python
# Settings as a careful installation has them: Django's checks for production find nothing to say.
PRODUCTION := PUBLIC_URL=https://castellan.example SECRET_KEY=$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(60))') \
	ENCRYPTION_KEYS=$$($(RUN) manage.py make_key) AUTH0_DOMAIN=example.eu.auth0.com REDIS_URL=redis://localhost/0 \
	DATABASE_URL=postgres://localhost/castellan

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-reset sandbox test lint bench pictures check locks

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup:  ## install everything (the others do it themselves)
	@$(PYTHON) bootstrap.py test

demo:  ## the portal with three local tenants on http://localhost:8000 (PORT=..., ARGS=--help)
	@$(PYTHON) bootstrap.py demo && exec $(RUN) manage.py demo --port $(PORT) $(ARGS)

demo-reset:  ## throw the demo's state away: the next demo starts afresh
	@$(PYTHON) bootstrap.py demo && exec $(RUN) manage.py demo --reset

sandbox:  ## local Auth0 tenants alone, without the portal (ARGS="--tenants shop --seed demo")
	@$(PYTHON) bootstrap.py sandbox && exec $(RUN) -m sandbox $(ARGS)

test:  ## the whole test suite, browser tests included (ARGS="-k words" for a part)
	@$(PYTHON) bootstrap.py test
	TEST_DATABASE=postgres $(RUN) -m pytest -q -m postgres
	@# Files in their own order: the long walks in a browser come first, so that no worker ends alone with them.
	$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint:  ## style, types, import contracts, Django's checks
	@$(PYTHON) bootstrap.py test
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	.venv/bin/lint-imports
	$(RUN) -m mypy
	@$(PRODUCTION) $(RUN) manage.py check --deploy --fail-level WARNING
	$(RUN) manage.py makemigrations --check --dry-run

bench:  ## the benchmarks, against a peer or a limit measured in the same run
	@$(PYTHON) bootstrap.py test && exec $(RUN) -m bench $(ARGS)

pictures:  ## docs/images anew, from the demo that runs on http://localhost:8000
	@$(PYTHON) bootstrap.py test && exec $(RUN) -m tests.browser.pictures

check: lint test  ## what CI runs

locks:  ## resolve the locks anew from pyproject.toml and package.json
	UV_NO_CONFIG=1 .venv/bin/uv pip compile --universal --generate-hashes --python-version 3.11 --no-annotate --no-header -q pyproject.toml -o requirements.lock
	UV_NO_CONFIG=1 .venv/bin/uv pip compile --universal --generate-hashes --python-version 3.11 --no-annotate --no-header -q pyproject.toml --group dev -o requirements-dev.lock
	UV_NO_CONFIG=1 .venv/bin/uv pip compile --universal --generate-hashes --python-version 3.11 --no-annotate --no-header -q -c requirements.lock --group sandbox -o requirements-sandbox.lock
	npm install --package-lock-only
	@# npm notes what it has only resolved as installed; without that note the next setup installs it.
	@rm -f node_modules/.package-lock.json

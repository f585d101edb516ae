# Stepmark. `make run` is all a newcomer needs; `make help` lists the rest. Paths are relative: any folder will do.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
SOURCE := app annotations models_service bench tests manage.py
# What a deployment behind TLS sets; Django's deploy checks judge these.
DEPLOYED := HTTPS=1 HSTS_SUBDOMAINS=1 HSTS_PRELOAD=1

.PHONY: help setup setup-dev run worker test check fix bench docs screenshots lock

help: ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1@\2/' | column -t -s @

run: setup ## Start everything at http://127.0.0.1:8000 (PORT=…, STEPMARK_HOME=…); Ctrl-C stops it
	@exec $(PY) manage.py up

setup: ## Install what runs into .venv
	@PYTHON="$(PYTHON)" .ci/install requirements.txt

setup-dev: setup
	@PYTHON="$(PYTHON)" .ci/install requirements-dev.txt

worker: setup ## One more worker for the same database and broker
	@exec $(PY) -m celery -A app worker --queues=light,gpu --loglevel=INFO

test: setup-dev ## All tests; installs Chromium, PostgreSQL and Redis by apt where they are missing
	@.ci/tools
	@.ci/oracles
	$(PY) -m pytest -m "not live" -n 2 --dist loadgroup $(ARGS)
	$(PY) -m pytest -m live $(ARGS)

check: setup-dev ## Format, lint, types, import contracts, migrations in step, deploy checks, templates
	$(PY) -m ruff format --check $(SOURCE)
	$(PY) -m ruff check $(SOURCE)
	$(PY) -m mypy
	$(PY) -c 'from importlinter.cli import lint_imports_command as lint; lint()'
	$(PY) -W ignore manage.py makemigrations --check --dry-run
	$(DEPLOYED) $(PY) manage.py check --deploy --fail-level WARNING
	find frontend_templates -name '*.html' -print0 | xargs -0 .venv/bin/djade --target-version 5.2 --check

fix: setup-dev ## Format, and repair what can be repaired
	$(PY) -m ruff check --fix $(SOURCE)
	$(PY) -m ruff format $(SOURCE)
	find frontend_templates -name '*.html' -print0 | xargs -0 .venv/bin/djade --target-version 5.2

bench: setup-dev ## Measure against the limits of this machine: make bench, or ARGS="imports exports"
	$(PY) -m bench $(ARGS)

docs: setup-dev ## Write the tables of the docs that are made from the code
	@$(PY) -m annotations.schemes.catalogue
	@$(PY) -m annotations.schemes.conversions_table
	@$(PY) -m annotations.formats.catalogue

screenshots: setup-dev ## Photograph every page into docs/screenshots; ARGS="home label" for some
	$(PY) -m bench.screens $(ARGS)

lock: ## Remake requirements.txt and requirements-dev.txt from the .in files
	@PYTHON="$(PYTHON)" .ci/lock

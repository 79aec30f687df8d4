# The same commands for people and for CI. `uv` is taken from PATH, or fetched from PyPI into .tools.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export UV_PYTHON_DOWNLOADS ?= never

# A shim that cannot find its program is no uv.
ifeq ($(shell uv --version >/dev/null 2>&1 && echo yes),)
UV_FILE := .tools/uv/bin/uv
export PATH := $(CURDIR)/.tools/uv/bin:$(PATH)
endif
RUN := uv run --frozen

.PHONY: help uv up dashboard test coverage check ruff mypy pyright bench conformance-matrix overlay-matrix

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 26

up: uv ## Start Contexten; words for it go in ARGS, such as ARGS="--port 8001"
	@$(RUN) --quiet --no-dev --group pages --extra dashboard --extra model contexten up $(ARGS)

dashboard: uv ## Build the dashboard's pages; the first visit does it too
	@$(RUN) --quiet --no-dev --group pages --extra dashboard contexten dashboard build

test: uv ## Run the tests; words for pytest go in ARGS
	$(RUN) pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

coverage: uv ## Run the tests and report which branches none of them takes
	$(RUN) coverage erase
	$(RUN) coverage run -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)
	$(RUN) coverage combine --quiet
	$(RUN) coverage report

check: ruff mypy pyright ## Lint, formatting and types; with -j, several at a time

ruff: uv
	$(RUN) ruff check
	$(RUN) ruff format --check

mypy pyright: uv
	$(RUN) $@

bench: uv ## Measure every claim of the README; fails when one is missed
	@failed=; for file in benchmarks/[a-z]*.py; do \
	  echo "== $$file"; $(RUN) python "$$file" || failed="$$failed $$file"; \
	done; [ -z "$$failed" ] || { echo "missed:$$failed" >&2; exit 1; }

conformance-matrix: uv ## Run every supported version of the official packages, and the real Claude Code and Codex (large downloads)
	CONFORMANCE_MATRIX=1 $(RUN) pytest -m conformance tests/conformance $(ARGS)

overlay-matrix: uv ## Run the overlay with every version of codegen that it knows (large downloads)
	$(RUN) pytest -m matrix tests/overlay $(ARGS)

uv: $(UV_FILE)

.tools/uv/bin/uv:
	python3 -m venv .tools/uv
	.tools/uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9'

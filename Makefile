# Everything starts here. A machine needs git, make and Python 3.11 or newer with venv; the rest is set up in .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help up down status test check chaos bench lock schemas setup

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.treue-is-set-up
UV := $(BIN)/uv
LOCK := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" $(ARGS) pyproject.toml
IMAGES := gateway points notifications metrics operator

# uv reads other variables than pip: a mirror that was set for pip is meant for both.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(STAMP) ## Start the whole platform and wait until it answers
	@$(BIN)/treue up

down: $(STAMP) ## Stop it; the data stays
	@$(BIN)/treue down

status: $(STAMP) ## Which processes run, and whether they are ready
	@$(BIN)/treue status

test: $(STAMP) ## Run all tests against real servers, beside a running platform (ARGS="-k word")
	@$(BIN)/python -m pytest $(ARGS)

check: $(STAMP) ## Format, lint, types and import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

chaos: $(STAMP) ## Break everything in random order under load for MINUTES=30, on a stack of its own (SEED=n repeats)
	@$(BIN)/treue chaos --minutes $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED))

bench: $(STAMP) ## Measure, beside the limit of the same run (QUICK=1 for a short one)
	@$(BIN)/python -m benchmarks

lock: $(STAMP) ## Write requirements/ anew from pyproject.toml (ARGS=--upgrade for newer ones)
	@for image in $(IMAGES); do $(LOCK) --group $$image --output-file requirements/$$image.txt; done
	@$(LOCK) --group local --output-file requirements/local.txt
	@$(LOCK) --group dev --output-file requirements/dev.txt
	@grep '^uv==' requirements/dev.txt | cut -d ' ' -f 1 | $(UV) pip compile --quiet --universal --generate-hashes \
		--no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" - \
		--output-file requirements/uv.txt

schemas: $(STAMP) ## Write docs/events anew from shared/events
	@$(BIN)/python -m shared.events.schemas

setup: $(STAMP) ## Only set up .venv

$(STAMP): requirements/dev.txt requirements/uv.txt pyproject.toml deploy/set-up-venv
	@deploy/set-up-venv $(VENV)
	@touch $@

# Every target sets up what it needs: a fresh machine wants Python 3.11, make, a C compiler and the package registries.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check
export FLOORWALKER_DATA ?= $(wildcard ../shared/data)

.PHONY: help results results-table setup setup-dev demo test test-slow lint types contracts check build screenshot constraints clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(STAMPS)/core: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "Floorwalker needs Python 3.11 or later")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install -q -c constraints.txt pip
	$(PIP) install -q -c constraints.txt -e .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/serve: $(STAMPS)/core
	$(PIP) install -q -c constraints.txt -e '.[serve]'
	@touch $@

$(STAMPS)/dev: $(STAMPS)/core client/pyproject.toml
	$(PIP) install -q -c constraints.txt torch
	$(PIP) install -q -c constraints.txt -e '.[serve,postgres,kafka,train,content,evaluate]' -e client --group dev
	@touch $@

setup: $(STAMPS)/core ## install what `floorwalker scan` needs
setup-dev: $(STAMPS)/dev ## install what tests, training and evaluation need

demo: $(STAMPS)/serve ## scan a generated log with hidden hunters; then start a server and show decisions arriving
	$(BIN)/floorwalker demo --out demo
	$(BIN)/floorwalker demo --out demo --live

# Beside servers and other processes, threads that wait for each other cost ten times what they give.
test test-slow: export OMP_NUM_THREADS := 1

# One process a core, four at most; whoever is done first takes tests of the others.
test: $(STAMPS)/dev ## the default tests
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist worksteal

test-slow: $(STAMPS)/dev ## the slow and data-heavy tests
	$(BIN)/python -m pytest -m slow -n logical --maxprocesses 2 --dist worksteal --durations=15

lint: $(STAMPS)/dev ## style
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(STAMPS)/dev ## types
	$(BIN)/mypy

contracts: $(STAMPS)/dev ## walls between the rooms
	$(BIN)/lint-imports --no-cache

check: lint types contracts test ## everything that CI checks, but for the slow tests

build: $(STAMPS)/dev ## the wheel, in dist/
	$(BIN)/python -m build -q --wheel

screenshot: $(STAMPS)/dev ## the README's picture, from a generated log
	$(BIN)/floorwalker demo --out demo --screenshot docs/images/report.png

constraints: $(STAMPS)/dev ## pin what is installed now
	$(BIN)/python -m pip freeze --all --exclude-editable | sed 's/+cpu$$//' > constraints.txt

clean: ## remove what was built
	rm -rf dist build demo $(STAMPS) .pytest_cache .mypy_cache .ruff_cache .hypothesis

RESULTS := docs/results

results: $(STAMPS)/dev ## every number that the README shows, measured again (half an hour on an idle machine)
	mkdir -p $(RESULTS)
	$(BIN)/floorwalker evaluate scan --json > $(RESULTS)/scan.json
	$(BIN)/floorwalker evaluate visitors --json > $(RESULTS)/visitors.json
	$(BIN)/floorwalker evaluate routes --json > $(RESULTS)/routes.json
	$(BIN)/floorwalker bench scan --json > $(RESULTS)/bench_scan.json
	$(MAKE) results-table

results-table: $(STAMPS)/dev ## the README's table, from what was measured
	$(BIN)/floorwalker evaluate table

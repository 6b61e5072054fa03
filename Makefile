# Everything a contributor or a build machine does, from a fresh clone with Python and make alone.
# Works with GNU make 3.81, which is what macOS ships.

VENV := .venv
BIN := $(VENV)/bin

# A PYTHON that you name is the one that is used; otherwise the first of these that is new enough.
PYTHON ?= python3
CANDIDATES := $(if $(filter file,$(origin PYTHON)),python3 python3.14 python3.13 python3.12 python3.11,$(PYTHON))

# What the tests of the whole system run on: virtual or rp2040; and how many tests at once.
TARGET ?= virtual
JOBS ?= 2

# More arguments for the program behind a target: make test ARGS="-k frame".
ARGS ?=

GENERATORS := tools/gen_wire.py tools/gen_vectors.py tools/gen_messages_md.py tools/gen_words.py

# Each stamp is younger than what it was made from, so an install happens once a change.
VENV_MADE := $(VENV)/.stamp-venv
RUNTIME := $(VENV)/.stamp-runtime
DEV := $(VENV)/.stamp-dev

# The same dependencies, with the emulated chip compiled for this very Python.
EMULATOR := $(VENV)/.stamp-emulator

PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(RUNTIME) ## Run a whole treatment on a virtual gun; needs no hardware.
	$(BIN)/mesogun run face --port sim --speed max --auto-trigger --yes $(ARGS)

.PHONY: dev
dev: $(DEV) ## Set up everything that the targets below need.

.PHONY: test
test: $(EMULATOR) ## Run every test, in a random order, JOBS at once.
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

.PHONY: hil
hil: $(EMULATOR) ## Run the tests of the whole system; TARGET=rp2040 on the emulated chip.
	$(BIN)/python -m pytest hil_tests --target $(TARGET) -n $(JOBS) $(ARGS)

.PHONY: check
check: lint types arrows generated requirements ## Run every check that is not a test.

.PHONY: lint
lint: dev ## Check style and layout.
	$(BIN)/ruff check
	$(BIN)/ruff format --check

.PHONY: types
types: dev ## Check the types of host and firmware.
	$(BIN)/pyright
	$(BIN)/pyright --project pyrightconfig.firmware.json

.PHONY: arrows
arrows: dev ## Check which part imports which.
	$(BIN)/lint-imports
	$(BIN)/python tools/check_imports.py

.PHONY: generated
generated: dev ## Check that generated files are what their generators write.
	@set -e; for generator in $(GENERATORS); do \
	  echo "$(BIN)/python $$generator --check"; $(BIN)/python "$$generator" --check; done

.PHONY: requirements
requirements: dev ## Check the safety requirements and the tests that name them.
	$(BIN)/python tools/requirements_matrix.py --check

.PHONY: generate
generate: dev ## Write all generated files again.
	@set -e; for generator in $(GENERATORS); do \
	  echo "$(BIN)/python $$generator"; $(BIN)/python "$$generator"; done

.PHONY: format
format: dev ## Mend what the linter and the formatter can mend.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: bench
bench: $(EMULATOR) ## Measure the speed of the host and the timing of the gun, and print the figures.
	$(BIN)/python tools/bench.py $(ARGS)
	$(BIN)/python tools/bench_timing.py $(ARGS)

FUZZ := $(VENV)/.stamp-fuzz
FUZZED ?= 10000000

.PHONY: fuzz
fuzz: $(FUZZ) ## Feed every parser with 10 million inputs; takes 1.5 hours. FUZZED=N for another number.
	@set -e; for target in frames requests programs; do \
	  $(BIN)/python tools/fuzz.py device $$target $(FUZZED); done
	@# Begun anew a hundred times: inputs that have grown take four times as long.
	@set -e; for target in frames bodies records; do for seed in $$(seq 100); do \
	  $(BIN)/python tools/fuzz.py host $$target $$(($(FUZZED) / 100)) $$seed; done; done
	@# A program file takes a thousand times as long, and comes from a disk and not from a wire.
	$(BIN)/python tools/fuzz.py host programs $$(($(FUZZED) / 100))

.PHONY: clean
clean: ## Remove caches and build results; the virtual environment stays.
	rm -rf build dist htmlcov .coverage .coverage.* .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## Remove the virtual environment too.
	rm -rf $(VENV)

$(VENV_MADE):
	@set -e; python=; \
	for candidate in $(CANDIDATES); do \
	  if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; \
	  then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "mesogun needs Python 3.11 to 3.14; tried: $(CANDIDATES)." >&2; \
	  echo "Install one, or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$python cannot make virtual environments: its ensurepip module is missing." >&2; \
	  echo "On Debian and Ubuntu: sudo apt install python3-venv, then run make again." >&2; exit 1; \
	fi; \
	echo "$$python -m venv $(VENV)"; "$$python" -m venv $(VENV)
	@touch $@

$(RUNTIME): $(VENV_MADE) pyproject.toml
	$(PIP) install --quiet --editable .
	@touch $@

# Dependency groups and their --group option came with pip 25.1.
$(DEV): $(RUNTIME) pyproject.toml
	$(PIP) install --quiet 'pip>=25.1'
	$(PIP) install --quiet --group dev
	rm -rf $(VENV)/typings
	$(PIP) install --quiet --target $(VENV)/typings --group typings
	@touch $@

$(EMULATOR): $(DEV) tools/compile_emulator.py
	$(BIN)/python tools/compile_emulator.py
	@touch $@

$(FUZZ): $(DEV)
	$(PIP) install --quiet --group fuzz
	@touch $@

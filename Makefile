# What a checkout can do, from nothing but Python >= 3.11, make and a package registry.
#   make verify   the product on its own examples        make test   the tests
#   make lint     style, types, import contracts         make bench  timings       make clean
#   make browser  the tests of the HTML page in a real Chromium, from apt-get where there is none
#   make hosts    the tests that drive real host programs, installed from npm into .hosts (Node 20 or newer; 2 GB)
#   make bare     the tests of the core where no plugin is installed

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input

# Nothing of the machine's own Python environment may decide what happens here.
unexport PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX
export PYTHONNOUSERSITE := 1

EXAMPLES := examples/skills skill/selftune-build
TESTS    ?= tests plugins
# What `make bare` runs: the tests of single modules, of everything about plugins, and of the commands that ask for things by name. The
# other commands' tests take longest and run where plugins are installed; `make bare CORE=tests` runs all.
CORE     ?= tests/unit tests/plugins tests/cli/test_doctor.py tests/cli/test_json_status.py $(wildcard tests/cli/test_build_*.py)
WORKERS  ?= auto
# .ci/run asks for branch coverage: what runs inside the test processes, not the commands that they start.
COVERAGE ?=
FAST     := not benchmark and not slow and not hosts and not browser

.DEFAULT_GOAL := help
.PHONY: help compiled verify test lint bench hosts browser bare clean

help:
	@sed -n '2,7s/^# //p' Makefile

# The stamps are newer than pyproject.toml exactly if the environment has what it asks for.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; say which: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 2; }

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing selftune-build into $(VENV)" >&2
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo "installing selftune-build and what its tests need into $(VENV)" >&2
	@$(PIP) install --editable '.[dev]'
	@touch $(VENV)/.installed $@

# Each of the thousands of commands that tests start would else compile the whole package: where PYTHONDONTWRITEBYTECODE is set, nobody
# keeps what was compiled.
compiled: $(VENV)/.installed
	@$(BIN)/python -m compileall -q selftune_build $(wildcard plugins/*/src)

# Every workspace is built, whatever became of the one before it; one failure fails the whole.
verify: compiled
	@status=0; for workspace in $(EXAMPLES); do \
	  echo "== selftune build verify -C $$workspace"; \
	  $(BIN)/selftune build verify -C $$workspace || status=$$?; \
	done; exit $$status

test: $(VENV)/.installed-plugins compiled
	@echo "left out: benchmark (timings need a quiet machine: make bench), slow (over ten seconds each: .ci/run runs them)"
	@echo "left out: hosts (real host programs from npm: make hosts), browser (a real Chromium: make browser)"
	@$(BIN)/python -m pytest -q -n $(WORKERS) $(COVERAGE) -m "$(FAST)" $(TESTS)

lint: $(VENV)/.installed-plugins
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --strict $(wildcard plugins/*/src)
	@$(BIN)/lint-imports

bench: $(VENV)/.installed-dev compiled
	@$(BIN)/python -m pytest -q -s -m benchmark $(TESTS)

# Pinned versions stand in tests/hosts/package.json; the programs are not ours, so clean leaves them alone.
.hosts/.installed: tests/hosts/package.json
	@command -v npm >/dev/null || { echo "npm is needed to install the host programs: install Node 20 or newer" >&2; exit 2; }
	@echo "installing the host programs into .hosts" >&2
	@mkdir -p .hosts && cp tests/hosts/package.json .hosts/
	@npm install --prefix .hosts --no-audit --no-fund --no-package-lock --loglevel=error
	@cd .hosts/node_modules/.bin && ln -sf ../@vscode/ripgrep-*/bin/rg rg
	@mkdir -p .hosts/home && HOME=$(CURDIR)/.hosts/home .hosts/node_modules/.bin/copilot --version >/dev/null  # unpacks itself
	@touch $@

$(VENV)/.installed-plugins: $(wildcard plugins/*/pyproject.toml) $(VENV)/.installed-dev
	@echo "installing the plugins and what they and their tests need into $(VENV)" >&2
	@$(PIP) install $(patsubst %/pyproject.toml,--editable '%[dev]',$(wildcard plugins/*/pyproject.toml))
	@touch $@

# `make hosts ONLY=qwen` runs those of one host.
hosts: .hosts/.installed $(VENV)/.installed-plugins compiled
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m hosts $(if $(ONLY),-k "$(ONLY)") tests/hosts

$(VENV)/.installed-browser: pyproject.toml $(VENV)/.installed-dev
	@echo "installing what drives a browser into $(VENV)" >&2
	@$(PIP) install --editable '.[browser]'
	@touch $@

browser: $(VENV)/.installed-browser
	@command -v chromium >/dev/null || \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-dejavu-core >/dev/null; } || \
	  { echo "chromium is needed: install it" >&2; exit 2; }
	@$(BIN)/python -m pytest -q -m browser tests/browser

# An environment of its own inside of the other one, so that it goes with it.
BARE := $(VENV)/bare
$(BARE)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing selftune-build and what its tests need, without plugins, into $(BARE)" >&2
	@$(PYTHON) -m venv --clear $(BARE)
	@$(BARE)/bin/python -m pip -qq --disable-pip-version-check --no-input install --editable '.[dev]'
	@touch $@

bare: $(BARE)/.installed compiled
	@$(BARE)/bin/python -P -c 'import importlib.metadata as m; raise SystemExit(bool(m.entry_points(group="selftune_build.plugins")))' || \
	  { echo "a plugin is installed in $(BARE): make clean" >&2; exit 2; }
	@$(BARE)/bin/python -m pytest -q -n $(WORKERS) -m "$(FAST)" $(CORE)

clean:
	rm -rf $(VENV) build dist .coverage .coverage.* htmlcov .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -type d -name __pycache__ -prune -exec rm -rf {} +

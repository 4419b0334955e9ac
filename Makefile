# Two commands matter: `make demo` and `make test`. Each sets itself up: all it needs is Python 3.11+ and make.
PYTHON ?= python3
UV := .tools/bin/uv
RUN := $(UV) run --frozen --no-progress
export UV_PYTHON_DOWNLOADS := never
export UV_PYTHON := $(PYTHON)
export UV_LINK_MODE ?= copy

.PHONY: demo test lint fast docs bench lock clean

demo: .venv/ready  ## play a month in the life of a bank and a support assistant
	$(RUN) tocsin demo demo

test: lint  ## everything that must hold: contracts, types, style, sizes, docs and the whole suite
	$(RUN) pytest -n 2 --dist loadgroup

fast: .venv/ready  ## the pure rooms only
	$(RUN) pytest -q tests/core

lint: .venv/ready
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports

docs: .venv/ready  ## the pages, into site/
	$(RUN) python tools/catalogue.py
	$(RUN) zensical build --clean

bench: .venv/ready  ## every benchmark; results go to benchmarks/RESULTS.md
	$(RUN) python benchmarks/run.py

lock: $(UV)
	$(UV) lock

.venv/ready: pyproject.toml uv.lock $(UV)
	$(UV) sync --frozen --no-progress
	@touch $@

$(UV):
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Tocsin needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv

clean:
	rm -rf .venv .tools site dist demo

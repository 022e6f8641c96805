# make demo, make test: two commands for a machine that has python3, pip and make, and nothing else.

# Any Python from 3.11 to 3.13. `make PYTHON=/path/to/python demo` chooses another.
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && echo $$p && break; done)

# JAX's CUDA wheels where the driver shows a GPU: those for CUDA 13 if it is new enough, else those for CUDA 12.
GPU := $(shell nvidia-smi 2>/dev/null | grep -o 'CUDA Version: *[0-9]*' | grep -o '[0-9]*$$')
CUDA := $(if $(GPU),$(shell test $(GPU) -ge 13 && echo ,cuda || echo ,cuda12))

VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
TESTS ?= tests

# Runs these benches and then the report, whatever fails on the way, and fails if one did.
benches = failed=; for bench in $(1) report; do echo "bench.$$bench"; \
	$(BIN)/python -m bench.$$bench || failed="$$failed [$$bench]"; done; \
	test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

.PHONY: help demo test check bench bench-gpu report conformance stubs clean

help:
	@echo "make demo    train a CNN on handwritten digits      (ARGS='--epochs 3 --download' are passed on)"
	@echo "make test    the checks, then the whole test suite  (TESTS=tests/ops runs a part, WORKERS=n)"
	@echo "make check   ruff, pyright, the import floors"
	@echo "make bench   microseconds per op; steps, compiled calls, cold starts, torch.func, loaders beside torch and JAX; the report"
	@echo "make bench-gpu  steps, GPT-2 124M and ResNet-50 on a GPU   (ARGS='--missing' goes on with a run broken off)"
	@echo "make report  write docs/benchmarks.md and its plots from bench/results"
	@echo "make conformance  every op on torch's own samples, beside torch  (ARGS='--shard 1/4' are passed on)"
	@echo "make stubs   write the .pyi files that editors and type checkers read"
	@echo "make clean   remove $(VENV) and every cache"

demo: $(VENV)/has-examples
	$(BIN)/python examples/mnist.py $(ARGS)

test: check
	$(BIN)/python -m pytest -n $(WORKERS) $(TESTS)

check: $(VENV)/has-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(VENV)/has-test
	@$(call benches,dispatch 'steps $(ARGS)' growth compile cold func data)

# Never been run yet: there was no GPU. Memory is not taken ahead: a process may hold torch's weights beside JAX.
bench-gpu: $(VENV)/has-test
	@export XLA_PYTHON_CLIENT_PREALLOCATE=false; $(call benches,'steps --device cuda $(ARGS)')

report: $(VENV)/has-test
	$(BIN)/python -m bench.report

conformance: $(VENV)/has-test
	$(BIN)/python -m tests.conformance $(ARGS)

stubs: $(VENV)/has-test
	$(BIN)/python -m tests.stubs

clean:
	rm -rf $(VENV) build dist .conformance .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp of an extra: installs again only when pyproject.toml changes.
$(VENV)/has-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check -e ".[$*$(CUDA)]"
	@touch $@

# Debian's python3 may lack ensurepip; then its own pip fills the environment.
$(BIN)/python:
	$(if $(PYTHON),,$(error no Python 3.11, 3.12 or 3.13 found: set PYTHON=/path/to/one))
	$(PYTHON) -m venv $(VENV) || { $(PYTHON) -m venv --clear --without-pip $(VENV) \
		&& $(PYTHON) -m pip --python $(VENV) install pip; }
	$(BIN)/python -m pip install --disable-pip-version-check --upgrade pip

# `make demo` and `make test` do all set-up themselves and leave .venv/bin/responder.
SHELL := /bin/bash
BIN := .venv/bin

.PHONY: demo test check bench bench-clients bench-month bench-faults bench-fuzz setup clean

demo: .venv/.ready
	$(BIN)/responder demo

test: .venv/.ready-dev
	scripts/dovecot-install
	-scripts/neomutt-install
	$(BIN)/python -m pytest -n 4 --dist worksteal

check: .venv/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.ready-dev
	scripts/dovecot-install
	$(BIN)/python -m bench

# Claws Mail on a screen, with a mouse: slow and sensitive to a busy machine, so not a part of `make test`.
bench-clients: .venv/.ready-dev
	scripts/dovecot-install
	scripts/screen-install
	ON_SCREEN=1 $(BIN)/python -m pytest tests/clients/test_claws.py

bench-month: .venv/.ready-dev
	scripts/dovecot-install
	$(BIN)/python -m bench.month

bench-faults: .venv/.ready-dev
	scripts/dovecot-install
	$(BIN)/python -m bench.faults
	$(BIN)/python -m bench.faults --model 100000

bench-fuzz: .venv/.ready-dev
	$(BIN)/python -m bench.fuzz

setup: .venv/.ready-dev

.venv/.ready: pyproject.toml scripts/setup
	scripts/setup

.venv/.ready-dev: pyproject.toml scripts/setup
	scripts/setup dev
	@touch .venv/.ready

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

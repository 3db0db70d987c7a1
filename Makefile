# Everything runs in .venv, built from constraints.txt when it is missing or out of date.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test test-all lint types results bench clean help

help:
	@echo "make demo      simulate a little data, load or train a model, score it, write an MP4 and a film strip"
	@echo "make test      the default test suite (a few minutes on two cores)"
	@echo "make test-all  with the slow tests"
	@echo "make lint      ruff and pyright"
	@echo "make results   score shipped models again and compare with the README's figures"
	@echo "make bench     the benchmarks of benchmarks/"

$(READY): constraints.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test,lint,coding]'
	touch $(READY)

demo: $(READY)
	$(BIN)/pixelpush demo --out out/demo $(DEMO)

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 $(PYTEST)

test-all: $(READY)
	$(BIN)/pytest -m 'not gpu' $(PYTEST)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) types

# The rooms lie at the root and are imported as pixelpush.*; the type checker is shown that layout through links.
ROOMS := image vpn datasets training eval
types: $(READY)
	rm -rf build/typecheck && mkdir -p build/typecheck/pixelpush
	ln -s $(CURDIR)/pixelpush/* build/typecheck/pixelpush/
	for room in $(ROOMS); do ln -s $(CURDIR)/$$room build/typecheck/pixelpush/$$room; done
	$(BIN)/pyright --pythonpath $(BIN)/python --project pyproject.toml

results: $(READY)
	$(BIN)/python -m pixelpush.eval.results

bench: $(READY)
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf build out .pytest_cache .ruff_cache .hypothesis

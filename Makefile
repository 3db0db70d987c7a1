# Everything runs in .venv, built from constraints.txt when it is missing or out of date.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo drive test test-all lint types docs first-week wheel results images bench attack gpu-check ranges clean help

help:
	@echo "make demo      simulate a little data, load or train a model, score it, write an MP4 and a film strip"
	@echo "make drive     drive the predicted robot in a browser: a page of this machine, shipped weights"
	@echo "make test      the default test suite (a few minutes on two cores)"
	@echo "make test-all  with the slow tests"
	@echo "make lint      ruff and pyright"
	@echo "make docs      the site in build/site: strict, API pages from docstrings, the notebook run"
	@echo "make first-week  walk a newcomer's first week with the commands themselves (minutes)"
	@echo "make wheel     build the wheel, install it into a fresh environment, run the demo there"
	@echo "make results   score shipped models again and compare with the README's figures"
	@echo "make images    draw the pictures of docs/images.md from the shipped image models"
	@echo "make attack    100,000 damaged inputs and 1,000 kills (hours, resumable); totals in docs/attack.md"
	@echo "make gpu-check what a user with a GPU runs once: laws, speed, what differs from a CPU; one JSON"
	@echo "make ranges    install the lowest and the newest versions that are allowed, and try them (KEEP=torch)"
	@echo "make bench     speed and memory of video models, of the simulated bin and of several processes"

$(READY): constraints.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test,lint,coding,drive,env]'
	touch $(READY)

drive: $(READY)
	$(BIN)/pixelpush drive $(DRIVE)

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

# The packages lie at the root and are imported as pixelpush.*; the type checker is shown that layout
# in a copy. (Links to folders are not followed: it would check the files of pixelpush/ alone.)
PACKAGES := image vpn datasets training eval
types: $(READY)
	rm -rf build/typecheck && mkdir -p build/typecheck/pixelpush
	cp -R pixelpush/. build/typecheck/pixelpush/
	for package in $(PACKAGES); do cp -R $$package build/typecheck/pixelpush/; done
	cp -R experiments build/typecheck/
	$(BIN)/pyright --pythonpath $(BIN)/python --project pyproject.toml

# The site's own packages are not needed for anything else.
DOCS_READY := .venv/.docs
$(DOCS_READY): $(READY)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $(DOCS_READY)

docs: $(DOCS_READY)
	rm -rf build/layout && mkdir -p build/layout/pixelpush
	cp -R pixelpush/. build/layout/pixelpush/
	for package in $(PACKAGES); do cp -R $$package build/layout/pixelpush/; done
	$(BIN)/python docs/_site/notebook.py docs/notebooks/first_rollout.ipynb
	$(BIN)/mkdocs build --strict

first-week: $(READY)
	rm -rf build/first-week
	$(BIN)/python -m experiments.first_week --page build/first_week.md

wheel:
	PYTHON=$(PYTHON) .ci/wheel

results: $(READY)
	$(BIN)/python -m experiments.results

images: $(READY)
	$(BIN)/python -m experiments.images docs/gallery/images

# Resumable; the whole takes hours. A part of it: make attack ATTACK='--inputs 5000 --kills 50'
attack: $(READY)
	OMP_NUM_THREADS=1 nice -n 15 $(BIN)/python -m experiments.attack --page docs/attack.md $(ATTACK)

# On a machine with a GPU: laws, Table 4 with CUDA graphs, training rate, NCCL where there are two.
gpu-check: $(READY)
	$(BIN)/python -m experiments.gpu_check $(GPU_CHECK)

# Another environment, with the lowest versions that pyproject.toml allows and then the newest.
# KEEP=torch leaves torch at the version of constraints.txt: its others weigh gigabytes.
KEEP ?=
RANGES := out/ranges
ranges:
	rm -rf $(RANGES) && $(PYTHON) -m venv $(RANGES)
	$(PYTHON) -m experiments.lowest_versions --keep $(KEEP) > $(RANGES)/lowest.txt
	$(PYTHON) -m experiments.lowest_versions --keep $(KEEP) --only-kept > $(RANGES)/kept.txt
	$(RANGES)/bin/pip install --quiet --constraint $(RANGES)/lowest.txt '.[hdf5,zarr]'
	cd $(RANGES) && bin/python $(CURDIR)/experiments/smoke.py
	$(RANGES)/bin/pip install --quiet --constraint $(RANGES)/kept.txt --upgrade \
	  --upgrade-strategy eager '.[hdf5,zarr]'
	cd $(RANGES) && bin/python $(CURDIR)/experiments/smoke.py

BENCHMARKS := memory processes simulated_bin video acting_speed
bench: $(READY)
	for script in $(BENCHMARKS); do $(BIN)/python -m experiments.$$script || exit 1; done

clean:
	rm -rf build out .pytest_cache .ruff_cache .hypothesis

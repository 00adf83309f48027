# Two commands matter: `make report` and `make test`. Both need Python 3.11 or newer with pip, and
# make; everything else they fetch themselves, at the versions of requirements.lock, into .venv.

PYTHON ?= python3
AS_OF ?= 2026-06-30
BIN := .venv/bin
READY := .venv/ready

.DEFAULT_GOAL := help
.PHONY: help report lab test check format bench simulate hooks lock clean

help: ## what can be made (this list)
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: $(READY) ## the dated report on the sample company, into reports/ (AS_OF=2026-03-31 for another day)
	@$(BIN)/cxlib run --as-of $(AS_OF)

lab: $(READY) ## the notebooks, in JupyterLab
	@$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks

test: $(READY) ## every test; those with a browser are skipped, and say so, where there is no Chromium
	@$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadscope

check: $(READY) ## style, types, and notebooks without outputs
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/nbstripout --verify --extra-keys "metadata.papermill cell.metadata.papermill cell.metadata.execution" notebooks/*.ipynb

format: $(READY) ## put every file into the style that check asks for
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

bench: $(READY) ## how fast: the report, each measure beside SQL, life tables and Cox beside lifelines, the door beside DuckDB's reader, the sample company
	@$(BIN)/python tests/benchmarks/bench.py
	@$(BIN)/python tests/benchmarks/lives.py
	@$(BIN)/python tests/benchmarks/cox.py
	@$(BIN)/python tests/benchmarks/door.py
	@$(BIN)/python tests/benchmarks/generator.py

simulate: $(READY) ## how often the intervals hold, the verdicts err, and the sample's truth is found again: tests/benchmarks/*.md
	@$(BIN)/python tests/benchmarks/simulated.py > tests/benchmarks/coverage.md
	@$(BIN)/python tests/benchmarks/recovery.py > tests/benchmarks/recovery.md
	@$(BIN)/python tests/benchmarks/drivers.py > tests/benchmarks/drivers.md
	@$(BIN)/python tests/benchmarks/leaving.py > tests/benchmarks/leaving.md

hooks: $(READY) ## check what is committed, at every git commit
	@$(BIN)/pre-commit install

lock: ## write requirements.lock again, from the bounds of pyproject.toml
	@$(PYTHON) -m venv --clear build/lock
	@build/lock/bin/pip install --quiet uv
	@build/lock/bin/uv pip compile --quiet --upgrade pyproject.toml --extra dev --extra lab --generate-hashes \
		--universal --python-version 3.11 --fork-strategy fewest \
		--custom-compile-command "make lock" --output-file requirements.lock

clean: ## remove the environment and all caches; reports stay
	@rm -rf .venv build *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +

# The environment's own pip is one of the locked packages: an outer pip is all that is needed, so this
# also works where Python comes without ensurepip. pip compiles what it installs: many containers forbid
# Python to do so later, and then every kernel would pay. The project itself goes in last, as it stands here.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed; this is %d.%d. Name another: make PYTHON=python3.12" % sys.version_info[:2])'
	@echo "Installing what requirements.lock names into .venv; this takes a few minutes, once." >&2
	@$(PYTHON) -m venv --clear --without-pip .venv
	@$(PYTHON) -m pip --python $(BIN)/python install -qq --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(PYTHON) -m pip --python $(BIN)/python install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Two verbs matter: `make run` and `make test`. Both set up .venv first; they need python3 (3.11 to 3.13) and nothing else.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
READY  := $(VENV)/.ready
# Two test processes, each with engines of its own; a file's tests stay together, and the folders with long files come first
# (xdist would put files with few tests last). `make test WORKERS=` runs them in one.
WORKERS ?= -n 2 --dist loadfile --no-loadscope-reorder

help:
	@echo "make run   [ARGS=\"--light --rate 200\"]   start everything; Ctrl-C stops it"
	@echo "make test  [ARGS=\"tests/unit -k events\"] run the tests on real Kafka, PostgreSQL, Spark and dbt"
	@echo "make test-long                           the long tests, and 120 rounds of the fault harness"
	@echo "make soak  [ARGS=\"--hours 0.5\"]             hours at full load with kills: does anything grow? (2.5 hours)"
	@echo "make check                               lint, types, import contracts"
	@echo "make lock                                compile requirements.lock anew from pyproject.toml"
	@echo "make platforms                           ask the package index anew for which systems the lock has wheels"
	@echo "make pythons                             the unit tests and two short runs by each Python from 3.11 to 3.13 that is here"
	@echo "make docs                                write the generated docs anew"
	@echo "make site                                the docs as a site, into site/; its links are checked"
	@echo "make screenshots [URL=http://127.0.0.1:8100/ GRAFANA=http://127.0.0.1:3000/]   docs/screenshots anew, of a run of its own or that one"
	@echo "make first-minute                        docs/screenshots/first-minute.gif anew: a run begins"
	@echo "make clean                               remove .venv and caches; data folders stay (\`ecom_lite reset\`)"

$(VENV)/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check uv

$(READY): requirements.lock pyproject.toml $(VENV)/bin/uv
	$(VENV)/bin/uv pip sync --quiet --python $(PY) --require-hashes requirements.lock
	$(VENV)/bin/uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

install: $(READY)

# Ctrl-C and `ecom_lite stop` are how it ends: no failure, of which make would tell. (The trap keeps the shell until it has stopped.)
run: $(READY)
	@trap : INT; $(PY) -m ecom_lite run $(ARGS) || { code=$$?; [ $$code = 130 ] || [ $$code = 143 ] || exit $$code; }

# What the tests need beyond Python: the jars, and a Chromium for the browser tests (installed by apt where we are root).
prepare: $(READY)
	@$(PY) -m ecom_lite fetch
	@tests/install_chromium

test: prepare
	@$(PY) -m pytest $(WORKERS) $(ARGS)

test-long: prepare
	@$(PY) -m pytest $(WORKERS) -m long $(ARGS)
	@$(PY) -m ecom_lite.harness --rounds 60 --seed 2
	@$(PY) -m ecom_lite.harness --producer --rounds 40 --seed 2
	@$(PY) -m ecom_lite.harness --chain --rounds 20 --seed 2

soak: prepare
	@$(PY) -m ecom_lite.harness.soak --keep soak.jsonl --report soak.md $(ARGS)

check: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

lock: $(VENV)/bin/uv
	$(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  --group dev pyproject.toml --output-file requirements.lock

# After `make lock`: the table of `doctor --platforms`.
platforms: $(READY)
	$(PY) -m tests.unit.machine.platforms --ask

# Each in an environment of its own, .venv-3.x; or those that are named: make pythons PYTHONS="3.12 /opt/python3.13/bin/python3"
pythons: prepare
	@PYTHONS="$(PYTHONS)" tests/pythons

docs: $(READY)
	$(PY) -m ecom_lite.contract.schemas
	$(PY) -m tests.unit.contract.producers
	$(PY) -m tests.unit.reference
	$(PY) -m tests.unit.run.pages
	$(PY) -m tests.unit.machine.sbom
	$(PY) -m tests.unit.machine.platforms
	$(PY) -m ecom_lite.dashboards.docs
	$(PY) -m ecom_lite.dashboards.http_docs
	$(PY) -m ecom_lite.observe.metrics
	$(PY) -m ecom_lite.check.docs
	$(PY) -m ecom_lite.alerts.message
	$(PY) -m ecom_lite.alerts.grafana
	ECOM_LITE_WRITE_DOCS=1 $(PY) -m pytest -q tests/integration/test_tables_doc.py

site: $(READY)
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --quiet
	@echo "the site is in site/; to look at it: $(PY) -m http.server --bind 127.0.0.1 --directory site 8000"

# Of a run of their own, or with URL= of one that is up; the moving picture wants one that has just begun.
screenshots: $(READY)
	$(PY) -m tests.browser.screenshots $(URL) $(GRAFANA)

first-minute: $(READY)
	$(PY) -m tests.browser.screenshots $(URL) --minute

clean:
	rm -rf $(VENV) .venv-3.* .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info

.PHONY: help install run prepare test test-long soak check lock platforms pythons docs site screenshots first-minute clean

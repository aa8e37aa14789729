# Musubi. `make help` lists the targets; each does all of its own set-up from a bare machine.
PYTHON ?= python3
NODE ?= node
VENV := .venv
BIN := $(VENV)/bin
ENGINE := .engine
SETUP := requirements/setup.txt

.DEFAULT_GOAL := help
.PHONY: help setup lock licences sbom audit secrets lint types unit slow browser e2e test search fuzz simulate soak soak-files steady demo bench stored clean

help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: $(VENV)/.ready $(ENGINE)/.ready  ## the environment alone: .venv with the musubi command, .engine with the embedded engine

$(VENV)/.ready: requirements/dev.txt $(SETUP) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Musubi needs Python 3.11 or newer; this is $$($(PYTHON) --version 2>&1). Set PYTHON=… to another one." >&2; exit 2; }
	@$(NODE) -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { echo "Musubi needs Node 20 or newer (the CDK's synthesis runs on it); set NODE=… or install it." >&2; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(SETUP)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(ENGINE)/.ready: requirements/engine.txt $(VENV)/.ready
	$(PYTHON) -m venv --clear $(ENGINE)
	$(BIN)/uv pip install --quiet --python $(ENGINE)/bin/python --require-hashes -r requirements/engine.txt
	@touch $@

lock: $(VENV)/.ready  ## resolve requirements/*.in anew (versions and hashes, no addresses)
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header requirements/dev.in -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -c requirements/dev.txt requirements/functions.in -o requirements/functions.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -c requirements/dev.txt requirements/load.in -o requirements/load.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -c requirements/dev.txt requirements/measure.in -o requirements/measure.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header requirements/engine.in -o requirements/engine.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header requirements/setup.in -o $(SETUP)

licences: setup  ## docs/licences.md anew, from what the installed packages say
	$(BIN)/python -m ops.supply.licences --write

sbom: setup  ## what each Lambda bundle is made of, with licences → build/sbom.json (CycloneDX)
	$(BIN)/python -m ops.supply.bom

audit: setup  ## known vulnerabilities of every locked package; 3 where the advisory database cannot be reached
	$(BIN)/python -m ops.supply.advisories

secrets: setup  ## look at what looks like a secret, and take what is none into .secrets.baseline
	$(BIN)/python -m ops.supply.leaks --write
	git diff --stat -- .secrets.baseline

lint: setup  ## ruff, the import rules, and no secrets in the checkout
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m ops.supply.leaks

types: setup  ## mypy, strict
	$(BIN)/mypy

unit: setup  ## everything but the embedded engine
	$(BIN)/pytest -n 2 -q -m "not e2e and not slow"

slow: setup  ## a million rows of each form of file, and the memory that takes
	$(BIN)/pytest -n 0 -q -m slow

BROWSER := chromium chromium-driver fonts-noto-cjk

browser:  ## Chromium for the tests of pages, where this machine lets us install Debian's packages
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $(BROWSER); } >/dev/null \
			|| echo "Debian's packages ($(BROWSER)) could not be installed: the tests of pages in a browser are skipped." >&2; \
	else echo "No Chromium here: the tests of pages in a browser are skipped. Install $(BROWSER)." >&2; fi

ENGINES ?= 2
# Where the engine's tests are: to collect all others, only to leave them out, takes each worker ten seconds.
ENGINE_TESTS := tests/e2e tests/ops/local tests/ops/test_bench_sending.py

e2e: setup browser  ## ENGINES=n embedded engines side by side with the real bundle; a file's tests stay on one of them, in order
	$(BIN)/pytest -n $(ENGINES) --dist loadfile --no-loadscope-reorder -q -m e2e $(ENGINE_TESTS)

test: lint browser  ## everything, from a bare machine; the types are looked at beside the unit tests, on what processor these leave
	@mkdir -p build
	@$(MAKE) --no-print-directory types >build/types.txt 2>&1 & types=$$!; trap "kill $$types" INT TERM; \
	$(MAKE) --no-print-directory unit; unit=$$?; wait $$types; types=$$?; cat build/types.txt; test "$$unit $$types" = "0 0"
	@$(MAKE) --no-print-directory e2e

search: setup  ## let Hypothesis look for new counterexamples (make test tries the same ones each time)
	MUSUBI_HYPOTHESIS=search $(BIN)/pytest -n 2 -q -m "not e2e and not slow" tests/domain tests/flows tests/playbook tests/ops

REQUESTS ?= 10000

fuzz: setup  ## REQUESTS=n requests that nobody thought of to every HTTP function (docs/security.md) → build/fuzz.json
	$(BIN)/python -m tests.fuzz --requests $(REQUESTS)

SEEDS ?= 10000

simulate: setup  ## the fault simulator on all cores: SEEDS=n random worlds, every crash point, every mutant (docs/simulation.md); then how fast 700,000 messages go; then 1,000 A/A experiments a kind, looked at daily
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)
	$(BIN)/python -m tests.simulation.throughput
	$(BIN)/python -m tests.measure.aa

FROM ?= HEAD~1

upgrade: setup  ## the stack of an earlier commit (FROM=HEAD~1) updated, rolled back and updated again with messages under way → build/upgrade.json
	$(BIN)/python -m ops.upgrade --from $(FROM)

SENDS ?= 5000

soak: setup  ## the storm on the embedded engine: SENDS=n messages while LINE fails 40 % of calls and workers are killed → build/soak.json
	$(BIN)/python -m ops.soak --sends $(SENDS)

ROWS ?= 1000000

soak-files: setup  ## a file of ROWS=n rows loaded on the embedded engine while workers are killed → build/soak-loading.json
	$(BIN)/python -m ops.soak.loading --rows $(ROWS)

MINUTES ?= 30
RATE ?= 50

steady: setup  ## a shop's ordinary load on the embedded engine: MINUTES=n at RATE=n events a second, ending with flat memory, empty DLQs, closed accounts → build/steady.json, build/steady.html
	$(BIN)/python -m ops.soak.steady --minutes $(MINUTES) --events-per-second $(RATE)

demo: setup  ## the main job, end to end, on real purchase data
	$(BIN)/python -m ops.demo

stored: setup  ## record what this code stores as the fixtures of its format (docs/operations.md, Changing what is stored)
	$(BIN)/python -m tests.stored.record

bench: setup  ## benchmarks against their baselines in the same run → build/bench.json and a table; ONLY=cold for one part
	$(BIN)/python -m ops.bench $(if $(ONLY),--only $(ONLY))

clean:  ## take away what the other targets made
	rm -rf $(VENV) $(ENGINE) build cdk.out node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis

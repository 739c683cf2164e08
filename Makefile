# What a developer types. `make` alone lists it. Nothing here needs root, and nothing is
# installed outside this directory: see scripts/make-venv and scripts/fetch-etcd.

PYTHON ?= python3
VENV ?= .venv
CONFIG ?=
export PYTHON VENV

bin := $(VENV)/bin
lines := --all
trial := $(bin)/python -m twisted.trial
pip := $(bin)/python -m pip install -q --disable-pip-version-check

# Everything under tests/ but the integration tests, which start real processes.
units := $(patsubst tests/%/__init__.py,tests.%,$(filter-out \
	tests/integration/__init__.py,$(wildcard tests/*/__init__.py))) \
	$(patsubst tests/%.py,tests.%,$(wildcard tests/test_*.py))
# The few integration tests that `make test` runs too: one real process of a kind.
SMOKE ?= $(patsubst tests/integration/%.py,tests.integration.%,$(wildcard \
	tests/integration/test_smoke.py tests/integration/test_readme.py))
benchmarks := $(wildcard benchmarks/*.py)

.PHONY: help run test test-integration test-long peers fuzz check bench docs deb venv clean
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) \
		| awk -F'|' '{ printf "%-24s %s\n", $$1, $$2 }'

run: $(VENV)/.installed-run  ## a single node on loopback, data in ./data (CONFIG=file)
	@etcd=$$(scripts/fetch-etcd | tail -n 1) && test -n "$$etcd" \
	&& echo "run: etcdctl and etcd are in $$etcd; stop with Ctrl-C" >&2 \
	&& PATH="$$etcd:$$PATH" exec $(bin)/e2d run $(if $(CONFIG),-c "$(CONFIG)")

test: $(VENV)/.installed-test  ## unit tests, simulation, smoke tests (minutes)
	@$(with_etcd) $(trial) $(units) $(SMOKE)

test-integration: $(VENV)/.installed-test  ## tests with real etcds and sockets
	@$(with_etcd) $(trial) tests.integration

test-long: $(VENV)/.installed-test  ## every test, at its full length (an hour or more)
	@$(with_etcd) E2D_LONG=1 $(trial) tests
	@scripts/fuzz $(VENV)

fuzz: $(VENV)/.installed-test  ## look for what decoding cannot bear (RUNS=3000000)
	@scripts/fuzz $(VENV) $(RUNS)

# The tests use every line of etcd below build/etcd, and else the one on PATH. Those that
# have the time build one more, with Go.
test-integration test-long: lines := --build
with_etcd = etcd=$$(scripts/fetch-etcd $(lines) | tail -n 1) && test -n "$$etcd" \
	&& PATH="$$etcd:$$PATH"

# They also talk to real peers of the gossip ring. Where those can't be had their tests are
# skipped; in CI that is an error.
test-integration test-long bench: peers
peers:
	@scripts/build-gopeer || test -z "$$CI"
	@scripts/fetch-serf || test -z "$$CI"

python_files := $(wildcard e2d tests benchmarks twisted docs)
check: $(VENV)/.installed-check  ## style, types, layers, documentation
	$(bin)/ruff check $(python_files)
	$(bin)/ruff format --check $(python_files)
	$(bin)/mypy e2d twisted/plugins $(benchmarks) $(wildcard benchmarks/*/*.py)
	$(bin)/lint-imports --no-logo
	@$(MAKE) --no-print-directory docs
	$(bin)/towncrier build --draft --version next >/dev/null

docs: $(VENV)/.installed-check  ## build/docs and build/apidocs; warnings are errors
	$(bin)/python -m sphinx -W --keep-going -q -b html docs build/docs
	$(bin)/python -m pydoctor -q -W

bench: $(VENV)/.installed-test  ## each promise about speed, measured side by side
	@$(with_etcd) && export PATH && for script in $(benchmarks); do \
		echo "== $$script"; $(bin)/python $$script || exit 1; done

deb:  ## the Debian package, in build/deb
	@scripts/build-deb

venv: $(VENV)/.installed-run  ## the virtual environment alone

clean:  ## removes what was built; keeps ./data and what was downloaded
	rm -rf build/docs build/apidocs build/deb build/ci build/fuzz
	rm -rf build/lib build/bdist.* *.egg-info
	rm -rf _trial_temp* .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find $(python_files) -name __pycache__ -prune -exec rm -rf {} +
	find twisted -name dropin.cache -delete

# One stamp per set of packages, so that `make run` need not wait for linters.
$(VENV)/.installed-run: extras :=
$(VENV)/.installed-test: extras := [test]
$(VENV)/.installed-check: extras := [test,check]
$(VENV)/.installed-%: setup.cfg pyproject.toml scripts/make-venv
	@scripts/make-venv $(VENV)
	@echo "venv: installing e2d$(extras) into $(VENV)" >&2
	@$(pip) -e ".$(extras)"
	@touch $@

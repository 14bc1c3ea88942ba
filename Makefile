# Needs Python 3.11+ with venv, make and a network. `make` lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := -m pip --disable-pip-version-check --no-input
INSTALL := $(PIP) install --quiet --require-hashes --only-binary :all:
SDKS := $(basename $(notdir $(wildcard tests/sdks/*.txt)))

# A stamp is named after what it was made from, so that a checkout of other locks rebuilds and a repeated make does nothing.
sum = $(firstword $(shell cat $(1) | cksum))
RUN := .venv/.run-$(call sum,deploy/requirements.txt setup.cfg pyproject.toml)
DEV := .venv/.dev-$(call sum,deploy/requirements.txt tests/requirements.txt setup.cfg pyproject.toml)
sdk_stamp = .venv-sdks/$(1)/.made-$(call sum,tests/sdks/$(1).txt)

# Where the environment forbids it, each of the many processes of the tests would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

FUZZ := .venv-fuzz/.made-$(call sum,deploy/requirements.txt tests/requirements.txt tests/fuzz/requirements.txt)

.PHONY: help venv sdks run test lint lock bench soak truth fuzz monitoring sbom clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(DEV) ## build .venv with everything that runs and tests the gateway

sdks: $(foreach name,$(SDKS),$(call sdk_stamp,$(name))) ## build the client environments under .venv-sdks

run: $(RUN) ## serve on 127.0.0.1:8080; without a gateway.yaml from the simulated provider alone
	@exec $(BIN)/llm-gateway serve

test: venv sdks lint ## lint, type-check and test
	$(BIN)/python -m pytest

lint: venv
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy app tests bench monitoring deploy/sbom.py

lock: ## resolve the dependencies anew and pin them with their hashes
	python3 -m venv .venv-lock
	.venv-lock/bin/python $(PIP) install --quiet uv
	$(UV) setup.cfg deploy/build.in -o deploy/requirements.txt
	$(UV) setup.cfg deploy/build.in --all-extras -c deploy/requirements.txt -o deploy/extras.txt
	$(UV) tests/requirements.in -c deploy/extras.txt -o tests/requirements.txt
	$(UV) tests/fuzz/requirements.in -o tests/fuzz/requirements.txt
	for name in $(SDKS); do $(UV) tests/sdks/$$name.in -o tests/sdks/$$name.txt || exit; done
UV = .venv-lock/bin/uv pip compile --quiet --no-config --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-annotate --custom-compile-command 'make lock'

bench: $(DEV) ## measure the gateway against bench/bare.py; options: make bench ARGS="--quick --only plain"
	@$(BIN)/python -m bench $(ARGS)

soak: $(DEV) ## run all long programs of failures, half an hour; one: make soak-aborts (see tests/soak)
	@$(BIN)/python -m tests.soak

soak-hour: $(DEV) ## an hour with 5 % of every fault: nothing grows, slows down or goes uncounted
	@$(BIN)/python -m tests.soak hour $(ARGS)

soak-overload: $(DEV)
	@$(BIN)/python -m tests.soak.overload $(ARGS)

soak-%: $(DEV)
	@$(BIN)/python -m tests.soak $*

truth: $(DEV) ## hold every counter against what 10,000 clients saw while workers are killed, renewed and restarted
	@$(BIN)/python -m tests.metrics.truth $(ARGS)

fuzz: $(FUZZ) ## try what coverage leads to, by atheris: make fuzz ARGS="--seconds 3600"
	@.venv-fuzz/bin/python -m tests.fuzz.guided $(ARGS)

monitoring: $(DEV) ## write what is generated in monitoring/: dashboards, rules of objectives, Kubernetes objects
	@$(BIN)/python -m monitoring.source

sbom: $(RUN) ## write sbom.json: what the gateway is made of, with licences and hashes (CycloneDX)
	@$(BIN)/python deploy/sbom.py > sbom.json

clean: ## remove what the other targets made
	rm -rf .venv .venv-sdks .venv-fuzz .venv-lock .bench .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find app bench monitoring tests -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (on Debian: python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv .venv

$(RUN): .venv/bin/python
	$< $(INSTALL) --no-compile -r deploy/requirements.txt
	$< $(PIP) install --quiet --no-compile --no-deps --no-build-isolation -e .
	@rm -f .venv/.run-* && touch $@

$(DEV): $(RUN)
	$(BIN)/python $(INSTALL) --no-compile -r deploy/requirements.txt -r tests/requirements.txt
	@rm -f .venv/.dev-* && touch $@

$(FUZZ):
	@rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python $(INSTALL) --no-compile -r deploy/requirements.txt -r tests/requirements.txt -r tests/fuzz/requirements.txt
	@touch $@

# One rule a client environment: the name is in the stamp's path.
.venv-sdks/%:
	@rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python $(INSTALL) --no-compile -r tests/sdks/$(notdir $(@D)).txt
	@touch $@

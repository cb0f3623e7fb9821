# All commands start here: `make demo` shows the pipeline on a local cloud, `make check` runs the fast checks,
# `make test` runs all of them. Each first installs what it needs into .venv/, with pinned versions and hashes.

PYTHON ?= python3
DEV := .venv/dev/bin
SAM := .venv/sam/bin/sam
INSTALLER := .venv/installer/bin
# pip with the settings of this machine that say where packages are, and with no others.
PIP := $(INSTALLER)/python layers/shared/run_pip.py
PINNED := --no-deps --only-binary=:all: --require-hashes --requirement
export SAM_CLI_TELEMETRY := 0
# Settings of the shell for other Pythons: with the first, `python -m local` does not find this folder.
unexport PYTHONSAFEPATH PYTHONHOME PYTHONPATH PYTHONWARNINGS PYTHONOPTIMIZE
# Settings of uv that break an installation of pinned packages. Those that name mirrors stay.
unexport UV_CONSTRAINT UV_BUILD_CONSTRAINT UV_OVERRIDE UV_EXCLUDE UV_EXCLUDE_NEWER UV_NO_VERIFY_HASHES UV_PROJECT \
	UV_WORKING_DIR UV_WORKING_DIRECTORY
# Tests on the local cloud all run on one worker, which waits most of the time; the other tests run on any.
WORKERS = $(shell $(PYTHON) -c 'import os; print(os.cpu_count() + 1)')
PARALLEL = --numprocesses $(WORKERS) --dist loadgroup

# cfn-lint knows which resource types and properties each region has.
REGIONS := us-east-1 eu-central-1 ap-southeast-1

SECONDS := 300
SIZE ?= usual
ROWS ?= 10000000
UPLOADS ?= 1000
FILES ?= 20000
ANSWERS ?= 100000
SEED ?= 1

.PHONY: moved help install demo cloud simulator check test coverage lint types template unit integration oldest crash e2e laptops torture fuzz memory bench large burst outage plans format lock release clean

help: ## List the targets
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

install: .venv/command/.done .venv/cloud/.done .venv/sam/.done ## Install all tools into .venv/

.venv/installer/.done: requirements/installer.txt
	@echo "Installing the tools into .venv/: once, about a minute ..."
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else 0'
	@$(PYTHON) -m venv --clear .venv/installer
	@$(PIP) install --quiet --disable-pip-version-check $(PINNED) $<
	@cd ./.venv && pwd -P > place
	@touch $@

# Programs in .venv/ name its folder, so they are installed again after it was moved.
ifneq ($(shell cat .venv/place 2>/dev/null),)
ifneq ($(shell cat .venv/place),$(realpath .venv))
.venv/installer/.done: moved
endif
endif

# One environment for each, because the SAM CLI and the local cloud pin different versions of botocore.
# If uv does not find the packages, pip tries: it also reads mirrors that are configured for pip only.
.venv/%/.done: requirements/%.txt .venv/installer/.done
	@echo "Installing $* ..."
	@$(PYTHON) -m venv --clear --without-pip .venv/$*
	@$(INSTALLER)/uv pip install --quiet --python .venv/$* $(PINNED) $< || \
		$(PIP) --python .venv/$*/bin/python install --quiet --no-compile $(PINNED) $<
	@touch $@

# The command `numberdrop`, installed from this folder.
.venv/command/.done: pyproject.toml .venv/dev/.done
	@$(PIP) --python $(DEV)/python install --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation --editable .
	@mkdir -p .venv/command
	@touch $@

demo: ## Drop three sample files on a local cloud and show their results
	@$(MAKE) --silent --no-print-directory -j3 install
	@$(DEV)/python -m local.demo

cloud: ## Run numberdrop on a local cloud until Ctrl-C
	@$(MAKE) --silent --no-print-directory -j3 install
	@$(DEV)/python -m local

simulator: .venv/command/.done ## Run the simulated vendor alone until Ctrl-C
	@$(DEV)/python -m local.simulator

check: .venv/command/.done ## Run the fast checks: format, lint, types, fast unit tests
	@$(MAKE) --no-print-directory lint types
	@$(DEV)/python -m pytest $(PARALLEL) -m "not slow" tests/unit

test: ## Run every check: format, lint, types, template, all tests
	@$(MAKE) --silent --no-print-directory -j3 install .venv/scan/.done .venv/release/.done
	@$(MAKE) --no-print-directory -j3 lint types template
	@$(DEV)/python -m pytest $(PARALLEL)

coverage: .venv/command/.done ## Report which lines the unit and integration tests do not run
	@$(DEV)/python -m pytest $(PARALLEL) --cov --cov-report=term-missing:skip-covered tests/unit tests/integration

lint: .venv/command/.done ## Check formatting and style
	@$(DEV)/ruff format --check .
	@$(DEV)/ruff check .

types: .venv/command/.done ## Check types
	@$(DEV)/python -m mypy

# The expanded templates too: cfn-lint checks the actions of policies only there. W3002 reminds to package local
# files, which `sam deploy` does.
template: .venv/sam/.done .venv/scan/.done ## Check the templates
	@mkdir -p .aws-sam/events/schemas
	@cp events/schemas/registry.yaml .aws-sam/events/schemas/
	@.venv/sam/bin/python local/transform.py template.yaml > .aws-sam/cloudformation.yaml
	@.venv/sam/bin/python local/transform.py examples/consumer/template.yaml > .aws-sam/consumer.yaml
	@.venv/sam/bin/cfn-lint --regions $(REGIONS) --ignore-checks W3002 -- template.yaml events/schemas/registry.yaml \
		examples/*/*.yaml \
		.aws-sam/cloudformation.yaml .aws-sam/consumer.yaml
	@.venv/scan/bin/checkov --config-file .checkov.yaml --file .aws-sam/cloudformation.yaml

unit: .venv/command/.done ## Run the unit tests: no network, no AWS
	@$(DEV)/python -m pytest $(PARALLEL) tests/unit

integration: .venv/command/.done ## Run the tests against moto and the simulated vendor
	@$(DEV)/python -m pytest $(PARALLEL) tests/integration

# Python looks there first, so these versions of boto3 and botocore hide those of .venv/dev.
oldest: .venv/command/.done .venv/oldest/.done ## Run unit and integration tests with the oldest boto3 that is supported
	@PYTHONPATH=$$(echo .venv/oldest/lib/python3*/site-packages) NUMBERDROP_OLDEST=1 \
		$(DEV)/python -m pytest $(PARALLEL) tests/unit tests/integration

crash: .venv/command/.done ## Run the tests that crash the pipeline at every side effect
	@$(DEV)/python -m pytest $(PARALLEL) tests/crash

e2e: ## Run the tests on the local cloud
	@$(MAKE) --silent --no-print-directory -j3 install .venv/scan/.done .venv/release/.done
	@$(DEV)/python -m pytest tests/e2e

laptops: ## Run the demo in odd environments, such as paths with spaces; ROW="word" runs some
	@$(MAKE) --silent --no-print-directory -j3 install
	@$(DEV)/python -m tests.odd_environments $(if $(ROW),"$(ROW)")

torture: .venv/command/.done ## Try every single fault, and faults from new seeds for SECONDS
	@NUMBERDROP_TORTURE_SECONDS=$(SECONDS) $(DEV)/python -m pytest $(PARALLEL) \
		tests/crash/test_every_single_fault.py tests/crash/test_seeded_faults.py

fuzz: .venv/command/.done ## Join FILES random exports with their uploads, from SEED on, and compare with a naive join
	@NUMBERDROP_FUZZ_FILES=$(FILES) NUMBERDROP_FUZZ_SEED=$(SEED) $(DEV)/python -m pytest $(PARALLEL) tests/unit/test_results_fuzz.py

memory: .venv/command/.done ## Compare the verdict memory with a dict: ANSWERS of random lives, from SEED on
	@NUMBERDROP_MEMORY_ANSWERS=$(ANSWERS) NUMBERDROP_MEMORY_SEED=$(SEED) $(DEV)/python -m pytest tests/unit/test_memory_properties.py -s

bench: .venv/bench/.done .venv/command/.done .venv/sam/.done ## Compare with other implementations; SIZE=full for large files
	@SIZE=$(SIZE) PYTHONPATH=layers/shared:. .venv/bench/bin/python -m benchmarks $(SUBJECT)

large: ## Send one upload of ROWS lines through a local cloud; show time and memory
	@$(MAKE) --silent --no-print-directory -j3 install
	@$(DEV)/python -m benchmarks.large_upload --rows $(ROWS)

burst: ## Drop UPLOADS uploads at once on a local cloud; show how they end
	@$(MAKE) --silent --no-print-directory -j3 install
	@$(DEV)/python -m benchmarks.burst --uploads $(UPLOADS)

plans: .venv/command/.done ## Make the tables of numbering plans from the pinned libphonenumber
	@$(DEV)/python -m local.numbering_plans

outage: ## Drop UPLOADS uploads on a local cloud while the vendor is down; show how they end
	@$(MAKE) --silent --no-print-directory -j3 install
	@$(DEV)/python -m benchmarks.outage --uploads $(UPLOADS)

format: .venv/command/.done ## Format the code and fix what ruff can fix
	@$(DEV)/ruff format .
	@$(DEV)/ruff check --fix .

lock: .venv/installer/.done ## Pin the newest versions of all requirements
	for set in layers/shared/requirements requirements/installer requirements/cloud requirements/sam \
		requirements/scan requirements/bench requirements/release requirements/dev requirements/oldest; do \
		$(INSTALLER)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
			--no-header --no-emit-index-url --output-file $$set.txt $$set.in; done

release: .venv/command/.done .venv/sam/.done .venv/release/.done ## Build the release into dist/; TAG= checks a tag, BUCKET= uploads it
	@$(DEV)/python -m local.release $(if $(TAG),--tag "$(TAG)") $(if $(BUCKET),--bucket "$(BUCKET)")

clean: ## Remove everything that make and sam created
	rm -rf .venv .aws-sam dist .hypothesis .mypy_cache .pytest_cache .ruff_cache

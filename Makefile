# `make demo` and `make test` each work as the first command on a fresh clone: Python >= 3.11, make, git.
PYTHON ?= python3
VENV ?= .venv
PYTHONS := $(filter-out $(TESTED),3.11 3.12 3.13 3.14)
UV := .uv/bin/uv
RUN := $(VENV)/bin
EXPORT := $(UV) export --quiet --locked --no-default-groups --no-emit-project
LOCALSTACK := .venv-localstack/bin/localstack-ready
BENCH := .venv-bench/bin/bench-ready
export UV_PYTHON_DOWNLOADS = never
export UV_LINK_MODE = copy
export UV_PROJECT_ENVIRONMENT = $(VENV)
export SAMPLES
# The tests start hundreds of commands, and each would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

# A stamp is out of date if another Python made it than the one that is asked for.
OTHER_PYTHON := $(if $(filter $(PYTHON),$(shell cat $(VENV)/made-by 2>/dev/null)),,other-python)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo serve check format test system exhaustive unit integration quick pythons bench chaos fuzz mutants contract lock clean other-python

help: ## Show these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

demo: $(VENV)/demo-ready ## Process one recording with the service and an embedded AWS, on this machine alone
	$(RUN)/transcripts demo

serve: $(VENV)/demo-ready ## Start the HTTP service on http://127.0.0.1:8000
	$(RUN)/transcripts serve

check: $(VENV)/ready ## Check format, lint, types and import rule
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports

format: $(VENV)/ready ## Format and fix what can be fixed
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

test: $(VENV)/ready $(LOCALSTACK) ## Run the unit and integration tests, with a real LocalStack, in some eight minutes on two cores
	$(RUN)/pytest tests/unit tests/integration -n 4 --dist worksteal --durations=25 -m "not exhaustive"

system: $(VENV)/ready $(LOCALSTACK) ## Run the tests of the whole system: killed servers, brokers, browsers, installations; some five minutes
	$(RUN)/pytest tests/system -n 4 --dist worksteal --durations=25 -m "not exhaustive"

exhaustive: $(VENV)/ready $(LOCALSTACK) ## Run the cases that `make test` and `make system` leave out, before a release
	$(RUN)/pytest -n 4 --dist worksteal --durations=25 -m exhaustive

unit: $(VENV)/ready ## Run the fast tests of core and adapters, in under a minute: no processes, speech or slow suites
	$(RUN)/pytest tests/unit/domain tests/unit/adapters -n 3 --dist worksteal -m "not process and not speech and not slow and not exhaustive"

quick: $(VENV)/ready ## Run the unit tests without the slow suites; they start PostgreSQL, workers and commands
	$(RUN)/pytest tests/unit -n 3 --dist worksteal -m "not slow and not exhaustive"

integration: $(VENV)/ready $(LOCALSTACK) ## Run the tests against LocalStack
	$(RUN)/pytest tests/integration

bench: $(VENV)/ready $(BENCH) ## Measure, and update benchmarks/RESULTS.md; ONLY=name for one, SAMPLES=folder for own recordings
	$(RUN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

chaos: $(VENV)/ready ## Kill and break one publish cycle at every point, and servers at random; needs strace; ROUNDS=100, TRANSPORT=webhook
	$(if $(TRANSPORT),,$(RUN)/python -m chaos.first_contact --rounds $(or $(ROUNDS),100))
	$(RUN)/python -m chaos.chaos --rounds $(or $(ROUNDS),100) $(if $(TRANSPORT),--transport $(TRANSPORT)) $(if $(POINTS),--points $(POINTS))
	$(if $(TRANSPORT),,$(RUN)/python -m chaos.jobs --rounds $(or $(ROUNDS),40))
	$(if $(TRANSPORT),,$(RUN)/python -m chaos.takeovers)

fuzz: $(VENV)/ready ## Decode recordings of every format with mutated headers; CASES=20000 of each, ONLY=name
	$(RUN)/python -m chaos.fuzz --cases $(or $(CASES),20000) $(if $(ONLY),--only $(ONLY))

mutants: $(VENV)/ready ## Break the code on purpose; each break must turn a test red
	$(RUN)/python -m chaos.mutants

contract: $(VENV)/ready ## Write docs/events from the models
	EVENT_SOURCE=com.yourapp.transcription QUEUE_NAME=meeting-transcripts-queue DLQ_NAME=meeting-transcripts-dlq \
		FAILED_QUEUE_NAME=meeting-failures-queue FAILED_DLQ_NAME=meeting-failures-dlq \
		ERASED_QUEUE_NAME=meeting-erasures-queue ERASED_DLQ_NAME=meeting-erasures-dlq \
		$(RUN)/transcripts schema --output docs/events

pythons: $(PYTHONS:%=python-%) ## Run the demo and the quick tests on each supported Python of this machine; TESTED=3.11 leaves one out

python-%:
	@python=$$(for each in python$* ~/.pyenv/versions/$*.*/bin/python3; do \
		$$each -c '' 2>/dev/null && echo $$each && break; done); \
	if [ -z "$$python" ]; then echo "Python $*: not on this machine, not tested"; \
	else $(MAKE) --no-print-directory demo quick PYTHON=$$python VENV=.venv-$*; fi

lock: $(UV) ## Update uv.lock, requirements.txt and the locks of LocalStack and aiobotocore
	$(UV) lock --upgrade
	$(MAKE) requirements.txt requirements-demo.txt
	rm -f requirements-cuda.txt && $(MAKE) requirements-cuda.txt
	$(UV) pip compile --quiet --python-version 3.11 --universal --generate-hashes \
		--exclude-newer 2025-12-10 --output-file tests/integration/localstack.requirements.txt \
		tests/integration/localstack.requirements.in
	$(UV) pip compile --quiet --python-version 3.11 --universal --generate-hashes \
		--output-file benchmarks/aiobotocore.requirements.txt benchmarks/aiobotocore.requirements.in

requirements.txt: uv.lock $(UV)
	$(EXPORT) --extra server --extra speech --extra openai --extra celery --extra auth --extra otel --output-file $@

requirements-cuda.txt: requirements-cuda.in $(UV)
	$(UV) pip compile --quiet --python-version 3.13 --generate-hashes --only-binary :all: --output-file $@ $<

requirements-demo.txt: uv.lock $(UV)
	$(EXPORT) --extra demo --output-file $@

clean: ## Remove the files that these targets made
	rm -rf .venv .venv-* .uv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Requirements of the installation; each missing one is reported in one line.
define REQUIRED
import sys
if not (3, 11) <= sys.version_info[:2] <= (3, 14):
    sys.exit(f"$(PYTHON) is Python {sys.version.split()[0]}; 3.11 to 3.14 is needed: make demo PYTHON=python3.12")
try:
    import ensurepip, venv
except ImportError:
    sys.exit("$(PYTHON) cannot make virtual environments: apt install python3-venv (Debian, Ubuntu), then try again.")
endef
export REQUIRED

$(UV): requirements.uv.txt
	@$(PYTHON) -c "$$REQUIRED"
	@echo "Installing uv into .uv (20 MB, once)"
	@$(PYTHON) -m venv .uv
	@.uv/bin/pip install --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.uv.txt
	@touch $@

# Wheels only, so that no compiler is needed. Two steps, because `--no-build` forbids building this project, too.
$(VENV)/demo-ready: pyproject.toml uv.lock $(UV) $(OTHER_PYTHON)
	@echo "Installing the packages of the demo and the service into $(VENV) (260 MB, once)"
	@$(UV) sync --locked --inexact --python $(PYTHON) --no-default-groups --extra demo --no-build --no-install-project
	@$(UV) sync --locked --inexact --python $(PYTHON) --no-default-groups --extra demo
	@echo $(PYTHON) > $(VENV)/made-by
	@touch $@

# localstack-client is the one library without a wheel; it is pure Python. Compiled once, because each of the
# processes that run tests would compile the libraries for itself.
$(VENV)/ready: pyproject.toml uv.lock $(UV) $(OTHER_PYTHON)
	@echo "Installing the packages of the tests and checks into $(VENV) (250 MB, once)"
	@$(UV) sync --locked --inexact --python $(PYTHON) --no-build --no-install-project --no-install-package localstack-client
	@$(UV) sync --locked --compile-bytecode --python $(PYTHON)
	@echo $(PYTHON) > $(VENV)/made-by
	@touch $(VENV)/demo-ready $@

$(LOCALSTACK): tests/integration/localstack.requirements.txt $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) .venv-localstack
	$(UV) pip install --quiet --python .venv-localstack --require-hashes -r tests/integration/localstack.requirements.txt
	@touch $@

$(BENCH): benchmarks/aiobotocore.requirements.txt $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) .venv-bench
	$(UV) pip install --quiet --python .venv-bench --require-hashes -r benchmarks/aiobotocore.requirements.txt
	@touch $@

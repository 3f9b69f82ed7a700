# `make demo` and `make test` each work as the first command on a fresh clone: Python >= 3.11, make, git.
PYTHON ?= python3
UV := .uv/bin/uv
RUN := .venv/bin
LOCALSTACK := .venv-localstack/bin/localstack-ready
BENCH := .venv-bench/bin/bench-ready
export UV_PYTHON_DOWNLOADS = never
export UV_LINK_MODE = copy
export SAMPLES

.DEFAULT_GOAL := help
.PHONY: help demo serve check format test unit integration bench chaos mutants contract lock clean

help: ## Show the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

demo: .venv/ready ## A recording in, an event out, on this machine alone
	$(RUN)/transcripts demo

serve: .venv/ready ## The HTTP service on http://127.0.0.1:8000
	$(RUN)/transcripts serve

check: .venv/ready ## Format, lint, types, import rule
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports

format: .venv/ready ## Format and fix what can be fixed
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

test: .venv/ready $(LOCALSTACK) ## Every test, with a real LocalStack
	$(RUN)/pytest -n 2

unit: .venv/ready ## The tests that need nothing but this process
	$(RUN)/pytest tests/unit

integration: .venv/ready $(LOCALSTACK) ## The tests against LocalStack
	$(RUN)/pytest tests/integration

bench: .venv/ready $(BENCH) ## The figures of benchmarks/; ONLY=name for one, SAMPLES=folder for own recordings
	$(RUN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

chaos: .venv/ready ## Kill and break one publish cycle at every point, and servers at random; needs strace; ROUNDS=100
	$(RUN)/python -m chaos.chaos --rounds $(or $(ROUNDS),100)

mutants: .venv/ready ## Break the code on purpose; each break must turn a test red
	$(RUN)/python -m chaos.mutants

contract: .venv/ready ## Write docs/events anew from the models
	EVENT_SOURCE=com.yourapp.transcription QUEUE_NAME=meeting-transcripts-queue DLQ_NAME=meeting-transcripts-dlq \
		$(RUN)/transcripts schema --output docs/events

lock: $(UV) ## Renew uv.lock, requirements.txt and the locks of what runs apart
	$(UV) lock --upgrade
	$(UV) export --quiet --no-dev --no-emit-project --output-file requirements.txt
	$(UV) pip compile --quiet --python-version 3.11 --universal --generate-hashes \
		--exclude-newer 2025-12-10 --output-file tests/integration/localstack.requirements.txt \
		tests/integration/localstack.requirements.in
	$(UV) pip compile --quiet --python-version 3.11 --universal --generate-hashes \
		--output-file benchmarks/aiobotocore.requirements.txt benchmarks/aiobotocore.requirements.in

clean: ## Remove what these targets made
	rm -rf .venv .venv-localstack .venv-bench .uv var build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(UV): requirements.uv.txt
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.uv.txt
	@touch $@

.venv/ready: pyproject.toml uv.lock $(UV)
	$(UV) sync --quiet --locked --python $(PYTHON)
	@touch $@

$(LOCALSTACK): tests/integration/localstack.requirements.txt $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) .venv-localstack
	$(UV) pip install --quiet --python .venv-localstack --require-hashes -r tests/integration/localstack.requirements.txt
	@touch $@

$(BENCH): benchmarks/aiobotocore.requirements.txt $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) .venv-bench
	$(UV) pip install --quiet --python .venv-bench --require-hashes -r benchmarks/aiobotocore.requirements.txt
	@touch $@

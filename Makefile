# `make demo` and `make test` each work as the first command on a fresh clone: Python >= 3.11, make, git.
PYTHON ?= python3
UV := .uv/bin/uv
RUN := .venv/bin
LOCALSTACK := .venv-localstack/bin/localstack-ready
export UV_PYTHON_DOWNLOADS = never
export UV_LINK_MODE = copy

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

bench: .venv/ready $(LOCALSTACK) ## The figures of benchmarks/; SAMPLES=folder for recordings of your own
	$(RUN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))
	$(RUN)/python -m benchmarks.responsiveness
	$(RUN)/python -m benchmarks.service_overhead
	$(RUN)/python -m benchmarks.upload_memory
	$(RUN)/python -m benchmarks.word_error_rate $(SAMPLES)
	$(RUN)/python -m benchmarks.outbox

chaos: .venv/ready ## Kill and break one publish cycle at every point, and servers at random; needs strace; ROUNDS=100
	$(RUN)/python -m chaos.chaos --rounds $(or $(ROUNDS),100)

mutants: .venv/ready ## Break the code on purpose; each break must turn a test red
	$(RUN)/python -m chaos.mutants

contract: .venv/ready ## Write docs/events anew from the models
	EVENT_SOURCE=com.yourapp.transcription QUEUE_NAME=meeting-transcripts-queue DLQ_NAME=meeting-transcripts-dlq \
		$(RUN)/transcripts schema --output docs/events

lock: $(UV) ## Renew uv.lock, requirements.txt and LocalStack's lock
	$(UV) lock --upgrade
	$(UV) export --quiet --no-dev --no-emit-project --output-file requirements.txt
	$(UV) pip compile --quiet --python-version 3.11 --universal --generate-hashes \
		--exclude-newer 2025-12-10 --output-file tests/integration/localstack.requirements.txt \
		tests/integration/localstack.requirements.in

clean: ## Remove what these targets made
	rm -rf .venv .venv-localstack .uv var build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

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

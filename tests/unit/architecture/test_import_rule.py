"""Import rule, twice: a linter with a list of forbidden imports, and a list here of allowed ones.

A list of forbidden imports misses a vendor that it does not know.
"""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.harness.cases import typical_first

ROOT = Path(__file__).parents[3]
OURS = {"domain", "ports", "adapters", "bootstrap", "entrypoints"}

ALLOWED: dict[str, set[str]] = {
    "domain/model": {"domain.model", "pydantic", "pydantic_core"},
    "ports": {"domain.model", "ports"},
    "domain/services": {"domain.model", "domain.services", "ports", "pydantic"},
    "adapters/in_memory": {"domain.model", "ports", "adapters.in_memory"},
    "adapters/noop.py": {"domain.model", "ports"},
    "adapters/flac.py": {"domain.model", "av", "numpy"},
    "adapters/fair_queue.py": {"domain.model"},
    "adapters/downloads.py": {"domain.model"},
    "adapters/scratch.py": {"domain.model"},
    "adapters/openai": {"domain.model", "ports", "adapters.openai", "adapters.fair_queue", "adapters.flac",
                        "httpx2", "openai", "pydantic"},
    "adapters/brokers": {"domain.model", "ports", "adapters.brokers"},
    "adapters/kafka": {"domain.model", "ports", "adapters.brokers", "adapters.kafka", "confluent_kafka"},
    "adapters/nats": {"domain.model", "ports", "adapters.brokers", "adapters.nats", "nats"},
    "adapters/rabbitmq": {"domain.model", "ports", "adapters.brokers", "adapters.rabbitmq", "pika"},
    "adapters/celery": {"domain.model", "ports", "adapters.celery", "celery", "kombu"},
    "adapters/aws": {"domain.model", "domain.services.resilience", "domain.services.transcription", "ports",
                     "adapters.aws", "adapters.downloads", "adapters.flac", "adapters.scratch",
                     "boto3.s3.transfer", "botocore", "pydantic", "pydantic_core", "types_boto3_cloudwatch",
                     "types_boto3_events", "types_boto3_kms", "types_boto3_s3", "types_boto3_sns",
                     "types_boto3_sqs", "types_boto3_sts", "types_boto3_transcribe"},
    "adapters/speech": {"domain.model", "ports", "adapters.speech", "adapters.fair_queue",
                        "adapters.scratch", "av",
                        "ctranslate2", "faster_whisper", "huggingface_hub", "numpy", "onnxruntime",
                        "pydantic"},
    "adapters/web": {"domain.model", "ports", "adapters.downloads", "adapters.web"},
    "adapters/sql": {"domain.model", "ports", "adapters.sql", "alembic", "psycopg", "pydantic", "pysqlite3",
                     "sqlalchemy"},
    "adapters/files": {"domain.model", "ports", "adapters.files"},
    "adapters/cleaning": {"domain.model", "ports", "adapters.cleaning"},
    "adapters/redaction": {"domain.model", "ports", "adapters.redaction", "presidio_analyzer", "spacy"},
    "adapters/auth": {"domain.model", "domain.services.resilience", "ports", "adapters.auth", "jwt",
                      "urllib3"},
    "adapters/handlers": {"domain.model", "ports", "adapters.handlers", "pyarrow"},
    "adapters/telemetry": {"domain.model", "domain.services.consuming", "domain.services.jobs",
                           "domain.services.relay", "ports", "adapters.telemetry", "opentelemetry",
                           "prometheus_client", "requests"},
    "bootstrap": {"domain", "ports", "adapters", "bootstrap", "boto3", "botocore", "dependency_injector",
                  "moto", "ctranslate2", "pydantic", "pydantic_core", "structlog", "types_boto3_cloudwatch",
                  "types_boto3_events", "types_boto3_kms", "types_boto3_s3", "types_boto3_sns",
                  "types_boto3_sqs", "types_boto3_sts", "types_boto3_transcribe"},
    "entrypoints/api": {"domain", "ports", "bootstrap", "entrypoints.api", "entrypoints.console",
                        "entrypoints.static_files", "fastapi", "h11", "pydantic", "pydantic_core",
                        "starlette", "structlog", "uvicorn"},
    "entrypoints/console": {"entrypoints.console", "entrypoints.static_files", "fastapi", "starlette"},
    "entrypoints/static_files.py": {"starlette"},
    "entrypoints/worker": {"domain", "bootstrap", "entrypoints.worker", "entrypoints.cli.runtime",
                           "entrypoints.cli.views", "celery"},
    "entrypoints/cli": {"domain", "ports", "bootstrap", "entrypoints", "click", "dotenv", "fastapi", "h11",
                        "jsonschema", "pydantic", "rich", "structlog", "urllib3", "uvicorn"},
}  # fmt: skip


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add(node.module or "")
    return names


def is_allowed(name: str, allowed: set[str]) -> bool:
    if name.split(".", maxsplit=1)[0] in sys.stdlib_module_names:
        return True
    return any(name == entry or name.startswith(entry + ".") for entry in allowed)


def files_of(place: str) -> list[Path]:
    path = ROOT / place
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


@pytest.mark.parametrize("place", ALLOWED)
def test_a_folder_imports_only_what_it_may(place: str) -> None:
    files = files_of(place)
    strangers = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in imported(path)
        if not is_allowed(name, ALLOWED[place])
    }

    assert any(imported(path) for path in files), "a rule over nothing holds nothing"
    assert strangers == set()


def test_every_file_of_ours_is_under_a_rule() -> None:
    ruled = {path for place in ALLOWED for path in files_of(place)}
    everything = {path for package in OURS for path in (ROOT / package).rglob("*.py")}

    unruled = {path.relative_to(ROOT).as_posix() for path in everything - ruled if path.name != "__init__.py"}

    assert unruled == set()


VIOLATIONS = [
    ("domain/model/intruder.py", "import ports.event_port", "Layers"),
    ("domain/services/intruder.py", "import boto3", "AWS's SDK stays"),
    ("adapters/speech/intruder.py", "import adapters.aws.eventbridge.publisher", "Adapter families"),
    ("bootstrap/intruder.py", "import openai", "OpenAI's SDK stays"),
    ("bootstrap/celery_intruder.py", "import celery", "Celery stays"),
    ("bootstrap/token_intruder.py", "import jwt", "PyJWT stays"),
    ("bootstrap/spacy_intruder.py", "import spacy", "Presidio and spaCy stay"),
    ("bootstrap/broker_intruder.py", "import nats", "Clients of brokers stay"),
    ("adapters/kafka/intruder.py", "import adapters.nats.broker", "Adapter families"),
    ("adapters/sql/intruder.py", "import prometheus_client", "Prometheus and OpenTelemetry stay"),
    ("entrypoints/api/intruder.py", "import adapters.noop", "Doors do not know adapters"),
    ("adapters/noop_intruder.py", "import dependency_injector", "The container's library"),
    ("ports/intruder.py", "import pydantic, fastapi", "The core is free of frameworks"),
    ("adapters/speech/engines/engine.py", "import adapters.speech.engines.loading", "No circles"),
    ("domain/model/events/intruder.py", "import domain.model.route.route", "Rooms of domain.model"),
    (
        "domain/services/resilience/intruder.py",
        "import domain.services.claim_check",
        "Rooms of domain.services",
    ),
    (
        "domain/services/relay/intruder.py",
        "import domain.services.claim_check",
        "Use cases know each other",
    ),
    ("adapters/aws/sqs/intruder.py", "import adapters.aws.route.definition", "Rooms of adapters.aws"),
    ("adapters/sql/engines/intruder.py", "import adapters.sql.database", "Rooms of adapters.sql"),
    (
        "adapters/speech/decoding/intruder.py",
        "import adapters.speech.engines.engine",
        "Rooms of adapters.speech",
    ),
    ("bootstrap/aws/intruder.py", "import bootstrap.container", "Rooms of bootstrap"),
    (
        "entrypoints/cli/views/intruder.py",
        "import entrypoints.cli.commands.serve",
        "Rooms of entrypoints.cli",
    ),
    ("domain/services/unlisted.py", "", "Rooms of domain.services"),
]
TYPICAL = VIOLATIONS[:3]


@pytest.mark.process
@pytest.mark.parametrize(("place", "violation", "contract"), typical_first(VIOLATIONS, typical=TYPICAL))
def test_the_linter_bites(tmp_path: Path, place: str, violation: str, contract: str) -> None:
    for package in OURS:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / place).open("a", encoding="utf-8") as file:
        file.write(f"{violation}\n")

    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [linter, "--no-cache"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1, result.stdout + result.stderr
    assert [line for line in result.stdout.splitlines() if contract in line and "BROKEN" in line]

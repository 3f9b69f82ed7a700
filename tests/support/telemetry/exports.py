"""Exporters of spans that end with a test, as they otherwise do with the process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch


@contextmanager
def ended_exports() -> Iterator[None]:
    """End the exporters that are started in this context; else they go on to send in later tests."""
    exports: list[Callable[[], None]] = []
    with patch("adapters.telemetry.otel.export.atexit", SimpleNamespace(register=exports.append)):
        yield
    for finish in exports:
        finish()

"""The library of the container, imported without the web frameworks that it looks for.

Its wiring, which this project does not use, imports FastAPI, Starlette and Werkzeug wherever they are
installed: a sixth of the start of each command.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_LOOKED_FOR = ("fastapi.params", "starlette.requests", "werkzeug.local")


@contextmanager
def _hidden(*modules: str) -> Iterator[None]:
    """Make modules that are not loaded yet look as if they were not installed."""
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: the import fails
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _hidden(*_LOOKED_FOR):
    from dependency_injector import providers
    from dependency_injector.containers import DeclarativeContainer

__all__ = ["DeclarativeContainer", "providers"]

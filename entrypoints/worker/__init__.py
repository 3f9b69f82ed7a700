"""Application of Celery, for `celery -A entrypoints.worker worker` and for Flower.

The settings are read when Celery asks for `app`, not at the import.
"""

from functools import lru_cache

from entrypoints.worker.program import celery_app


@lru_cache
def _app() -> object:
    return celery_app()


def __getattr__(name: str) -> object:
    if name == "app":
        return _app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

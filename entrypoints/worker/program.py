"""Application of Celery from the environment and the file `.env` of the current folder."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.extras import require
from domain.model.errors import ConfigurationError
from entrypoints.cli.runtime.configuration import configure
from entrypoints.cli.runtime.environment_file import forget_blank_aws_variables, load_environment_file
from entrypoints.cli.runtime.garbage_collection import collect_rarely
from entrypoints.cli.views.output import EXIT_USAGE

if TYPE_CHECKING:
    from celery import Celery


def celery_app() -> "Celery":
    """Build the application; a wrong configuration ends the process with exit code 2 and one line."""
    try:
        return _celery_app()
    except ConfigurationError as error:
        sys.stderr.write(f"Error: {error}\n")
        raise SystemExit(EXIT_USAGE) from error


def _celery_app() -> "Celery":
    collect_rarely()
    load_environment_file(Path(".env"))
    forget_blank_aws_variables()
    settings = configure(default_log_level="INFO")
    require("celery", "celery -A entrypoints.worker")
    from bootstrap.runtime.celery_worker import celery_worker  # noqa: PLC0415 - an extra, and slow to import
    from bootstrap.runtime.workers import default_places  # noqa: PLC0415 - same

    worker = celery_worker(settings, (settings.job_queue,), default_places(settings))
    return worker.app

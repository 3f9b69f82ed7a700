"""SQLite databases that are ready for use: copies of one file, because migrations take a test's time."""

import os
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from adapters.sql.database import Database
from adapters.sql.engines.sqlite import sqlite_engine
from adapters.sql.schema.upgrade import upgrade_schema
from tests.integration.localstack import SHARED_FOLDER


@cache
def migrated_file() -> Path:
    """Migrate a file, once in a process; the folder of the test run holds it."""
    path = Path(mkdtemp(prefix="migrated-", dir=Path(os.environ[SHARED_FOLDER]))) / "migrated.db"
    database = Database(sqlite_engine(path))
    upgrade_schema(database)
    database.close()
    return path


def copy_migrated(path: Path) -> None:
    """Put a migrated database where there is none yet."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(migrated_file(), path)

"""Output that is a complete file or none."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def whole_file(name: str) -> Iterator[TextIO]:
    """Open a file, private to its owner, that gets its name once it is complete; stdout for `-`."""
    if name == "-":
        yield sys.stdout
        return
    partial = Path(f"{name}.partial")
    try:
        partial.touch(mode=0o600)
        with partial.open("w", encoding="ascii") as file:
            yield file
        partial.replace(name)
    finally:
        partial.unlink(missing_ok=True)

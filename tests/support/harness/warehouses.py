"""Reader of written files, as a warehouse reads them."""

from pathlib import Path

from domain.model.events.event import BatchProcessingCompleted


def files(root: Path) -> list[str]:
    """Return all files that a warehouse sees, by their path in the folder."""
    found = (file.relative_to(root) for file in root.rglob("*") if file.is_file())
    return sorted(str(path) for path in found if not any(part.startswith(".") for part in path.parts))


def unfinished(root: Path) -> list[str]:
    """Return the files in the folder of unfinished ones."""
    return [file.name for file in (root / ".unfinished").iterdir()]


def place_of(event: BatchProcessingCompleted, suffix: str) -> str:
    """Return the path of an event's file."""
    day = event.timestamp.strftime("%Y-%m-%d")
    return f"tenant_id={event.tenant_id}/day={day}/{event.interaction_id}.{suffix}"

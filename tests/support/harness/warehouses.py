"""How a warehouse reads what was written."""

from pathlib import Path

from domain.model.events.event import BatchProcessingCompleted


def files(root: Path) -> list[str]:
    """Every file that a warehouse sees, by its way from the folder."""
    found = (file.relative_to(root) for file in root.rglob("*") if file.is_file())
    return sorted(str(path) for path in found if not any(part.startswith(".") for part in path.parts))


def unfinished(root: Path) -> list[str]:
    """What lies where files are written."""
    return [file.name for file in (root / ".unfinished").iterdir()]


def place_of(event: BatchProcessingCompleted, suffix: str) -> str:
    """Where the file of an event belongs."""
    day = event.timestamp.strftime("%Y-%m-%d")
    return f"tenant_id={event.tenant_id}/day={day}/{event.interaction_id}.{suffix}"

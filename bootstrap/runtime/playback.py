"""Playback copies of a process that answers requests for them."""

import contextlib
from collections.abc import AsyncIterator

from bootstrap.container import Container


@contextlib.asynccontextmanager
async def keeping_copies(container: Container) -> AsyncIterator[None]:
    """Keep the playback copies of this process while the context lasts, and remove them at its end."""
    playback = container.playback()
    playback.start()
    try:
        yield
    finally:
        await playback.stop()

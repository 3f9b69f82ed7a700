"""Publishes with aiobotocore, all calls at once; runs in an environment with it, and imports no code of ours.

    python gathering.py URL FILE

FILE holds the events' JSON texts in an array. Prints the events a second.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

CONNECTIONS = 64


async def main(url: str, details: list[str]) -> None:
    """Make one call for each event."""
    entry = {"Source": "com.yourapp.transcription", "DetailType": "BatchProcessingCompleted"}
    config = AioConfig(max_pool_connections=CONNECTIONS)
    session = get_session()
    async with session.create_client(
        "events", region_name="us-east-1", endpoint_url=url, config=config
    ) as client:
        begun = time.perf_counter()
        calls = (client.put_events(Entries=[{**entry, "Detail": detail}]) for detail in details)
        answers = await asyncio.gather(*calls)
        seconds = time.perf_counter() - begun
    assert not any(answer["FailedEntryCount"] for answer in answers)  # noqa: S101 - a failed run has no figures
    print(len(details) / seconds)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text())))

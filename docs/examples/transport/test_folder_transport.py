"""The contract of `EventPort`, bound to the installed transport."""

import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from bootstrap.settings import Settings
from domain.model.events.sent import sent_event
from ports.event_port import EventPort
from tests.contracts.event_port import Arrival, Delivery, EventPortContract, Transport


class TestFolderPublisher(EventPortContract):
    """Each file is an arrival; the folder that is missing is the unknown bus."""

    @pytest.fixture
    def transport(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Transport:
        """Return the transport with its receiving end."""
        (entry_point,) = entry_points(group="batch_transcription.transports", name="folder")
        factory, folder = entry_point.load(), tmp_path / "events"
        folder.mkdir()

        def documents() -> list[dict[str, object]]:
            return [json.loads(file.read_bytes()) for file in sorted(folder.glob("*.json"))]

        def arrivals(_count: int) -> list[Arrival]:
            return [
                Arrival(sent_event(json.dumps(each["data"])), tuple(str(each.get("labels", "")).split()))
                for each in documents()
            ]

        def port_to(path: Path) -> EventPort:
            monkeypatch.setenv("FOLDER_TRANSPORT_PATH", str(path))
            port: EventPort = factory(Settings.from_env({"EVENT_TRANSPORT": "folder"}), timeout_seconds=2.0)
            return port

        missing = port_to(tmp_path / "missing")
        delivery = Delivery(unknown_bus_is_refused=True)
        return Transport(port_to(folder), arrivals, delivery, to_unknown_bus=missing, unreachable=missing)

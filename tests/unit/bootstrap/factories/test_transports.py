"""Transports of teams: what their packages build, and how long their calls may take."""

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from bootstrap.factories import transports
from bootstrap.factories.transports import transport_publisher
from bootstrap.settings import Settings
from bootstrap.transports import GROUP
from domain.model.errors import ConfigurationError
from ports.event_port import MAX_BATCH, EventPort
from tests.support.doubles.delivery import AnsweringEventPublisher


class OnlyAlike:
    """Publisher with the method of the port that was there before `batch_size`."""

    def publish_all(self, *_: object, **__: object) -> tuple[()]:
        return ()


def an_heir(_settings: Settings, /, *, timeout_seconds: float) -> EventPort:  # noqa: ARG001 - the interface's
    return AnsweringEventPublisher()


def only_alike(_settings: Settings, /, *, timeout_seconds: float) -> Any:  # noqa: ARG001 - same
    return OnlyAlike()


def built(factory: str, monkeypatch: pytest.MonkeyPatch) -> EventPort:
    """Build the publisher of a package whose entry point names a function of this module."""
    found = EntryPoint("own", f"{__name__}:{factory}", GROUP)
    monkeypatch.setattr(transports, "entry_points", lambda **_: (found,))
    return transport_publisher(Settings.from_env({}), "own", {}, timeout_seconds=2.0)


def test_a_publisher_that_inherits_from_the_port_has_what_the_port_gained_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert built("an_heir", monkeypatch).batch_size == MAX_BATCH


def test_a_publisher_that_does_not_inherit_from_the_port_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ConfigurationError, match=r"EVENT_TRANSPORT=own: .*OnlyAlike.* inherit from it"):
        built("only_alike", monkeypatch)

"""Contract of `DeadLetterArchivePort`; an adapter binds it with a fixture `archive`."""

from dataclasses import dataclass

import pytest

from domain.model.errors import ArchiveError
from domain.model.messages.archived import ArchivedMessage
from domain.model.messages.message import Attribute, Attributes
from ports.dead_letter_archive_port import DeadLetterArchivePort
from tests.support.samples.factories import A_MOMENT


@dataclass(frozen=True)
class Ground:
    """Empty archive, a second one on the same storage, and one that is unavailable."""

    port: DeadLetterArchivePort
    again: DeadLetterArchivePort
    broken: DeadLetterArchivePort


def a_message(message_id: str = "0f-1", body: str = "{}", **changes: object) -> ArchivedMessage:
    """Return a message with attributes of every kind."""
    attributes = Attributes(
        named={
            "text": Attribute(type="String.note", text="hällo"),
            "bytes": Attribute(type="Binary", binary=bytes(range(256))),
        },
        trace="Root=1",
        digest="d41d8cd98f00b204e9800998ecf8427e",
    )
    message = ArchivedMessage(
        id=message_id, sent_at=A_MOMENT, receive_count=3, attributes=attributes, body=body
    )
    return message.model_copy(update=changes)


class DeadLetterArchivePortContract:
    """Suite for the adapters of `DeadLetterArchivePort`."""

    @pytest.mark.parametrize(
        "body", ["", "x" * 2**20, "\0\x1b[2J\u202e\r\n", "Grüße, 你好 👩‍👩‍👧", '{"no": json'], ids=len
    )
    def test_a_message_is_read_back_whole(self, archive: Ground, body: str) -> None:
        archive.port.keep(a_message(body=body))

        assert list(archive.again.messages()) == [a_message(body=body)]

    def test_a_message_without_anything_beside_it_is_read_back(self, archive: Ground) -> None:
        message = a_message(attributes=Attributes(), sent_at=None)

        archive.port.keep(message)

        assert list(archive.again.messages()) == [message]

    def test_messages_are_read_in_the_order_of_their_names(self, archive: Ground) -> None:
        for message_id in ("b", "c", "a"):
            archive.port.keep(a_message(message_id))

        assert [message.id for message in archive.again.messages()] == ["a", "b", "c"]

    def test_keeping_a_message_again_replaces_it(self, archive: Ground) -> None:
        archive.port.keep(a_message(receive_count=3))
        archive.port.keep(a_message(receive_count=7))

        assert [message.receive_count for message in archive.again.messages()] == [7]

    @pytest.mark.parametrize("message_id", ["../../etc/passwd", "a/b", ".", "", "x" * 300, "a\0b", "ä"])
    def test_an_id_leads_nowhere_else(self, archive: Ground, message_id: str) -> None:
        archive.port.keep(a_message(message_id))

        assert [message.id for message in archive.again.messages()] == [message_id]

    def test_an_archive_that_cannot_be_had_says_so(self, archive: Ground) -> None:
        with pytest.raises(ArchiveError):
            archive.broken.keep(a_message())
        with pytest.raises(ArchiveError):
            list(archive.broken.messages())

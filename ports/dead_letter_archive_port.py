"""Port of the archive that keeps dead letters longer than a queue does."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Protocol

from domain.model.messages.archived import ArchivedMessage


class DeadLetterArchivePort(Protocol):
    """Archive of whole messages outside of queues; the service never deletes one."""

    @abstractmethod
    def keep(self, message: ArchivedMessage, /) -> None:
        """Store a message durably, replacing the same one of an earlier run.

        Returns once it was read back unchanged.

        Raises:
            ArchiveError: the message may not be stored.
        """
        ...

    @abstractmethod
    def messages(self) -> Iterator[ArchivedMessage]:
        """Read all messages, in the order of their names.

        Raises:
            ArchiveError: the archive cannot be read, or contains an entry that is no message; names it.
        """
        ...

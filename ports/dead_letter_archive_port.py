"""Where dead letters are kept for longer than a queue keeps them."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Protocol

from domain.model.messages.archived import ArchivedMessage


class DeadLetterArchivePort(Protocol):
    """A place outside of queues that keeps whole messages until somebody deletes them; nothing here does."""

    @abstractmethod
    def keep(self, message: ArchivedMessage, /) -> None:
        """Store a message, over the same one of an earlier run.

        Returns once it was read back, the same, from where it will last.

        Raises:
            ArchiveError: it is not known to be kept.
        """
        ...

    @abstractmethod
    def messages(self) -> Iterator[ArchivedMessage]:
        """Read everything that is kept, in the order of its names.

        Raises:
            ArchiveError: the archive cannot be read, or something in it is no message; it is named.
        """
        ...

"""Port of an event handler."""

from abc import abstractmethod
from typing import Protocol

from domain.model.consuming.received import ReceivedEvent


class EventHandlerPort(Protocol):
    """Handler of received events.

    May be called from several threads at once, and again for an event that it has handled, as a consumer can
    die before it records the success: handling an event twice must have the same effect as once.
    """

    @abstractmethod
    def handle(self, received: ReceivedEvent, /) -> None:
        """Handle an event; its message may be deleted once this returns.

        Raises:
            HandlerError: the event was not handled, and may be passed again. The error message gives the
                reason without any text of the transcripts.
        """
        ...

    def abort(self) -> None:
        """Interrupt running calls, which then raise `HandlerError`; the consumer must end now.

        A handler that cannot be interrupted does nothing. Called once, from any thread.
        """
        return

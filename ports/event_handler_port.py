"""How a consumer works an event off."""

from abc import abstractmethod
from typing import Protocol

from domain.model.consuming.received import ReceivedEvent


class EventHandlerPort(Protocol):
    """What is done with each event that was received.

    May be called from several threads at once, and again for an event that it has handled: a consumer that
    dies in between does not know it. The same event twice must lead to the same as once.
    """

    @abstractmethod
    def handle(self, received: ReceivedEvent, /) -> None:
        """Work an event off; once this returns, its message may be deleted.

        Raises:
            HandlerError: it did not; it may be handed over again. The message says why, without any text of
                the transcripts.
        """
        ...

    def abort(self) -> None:
        """Give up what is in hand, as the consumer must end now: those calls raise `HandlerError` soon.

        A handler that cannot be interrupted does nothing. Called once, from any thread.
        """
        return

"""Errors of RabbitMQ and its client, translated."""

import re
from collections.abc import Iterator

from pika.exceptions import (
    AuthenticationError,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from adapters.brokers.connection import lost
from domain.model.errors import EventBusRefusesUsError, EventBusUnavailableError

ACCESS_REFUSED = 403
"""Code of AMQP: credentials or permissions are wrong."""
NOT_FOUND = 404
"""Code of AMQP: the exchange does not exist."""
NOT_ALLOWED = 530
"""Code of AMQP: the virtual host does not exist, or is closed to the user."""

_REFUSALS = (AuthenticationError, ProbableAccessDeniedError, ProbableAuthenticationError)


def connection_failure(name: str, error: BaseException) -> EventBusUnavailableError:
    """Translate the reason why there is no connection."""
    for cause in _causes(error):
        if isinstance(cause, _REFUSALS) or getattr(cause, "reply_code", 0) in {ACCESS_REFUSED, NOT_ALLOWED}:
            return EventBusRefusesUsError(
                f"{name} refuses the user or virtual host of RABBITMQ_URL: {_text(cause)}"
            )
    *_, root = _causes(error)
    return EventBusUnavailableError(f"{name} cannot be reached: {_text(root)}")


def channel_failure(name: str, exchange: str, error: BaseException) -> EventBusUnavailableError:
    """Translate the end of the channel, with which RabbitMQ answers what it refuses."""
    if not isinstance(error, ChannelClosedByBroker):
        return lost(name, _text(error))
    if error.reply_code == NOT_FOUND:
        return EventBusUnavailableError(
            f"{name} has no exchange {exchange!r}: create it, or correct RABBITMQ_EXCHANGE"
        )
    if error.reply_code == ACCESS_REFUSED:
        return EventBusRefusesUsError(
            f"{name} lets this user not write to the exchange {exchange!r}: {_text(error)}"
        )
    return EventBusUnavailableError(f"{name} closed the channel: {_text(error)}")


def largest_message(error: BaseException) -> int | None:
    """Return the limit that a message exceeded; None for another error."""
    found = re.search(r"larger than configured max size (\d+)", _text(error))
    return int(found[1]) if found else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """List an error and those that it wraps, the outermost first."""
    yield error
    wrapped = (*getattr(error, "exceptions", ()), getattr(error, "exception", None), *error.args)
    for cause in wrapped:
        if isinstance(cause, BaseException):
            yield from _causes(cause)


def _text(error: BaseException) -> str:
    if isinstance(error, ChannelClosedByBroker | ConnectionClosedByBroker):
        return str(error.reply_text)
    return str(error) or type(error).__name__

"""Errors of Kafka and librdkafka, translated."""

from confluent_kafka import KafkaError

from adapters.kafka.access import KafkaAccess
from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventPublishError,
    EventTooLargeError,
)

TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE})
ALL_DOWN = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001 - names of librdkafka's own errors begin so
"""Follows an error that says more."""

_REFUSALS = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001 - same
        KafkaError._SSL,  # noqa: SLF001 - same
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
_NO_TOPIC = frozenset(
    {KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART}  # noqa: SLF001 - same
)
_FATAL = KafkaError._FATAL  # noqa: SLF001 - same
"""Says that the producer is dead; the error that killed it was reported before."""
_NOT_SENT = frozenset(
    {
        _FATAL,
        KafkaError._MSG_TIMED_OUT,  # noqa: SLF001 - same
        KafkaError._PURGE_INFLIGHT,  # noqa: SLF001 - same
        KafkaError._PURGE_QUEUE,  # noqa: SLF001 - same
    }
)


def is_refusal(error: KafkaError) -> bool:
    """Tell if the cluster refuses the credentials or the certificate."""
    return error.code() in _REFUSALS


def is_fatal(error: KafkaError) -> bool:
    """Tell if librdkafka does not recover from the error, so that its producer sends nothing more."""
    return error.fatal() or error.code() == _FATAL


def delivery_failure(access: KafkaAccess, error: KafkaError, cause: KafkaError | None) -> EventPublishError:
    """Translate the error of a delivery report; `cause` is the last error of the connections."""
    if error.code() in _NOT_SENT and cause is not None:
        return delivery_failure(access, cause, None)
    name, topic, text = access.name, access.topic, error.str()
    if error.code() in TOO_LARGE:
        return EventTooLargeError(f"the topic {topic!r} of {name} refuses the event: {text}")
    if is_refusal(error):
        return EventBusRefusesUsError(f"{name} refuses events for the topic {topic!r}: {text}")
    if error.code() in _NO_TOPIC:
        return EventBusUnavailableError(f"{name} has no topic {topic!r}: create it, or correct KAFKA_TOPIC")
    return EventBusUnavailableError(f"{name} did not store the event in {topic!r}: {text}")

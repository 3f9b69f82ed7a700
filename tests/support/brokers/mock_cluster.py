"""librdkafka's own mock cluster: a Kafka in this process whose broker fails on request.

Unlike Tansu it can be cut off and come back with its messages, refuse requests, and delay them. The client
library has no Python functions for it, so they are called in the library itself.
"""

import ctypes
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import confluent_kafka

PRODUCE, INIT_PRODUCER_ID = 0, 22
"""Keys of requests in Kafka's protocol."""
TOPIC = "events"
_TEXT_BYTES = 512


class MockCluster:
    """One broker, and a topic of one partition; it ends with the context."""

    def __init__(self) -> None:
        self._library = _library()
        self._client = self._library.rd_kafka_new(
            0, self._library.rd_kafka_conf_new(), ctypes.create_string_buffer(_TEXT_BYTES), _TEXT_BYTES
        )
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, 1)
        self._library.rd_kafka_mock_topic_create(self._cluster, TOPIC.encode(), 1, 1)
        self.servers: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        self.environ = {"KAFKA_BOOTSTRAP_SERVERS": self.servers, "KAFKA_TOPIC": TOPIC}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)

    def stop(self) -> None:
        """Cut the connections to the broker, and refuse new ones; it keeps its messages."""
        self._library.rd_kafka_mock_broker_set_down(self._cluster, 1)

    def start(self) -> None:
        """Let clients connect again."""
        self._library.rd_kafka_mock_broker_set_up(self._cluster, 1)

    def delay(self, milliseconds: int) -> None:
        """Delay each answer."""
        self._library.rd_kafka_mock_broker_set_rtt(self._cluster, 1, milliseconds)

    def refuse(self, *codes: int) -> None:
        """Answer the next requests to produce with errors of Kafka's protocol."""
        self._refuse(PRODUCE, *codes)

    def refuse_producer(self, code: int) -> None:
        """Answer the next producer that asks for its id with an error."""
        self._refuse(INIT_PRODUCER_ID, code)

    def refuse_topic(self, code: int) -> None:
        """Answer all requests for the topic with an error."""
        self._library.rd_kafka_mock_topic_set_error(self._cluster, TOPIC.encode(), code)

    def _refuse(self, request: int, *codes: int) -> None:
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, request, len(codes), (ctypes.c_int * len(codes))(*codes)
        )


def _library() -> ctypes.CDLL:
    """Load the library that the Python package brings."""
    spec = find_spec("confluent_kafka")
    assert spec is not None
    assert spec.origin is not None
    assert confluent_kafka.libversion(), "the library is loaded"
    folder = Path(spec.origin).parents[1] / "confluent_kafka.libs"
    library = ctypes.CDLL(str(next(folder.glob("librdkafka*"))))
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures: dict[str, tuple[object, list[object]]] = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_new": (pointer, [number, pointer, text, ctypes.c_size_t]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_topic_set_error": (None, [pointer, text, number]),
        "rd_kafka_mock_broker_set_down": (number, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_up": (number, [pointer, ctypes.c_int32]),
        "rd_kafka_mock_broker_set_rtt": (number, [pointer, ctypes.c_int32, number]),
        "rd_kafka_mock_push_request_errors_array": (
            None,
            [pointer, ctypes.c_int16, ctypes.c_size_t, pointer],
        ),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library

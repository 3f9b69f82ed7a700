"""moto's AWS on a free port of this machine, for the processes of a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from moto.server import ThreadedMotoServer
from moto.sqs.models import Queue


@contextmanager
def moto_server() -> Iterator[str]:
    """Run the server, and yield its URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with patch.object(Queue, "delete_message", _delete_alone):
        server.start()
        try:
            host, port = server.get_host_and_port()
            yield f"http://{host}:{port}"
        finally:
            server.stop()


_delete = Queue.delete_message


def _delete_alone(queue: Queue, receipt_handle: str) -> None:
    """Delete a message while no thread adds one.

    moto copies the list of messages to leave one out: a message that is sent meanwhile would be lost.
    """
    with queue._messages_lock:
        _delete(queue, receipt_handle)

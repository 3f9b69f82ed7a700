"""SNS for tests: moto's server, with a topic and the queue behind it, made as by `transcripts provision`."""

from contextlib import ExitStack

from bootstrap.container import Container, build_container
from bootstrap.settings import Settings
from tests.support.aws.moto_server import moto_server
from tests.support.brokers.places import EventPlace
from tests.support.harness.ports import free_port
from tests.support.harness.service import wait_until


class SnsPlace(EventPlace):
    """Queue that is subscribed to a topic; what it holds ends with its server."""

    transport = "sns"

    def __init__(self) -> None:
        self._server = ExitStack()
        self._received: list[bytes] = []
        self.environ = {
            "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests",
        }
        self.elsewhere = self.environ | {"SNS_TOPIC_NAME": "elsewhere"}
        self.unreachable = self.environ | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}

    def start(self) -> None:
        """Start a server, and provision the route."""
        self.environ["AWS_ENDPOINT_URL"] = self._server.enter_context(moto_server())
        self._container().completed.infrastructure().provision()

    def stop(self) -> None:
        """End the server."""
        self._server.close()

    def bodies(self, at_least: int = 0) -> list[bytes]:
        """Receive what the queue holds, and keep it for the next call."""
        queue = self._container().completed.queue()

        def receive() -> bool:
            while messages := queue.receive(10, visibility_timeout=60):
                self._received += [message.body.encode() for message in messages]
                queue.delete(messages)
            return len(self._received) >= at_least

        wait_until(receive)
        return self._received

    def _container(self) -> Container:
        return build_container(Settings.from_env({"EVENT_TRANSPORT": self.transport, **self.environ}))

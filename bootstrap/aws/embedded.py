"""Embedded AWS in this process, for `transcripts demo`: no account, no keys, no network."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping

from bootstrap.extras import require
from bootstrap.settings import Settings

_KEPT = {"LOG_FORMAT", "LOG_LEVEL", "TRANSCRIBER_WORKERS"}
"""Settings that do not change the result; all others have their defaults."""


@contextlib.contextmanager
def embedded_aws() -> Iterator[dict[str, str]]:
    """Run moto's server on a free port of this machine.

    Yields:
        The environment that points to this AWS, with folders that are removed at the end.

    Raises:
        ConfigurationError: moto, or a dependency of its server, is not installed.
    """
    require("demo", "The embedded AWS")
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - an extra; slow to import, too

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        with tempfile.TemporaryDirectory(prefix="embedded-aws-") as folder:
            yield _environment(os.environ, f"http://{host}:{port}", folder)
    finally:
        server.stop()


def _environment(environ: Mapping[str, str], endpoint_url: str, folder: str) -> dict[str, str]:
    """Build an environment without settings of the service, and without variables of a real account."""
    settings = {name.upper() for name in Settings.model_fields} - _KEPT
    kept = {
        name: value for name, value in environ.items() if name not in settings and not name.startswith("AWS_")
    }
    return {
        **kept,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "embedded",
        "AWS_SECRET_ACCESS_KEY": "embedded",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "EVENT_TRANSPORT": "eventbridge",
        "DATA_DIR": folder,
    }

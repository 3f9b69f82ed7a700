from collections.abc import Iterator

import pytest

from adapters.openai.access import OpenAiAccess
from tests.support.openai.server import KEY, OpenAiServer, openai_server


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with openai_server() as server:
        yield server


@pytest.fixture
def access(server: OpenAiServer) -> OpenAiAccess:
    return OpenAiAccess(server.url, KEY)

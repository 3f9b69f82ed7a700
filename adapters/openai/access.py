"""Access to a service that speaks OpenAI's protocol: OpenAI itself, Groq, or a server of one's own."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from openai import AsyncOpenAI, DefaultAsyncHttpx2Client

OPENAI_URL = "https://api.openai.com/v1"
_OPENAI_DOMAIN = "openai.com"

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_NO_KEY = "none"
"""Key for servers that ask for none: the SDK does not work without one."""


@dataclass(frozen=True, slots=True)
class OpenAiAccess:
    """Address and key of a service."""

    base_url: str = OPENAI_URL
    api_key: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """Return the name of the service for messages: host and port, without a user and a path."""
        parts = urlsplit(self.base_url)
        return parts.hostname or "" if parts.port is None else f"{parts.hostname}:{parts.port}"

    @property
    def is_openai(self) -> bool:
        """Check for OpenAI's own service, in any region."""
        name = urlsplit(self.base_url).hostname or ""
        return name == _OPENAI_DOMAIN or name.endswith(f".{_OPENAI_DOMAIN}")

    def client(self) -> AsyncOpenAI:
        """Build a client that never tries again by itself: the caller decides that for each unit."""
        is_here = urlsplit(self.base_url).hostname in _LOOPBACK
        return AsyncOpenAI(
            base_url=self.base_url,
            api_key=self.api_key or _NO_KEY,
            max_retries=0,
            # a proxy would look for the server on its own machine
            http_client=DefaultAsyncHttpx2Client(trust_env=False) if is_here else None,
        )

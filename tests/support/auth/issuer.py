"""OpenID Connect issuer on this machine: it publishes keys, signs tokens, and fails as a test says."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import NamedTuple

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from tests.support.harness.in_background import in_background

AUDIENCE = "batch-transcription"
TENANT = "3f0e1f5e-6f0b-4c57-9c55-0d9b1c7f2a11"
USER = "alice"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Json = dict[str, object]


class SigningKey(NamedTuple):
    """Key with which an issuer signs."""

    key_id: str
    algorithm: str
    private: PrivateKey

    def jwk(self, **changes: object) -> Json:
        """Describe the public part; a change to None leaves a member out."""
        public = get_default_algorithms()[self.algorithm].to_jwk(self.private.public_key(), as_dict=True)
        whole = {**public, "kid": self.key_id, "alg": self.algorithm, "use": "sig", **changes}
        return {name: value for name, value in whole.items() if value is not None}

    def pem(self) -> bytes:
        """Return the public part as a file of OpenSSL."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def rsa_key(key_id: str = "rsa-1", *, bits: int = 2048) -> SigningKey:
    """Make an RSA key."""
    return SigningKey(key_id, "RS256", rsa.generate_private_key(65537, bits))


def ec_key(key_id: str = "ec-1") -> SigningKey:
    """Make a key on the curve P-256."""
    return SigningKey(key_id, "ES256", ec.generate_private_key(ec.SECP256R1()))


class IssuerServer(ThreadingHTTPServer):
    """Issuer on a free port; `answer` replaces what it answers, and `requests` counts it."""

    daemon_threads = True

    def __init__(self, *keys: SigningKey) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/realms/main"
        self.jwks_url = f"{self.url}/certs"
        self.keys = list(keys)
        self.description: Json = {"issuer": self.url, "jwks_uri": self.jwks_url}
        self.answer: Answer = published
        self.requests: list[str] = []
        self.stopped = Event()

    @property
    def fetches(self) -> int:
        """Number of requests for the keys."""
        return len([path for path in self.requests if path.endswith("/certs")])

    def token(
        self, key: SigningKey | None = None, headers: Mapping[str, object] | None = None, **changes: object
    ) -> str:
        """Sign a token that is valid but for the changes; a change to None leaves a claim out."""
        key = key or self.keys[0]
        return jwt.encode(
            self.claims(**changes), key.private, key.algorithm, {"kid": key.key_id, **(headers or {})}
        )

    def claims(self, **changes: object) -> Json:
        """Return the claims of a valid token but for the changes."""
        now = int(time.time())
        usual: Json = {"iss": self.url, "aud": AUDIENCE, "sub": USER, "iat": now, "exp": now + 86_400}
        whole = {**usual, "tenant_id": TENANT, "scope": "openid batch:write read", **changes}
        return {name: value for name, value in whole.items() if value is not None}


class _Handler(BaseHTTPRequestHandler):
    server: IssuerServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        with contextlib.suppress(OSError):
            self.server.answer(self)

    def log_message(self, *_: object) -> None:
        pass

    def reply(self, body: bytes, status: int = 200, **fields: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **fields}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


Answer = Callable[[_Handler], None]


def published(request: _Handler) -> None:
    """Answer with the issuer's description, or its keys."""
    issuer = request.server
    documents = {
        "/realms/main/certs": {"keys": [key.jwk() for key in issuer.keys]},
        "/realms/main/.well-known/openid-configuration": issuer.description,
    }
    document = documents.get(request.path)
    request.reply(json.dumps(document).encode(), 200 if document else 404)


def sends(body: bytes | Json, status: int = 200, **fields: str) -> Answer:
    """Answer each request with the same."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda request: request.reply(content, status, **fields)


def writes(content: bytes) -> Answer:
    """Answer with these bytes, and end the connection."""

    def answer(request: _Handler) -> None:
        request.wfile.write(content)
        request.close_connection = True

    return answer


def hangs(request: _Handler) -> None:
    """Take the request, and answer nothing until the server stops."""
    request.server.stopped.wait()
    request.close_connection = True


def waits(gate: Event) -> Answer:
    """Answer as usual, once the gate is open."""

    def answer(request: _Handler) -> None:
        gate.wait()
        published(request)

    return answer


def drips(start: bytes) -> Answer:
    """Send a start, and then byte by byte, without an end."""

    def answer(request: _Handler) -> None:
        request.wfile.write(start)
        while not request.server.stopped.wait(0.02):
            request.wfile.write(b"x")
        request.close_connection = True

    return answer


@contextlib.contextmanager
def issuer_server(*keys: SigningKey) -> Iterator[IssuerServer]:
    """Run an issuer while the context lasts."""
    with in_background(IssuerServer(*keys)) as server:
        try:
            yield server
        finally:
            server.stopped.set()

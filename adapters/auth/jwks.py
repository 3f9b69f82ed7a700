"""Public keys of an OpenID Connect issuer: its JSON Web Key Set (RFC 7517)."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from jwt import PyJWK

from adapters.auth.documents import Document, DocumentError, fetch_document

FETCH_SECONDS = 3.0
"""Time for one fetch of the keys, discovery included."""

Keys = Mapping[tuple[str, str], PyJWK]
"""Keys by their id and an algorithm for which they may be used."""


class Issuer(NamedTuple):
    """Issuer of tokens, and the algorithms with which it may sign."""

    name: str  # claim `iss` of its tokens, which is the URL of its discovery unless `jwks_url` is given
    algorithms: Sequence[str]
    jwks_url: str | None = None

    @property
    def discovery_url(self) -> str:
        """URL of the issuer's description (OpenID Connect Discovery 1.0, section 4)."""
        return f"{self.name.rstrip('/')}/.well-known/openid-configuration"


def fetch_keys(issuer: Issuer, seconds: float = FETCH_SECONDS) -> Keys:
    """Fetch the keys of an issuer that are usable for its algorithms; blocks.

    Raises:
        DocumentError: the issuer cannot be reached, describes another issuer, or publishes no usable key.
    """
    deadline = time.monotonic() + seconds
    url = issuer.jwks_url or _discovered(issuer, deadline)
    keys = dict(_usable_keys(fetch_document(url, deadline), issuer.algorithms))
    if not keys:
        raise DocumentError(f"{url} has no usable key for {', '.join(issuer.algorithms)}")
    return keys


def _discovered(issuer: Issuer, deadline: float) -> str:
    document = fetch_document(issuer.discovery_url, deadline)
    if document.get("issuer") != issuer.name:
        raise DocumentError(
            f"{issuer.discovery_url} describes another issuer than AUTH_ISSUER={issuer.name}: both must be "
            "the same to the last slash"
        )
    url = document.get("jwks_uri")
    if not isinstance(url, str):
        raise DocumentError(f"{issuer.discovery_url} names no jwks_uri")
    return url


def _usable_keys(document: Document, algorithms: Sequence[str]) -> Iterator[tuple[tuple[str, str], PyJWK]]:
    """Yield the keys of a set that serve for signatures; others are skipped."""
    members = document.get("keys")
    for member in members if isinstance(members, list) else []:
        for algorithm in algorithms:
            if (key := _key_for(member, algorithm)) is not None and isinstance(key.key_id, str):
                yield (key.key_id, algorithm), key


def _key_for(member: object, algorithm: str) -> PyJWK | None:
    """Read a key for one algorithm; None where it is meant for another, or cannot be used."""
    if not isinstance(member, dict) or member.get("alg", algorithm) != algorithm:
        return None
    try:
        if member.get("use", "sig") != "sig" or "verify" not in member.get("key_ops", ["verify"]):
            return None
        key = PyJWK(member, algorithm)
        key.Algorithm.prepare_key(key.key)  # checks the curve
    except Exception:  # noqa: BLE001 - one key that cannot be read must not cost the others
        return None
    return key

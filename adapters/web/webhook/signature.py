"""Signatures of Standard Webhooks 1.0: over the id, the time and the very bytes on the wire."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
"""Beginning of a secret whose key is written in base64."""

MIN_KEY_BYTES = 24
"""Shortest key that the specification allows."""

NEW_KEY_BYTES = 32


def new_secret() -> str:
    """Make a secret: a random key of 256 bits, in the notation of Standard Webhooks."""
    return PREFIX + base64.b64encode(secrets.token_bytes(NEW_KEY_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """Return the key of a secret: `whsec_` and base64, or any other text as it is.

    Raises:
        ValueError: the key is no base64, or too short; the message quotes nothing of it.
    """
    key = _decoded(secret.removeprefix(PREFIX)) if secret.startswith(PREFIX) else secret.encode()
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(
            f"has a secret of {len(key)} bytes, and at least {MIN_KEY_BYTES} are safe; "
            "`transcripts webhook secret` makes one"
        )
    return key


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"has a secret that is no base64 after {PREFIX}") from None


def signed_headers(keys: Iterable[bytes], event_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """Return the headers by which a receiver recognises sender, time and duplicates.

    Args:
        keys: each makes a signature, so that receivers may change over from one to another.
        event_id: the same however often the event is sent.
        seconds: the time of this attempt, in seconds since 1970.
        body: the bytes on the wire.
    """
    signed = f"{event_id}.{seconds}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }

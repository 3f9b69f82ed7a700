"""Signatures over the bytes on the wire: three verifiers that share no code accept them."""

import base64
import hashlib
import hmac
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import standardwebhooks

from adapters.web.webhook.signature import key_of, new_secret, signed_headers
from domain.model.events.cloud_event import cloud_event
from tests.support.samples.factories import an_event
from tests.support.web.webhook_server import SECRET, Received, WebhookServer
from tests.unit.adapters.web.webhook.conftest import BuildPublisher

OLD_SECRET = "a plain secret of an older system"
TEXTS = {
    "emoji": "👩‍👩‍👧 said “yes” 𝄞",
    "lone quotes": "she said \" and ' and „ and \u2019",
    "escapes": "back\\slash \\u2028 \u2028 \u2029 \x7f \t\r\n \x00",
    "markup": "</script><b>&amp;</b>",
    "numbers": "1.0 1e5 -0 NaN",
}


def by_library(received: Received, secret: str) -> bool:
    """Verify with the library of Standard Webhooks."""
    hook = standardwebhooks.Webhook(secret)
    try:
        hook.verify(received.body, received.headers)
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


def by_the_specification(received: Received, secret: str) -> bool:
    """Verify as the text of the specification says, without code of this service."""
    headers, key = received.headers, base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), received.body))
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    return any(
        hmac.compare_digest(expected, each) for each in headers["webhook-signature"].encode().split(b" ")
    )


def by_openssl(received: Received, secret: str) -> bool:
    """Verify with the command `openssl`, which knows nothing of Python."""
    key = base64.b64decode(secret.removeprefix("whsec_")).hex()
    head = f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}."
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key}", "-binary"]
    digest = subprocess.run(command, input=head.encode() + received.body, capture_output=True, check=True)
    expected = "v1," + base64.b64encode(digest.stdout).decode()
    return expected in received.headers["webhook-signature"].split(" ")


VERIFIERS = {"library": by_library, "specification": by_the_specification, "openssl": by_openssl}
Verify = Callable[[Received, str], bool]


@pytest.mark.process
@pytest.mark.parametrize("verify", VERIFIERS.values(), ids=VERIFIERS)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_bytes_on_the_wire_are_what_is_signed(
    endpoint: WebhookServer, build: BuildPublisher, text: str, verify: Verify
) -> None:
    build().publish(an_event(raw_transcript=text, cleaned_transcript=text))

    (received,) = endpoint.requests
    assert verify(received, SECRET)
    again = received._replace(body=json.dumps(received.document).encode())
    assert again.body == received.body or not verify(again, SECRET)  # who writes it again verifies nothing
    assert not verify(received._replace(headers=received.headers | {"webhook-id": "another"}), SECRET)


@pytest.mark.process
@pytest.mark.parametrize("verify", VERIFIERS.values(), ids=VERIFIERS)
def test_receivers_may_change_over_to_another_secret(
    endpoint: WebhookServer, build: BuildPublisher, verify: Verify
) -> None:
    new = new_secret()
    build(keys=[key_of(SECRET), key_of(new)]).publish(an_event())

    (received,) = endpoint.requests
    assert verify(received, SECRET)
    assert verify(received, new)
    assert not verify(received, new_secret())


def test_a_plain_secret_is_a_key_as_it_is() -> None:
    assert key_of(OLD_SECRET) == OLD_SECRET.encode()


def test_the_vector_of_the_specification_holds() -> None:
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    moment = datetime.fromtimestamp(1_614_265_330, UTC)
    body = b'{"test": 2432232314}'

    headers = signed_headers([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", int(moment.timestamp()), body)

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("short", "has a secret of 5 bytes, and at least 24 are safe"),
        ("whsec_c2hvcnQ=", "has a secret of 5 bytes"),
        ("whsec_", "has a secret of 0 bytes"),
        ("whsec_not base64 at all, by no means", "has a secret that is no base64 after whsec_"),
        ("whsec_ÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿÿ", "has a secret that is no base64 after whsec_"),
    ],
)
def test_a_secret_that_is_not_safe_is_refused(secret: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as refusal:
        key_of(secret)

    assert secret.removeprefix("whsec_") not in str(refusal.value) or secret == "whsec_"


def test_no_secret_is_made_twice() -> None:
    made = {new_secret() for _ in range(100)}

    assert len(made) == 100
    assert {len(key_of(secret)) for secret in made} == {32}


def test_the_body_is_the_same_each_time() -> None:
    event = an_event(raw_transcript=TEXTS["emoji"])

    assert cloud_event(event, source="a") == cloud_event(event, source="a")

import json
import time
from pathlib import Path
from typing import Any

import pytest

from adapters.auth.documents import MAX_DOCUMENT_BYTES, DocumentError, is_safe
from adapters.auth.jwks import Issuer, Keys, fetch_keys
from tests.support.auth.issuer import Answer, IssuerServer, SigningKey, drips, hangs, published, sends, writes
from tests.support.web.authority import Authority
from tests.support.web.tls_server import ok, tls_server
from tests.support.web.tls_server import sends as tls_sends
from tests.unit.adapters.auth.tokens.conftest import PATIENCE_SECONDS

ALGORITHMS = ("RS256", "ES256", "ES384", "EdDSA")


def fetched(issuer: IssuerServer, *, seconds: float = PATIENCE_SECONDS, **changes: Any) -> Keys:
    return fetch_keys(Issuer(issuer.url, ALGORITHMS)._replace(**changes), seconds)


def key_set(*keys: SigningKey) -> bytes:
    return json.dumps({"keys": [key.jwk() for key in keys]}).encode()


def refusal_of(issuer: IssuerServer, **options: Any) -> str:
    with pytest.raises(DocumentError) as refusal:
        fetched(issuer, **options)
    return str(refusal.value)


def test_keys_are_found_by_the_issuers_description(issuer: IssuerServer) -> None:
    assert set(fetched(issuer)) == {("rsa-1", "RS256"), ("ec-1", "ES256")}
    assert issuer.requests == ["/realms/main/.well-known/openid-configuration", "/realms/main/certs"]


def test_a_configured_address_of_the_keys_needs_no_description(issuer: IssuerServer) -> None:
    fetched(issuer, jwks_url=issuer.jwks_url, name="accounts.example.com")

    assert issuer.requests == ["/realms/main/certs"]


def test_an_issuer_whose_name_ends_with_a_slash_is_described_at_the_same_address(
    issuer: IssuerServer,
) -> None:
    issuer.description["issuer"] = f"{issuer.url}/"

    fetched(issuer, name=f"{issuer.url}/")

    assert issuer.requests[0] == "/realms/main/.well-known/openid-configuration"
    assert "describes another issuer" in refusal_of(issuer)


@pytest.mark.parametrize("name", ["https://login.example.com", None, 7, ["https://login.example.com"]])
def test_a_description_of_another_issuer_is_refused(issuer: IssuerServer, name: object) -> None:
    issuer.description["issuer"] = name

    assert "describes another issuer than AUTH_ISSUER=" in refusal_of(issuer)
    assert issuer.fetches == 0


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, "names no jwks_uri"),
        (7, "names no jwks_uri"),
        ("http://login.example.com/certs", "must begin with https://"),
        ("file:///etc/passwd", "must begin with https://"),
        ("https://user:password@login.example.com/certs", "must begin with https://"),
        ("", "must begin with https://"),
    ],
)
def test_a_description_cannot_send_the_service_elsewhere(
    issuer: IssuerServer, url: object, message: str
) -> None:
    issuer.description["jwks_uri"] = url

    assert message in refusal_of(issuer)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(issuer: IssuerServer, status: int) -> None:
    issuer.answer = sends(b"", status, Location=issuer.jwks_url)

    message = refusal_of(issuer, jwks_url=f"{issuer.url}/moved")

    assert message == f"{issuer.url}/moved answered {status}: redirects are not followed"
    assert issuer.requests == ["/realms/main/moved"]


@pytest.mark.parametrize("status", [201, 401, 404, 429, 500, 503])
def test_an_answer_but_200_is_none(issuer: IssuerServer, rsa: SigningKey, status: int) -> None:
    issuer.answer = sends({"keys": [rsa.jwk()]}, status)

    assert f"answered {status}" in refusal_of(issuer, jwks_url=issuer.jwks_url)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "is no JSON object"),
        (b"<html>Sign in</html>", "is no JSON object"),
        (b"[]", "is no JSON object"),
        (b"null", "is no JSON object"),
        (b'{"keys": [}', "is no JSON object"),
        (b"\xff\xfe\xfd", "is no JSON object"),
        (b"[" * 100_000, "is no JSON object"),
        (b"{}", "has no usable key for RS256, ES256"),
        (b'{"keys": []}', "has no usable key"),
        (b'{"keys": 7}', "has no usable key"),
        (b'{"keys": [7, null, [], {}, {"kid": "a"}]}', "has no usable key"),
        (json.dumps({"keys": [], "padding": "x" * MAX_DOCUMENT_BYTES}).encode(), "more than 1048576 bytes"),
    ],
    ids=range(12),
)
def test_a_document_that_is_no_set_of_keys_is_refused(
    issuer: IssuerServer, body: bytes, message: str
) -> None:
    issuer.answer = sends(body)

    assert message in refusal_of(issuer, jwks_url=issuer.jwks_url)


def test_a_large_document_need_not_declare_its_size_to_be_refused(issuer: IssuerServer) -> None:
    issuer.answer = drips(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (MAX_DOCUMENT_BYTES + 1))

    assert "more than 1048576 bytes" in refusal_of(issuer, jwks_url=issuer.jwks_url)


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"use": 7},
        {"key_ops": ["encrypt"]},
        {"key_ops": 7},
        {"alg": "RSA-OAEP"},
        {"alg": "HS256"},
        {"alg": "RS512"},
        {"alg": 7},
        {"kty": "oct", "k": "c2VjcmV0", "alg": None},
        {"kty": "EC", "alg": None},
        {"kty": None},
        {"n": None},
        {"n": "=!"},
        {"n": 7},
        {"e": {}},
        {"kid": None},
        {"kid": 7},
    ],
    ids=str,
)
def test_a_key_that_cannot_be_used_costs_the_others_nothing(
    issuer: IssuerServer, rsa: SigningKey, ec: SigningKey, changes: dict[str, object]
) -> None:
    issuer.answer = sends({"keys": [rsa.jwk(**changes), None, ec.jwk()]})

    assert set(fetched(issuer, jwks_url=issuer.jwks_url)) == {("ec-1", "ES256")}


def test_a_key_without_algorithm_serves_for_those_of_its_type_and_curve(
    issuer: IssuerServer, rsa: SigningKey, ec: SigningKey
) -> None:
    issuer.answer = sends({"keys": [rsa.jwk(alg=None, use=None), ec.jwk(alg=None, key_ops=["verify"])]})

    keys = fetched(issuer, jwks_url=issuer.jwks_url, algorithms=("RS256", "PS512", *ALGORITHMS))

    assert set(keys) == {("rsa-1", "RS256"), ("rsa-1", "PS512"), ("ec-1", "ES256")}


@pytest.mark.parametrize(
    "answer",
    [hangs, drips(b""), drips(b"HTTP/1.1 200 OK\r\nX-Drip: "), drips(b"HTTP/1.1 200 OK\r\n\r\n{")],
    ids=["nothing", "status", "head", "body"],
)
def test_an_issuer_that_is_slow_is_given_up(issuer: IssuerServer, answer: Answer) -> None:
    issuer.answer = answer

    assert refusal_of(issuer, jwks_url=issuer.jwks_url, seconds=0.5).endswith("did not answer in time")


def test_the_time_is_for_description_and_keys_together(issuer: IssuerServer) -> None:
    def late(request: Any) -> None:
        time.sleep(1.5)
        published(request)

    issuer.answer = late

    assert refusal_of(issuer, seconds=2.5).endswith("did not answer in time")


def test_an_issuer_that_is_away_is_named(issuer: IssuerServer) -> None:
    url = "http://127.0.0.1:9/certs"

    assert refusal_of(issuer, jwks_url=url).startswith(f"{url} cannot be reached")


@pytest.mark.parametrize("cut", [1, 30])
def test_an_answer_that_is_cut_is_refused(issuer: IssuerServer, rsa: SigningKey, cut: int) -> None:
    issuer.answer = writes(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + key_set(rsa)[:-cut])

    assert "is no JSON object" in refusal_of(issuer, jwks_url=issuer.jwks_url)


def test_an_answer_in_chunks_is_read(issuer: IssuerServer, rsa: SigningKey) -> None:
    chunks = [key_set(rsa)[place : place + 100] for place in range(0, len(key_set(rsa)), 100)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
    issuer.answer = writes(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)

    assert set(fetched(issuer, jwks_url=issuer.jwks_url)) == {("rsa-1", "RS256")}


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 \r\n\r\n", b"\0" * 100_000, b"HTTP/1.1 200 OK\r\n" * 2000]
)
def test_an_answer_that_is_no_http_is_refused(issuer: IssuerServer, answer: bytes) -> None:
    issuer.answer = writes(answer)

    assert "gave no answer" in refusal_of(issuer, jwks_url=issuer.jwks_url)


def test_proxies_of_the_environment_are_not_asked(
    issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    assert fetched(issuer)


def test_the_certificate_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rsa: SigningKey) -> None:
    authority = Authority(tmp_path)
    with tls_server(authority.serving("127.0.0.1")) as server:
        server.answer = tls_sends(ok(key_set(rsa)))
        issuer = Issuer("main", ALGORITHMS, f"https://127.0.0.1:{server.port}/certs?realm=main")
        with pytest.raises(DocumentError, match=r"certs\?realm=main has no valid TLS: .*certificate"):
            fetch_keys(issuer, PATIENCE_SECONDS)
        assert server.heads == []

        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        assert set(fetch_keys(issuer, PATIENCE_SECONDS)) == {("rsa-1", "RS256")}
        assert server.heads[0].startswith("GET /certs?realm=main HTTP/1.1\r\n")


def test_a_certificate_for_another_host_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with tls_server(authority.serving("login.example.com")) as server:
        issuer = Issuer("main", ALGORITHMS, f"https://127.0.0.1:{server.port}/certs")
        with pytest.raises(DocumentError, match="no valid TLS: IP address mismatch"):
            fetch_keys(issuer, PATIENCE_SECONDS)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://login.example.com/realms/main", True),
        ("https://10.0.0.7:8443/certs", True),
        ("http://127.0.0.1:8080/certs", True),
        ("http://localhost/certs", True),
        ("http://[::1]/certs", True),
        ("http://login.example.com/certs", False),
        ("http://localhost.example.com/certs", False),
        ("http://127.0.0.1@login.example.com/certs", False),
        ("https://user@login.example.com/certs", False),
        ("https:///certs", False),
        ("https://[::1/certs", False),
        ("ftp://127.0.0.1/certs", False),
        ("accounts.example.com", False),
    ],
)
def test_addresses_are_https_or_of_this_machine(url: str, *, expected: bool) -> None:
    assert is_safe(url) is expected

"""Peers of a real socket: where connections come from, and what only says so (oauth2-proxy#3506)."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.doubles.transcription import FixedTranscriber
from tests.support.harness.service import container_for, exchange, serving

TENANT = str(uuid4())
CLAIMS = (
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-For: 10.1.0.9",
    "X-Forwarded-For: 10.1.0.9, 127.0.0.1",
    "Forwarded: for=10.1.0.9",
    "X-Real-IP: 10.1.0.9",
)


def look(port: int, *headers: str) -> bytes:
    lines = ("GET /batch/jobs HTTP/1.1", "Host: test", *headers)
    return exchange(port, ("\r\n".join(lines) + "\r\n\r\n").encode())


def test_a_peer_is_where_its_connection_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # uvicorn's own, which must not count
    settings = {"AUTH": "gateway", "TRUSTED_PROXIES": "10.1.0.0/24"}
    with serving(container_for(tmp_path / "spool", FixedTranscriber(), **settings)) as port:
        answers = [look(port, f"X-Tenant-ID: {TENANT}", claim) for claim in CLAIMS]

    assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 403 Forbidden"}
    assert all(b"urn:batch-transcription:problem:untrusted-peer" in answer for answer in answers)


def test_a_gateway_on_this_machine_is_believed(tmp_path: Path) -> None:
    settings = {"AUTH": "gateway", "TRUSTED_PROXIES": "127.0.0.1"}
    with serving(container_for(tmp_path / "spool", FixedTranscriber(), **settings)) as port:
        named = look(port, f"X-Tenant-ID: {TENANT}", "X-Forwarded-For: 203.0.113.7")
        unnamed = look(port, f"X_Tenant_ID: {TENANT}")
        twice = look(port, f"X-Tenant-ID: {TENANT}", f"x-tenant-id: {TENANT}")

    assert named.startswith(b"HTTP/1.1 200 ")
    assert unnamed.startswith(b"HTTP/1.1 403 ")
    assert b"unknown-tenant" in unnamed
    assert twice.startswith(b"HTTP/1.1 400 ")
    assert b"invalid-identity" in twice

"""Calls to this machine's own addresses go to no proxy, which would look for them on its own machine."""

import os

import pytest

LOOPBACK = "127.0.0.1,localhost,::1"


def spare_loopback_from_proxies() -> None:
    """Tell every HTTP client of this process and of its children; some read one case, some the other."""
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), LOOPBACK)))


def use_proxy(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Send all calls in plain text to a proxy, those to this machine's own addresses included."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

"""Calls to this machine's own addresses go to no proxy, which would look for them on its own machine."""

import os

LOOPBACK = "127.0.0.1,localhost"


def spare_loopback_from_proxies() -> None:
    """Say so to every HTTP client of this process and of those that it starts; of whatever case they read."""
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), LOOPBACK)))

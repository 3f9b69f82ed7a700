"""Calls to this machine's own addresses go to no proxy, which would look for them on its own machine."""

import os

LOOPBACK = "127.0.0.1,localhost,::1"


def spare_loopback_from_proxies() -> None:
    """Tell every HTTP client of this process and of its children; some read one case, some the other."""
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), LOOPBACK)))

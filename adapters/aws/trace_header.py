"""X-Ray's trace header, which EventBridge and SQS carry, and the trace context of W3C."""

import re

TRACEPARENT = "traceparent"
"""Message attribute with the trace context of W3C; SNS has one X-Ray header for all messages of a call."""

_TRACEPARENT = re.compile(r"00-([0-9a-f]{8})([0-9a-f]{24})-([0-9a-f]{16})-([0-9a-f]{2})")
_ROOT = re.compile(r"1-([0-9a-f]{8})-([0-9a-f]{24})")
_PARENT = re.compile(r"[0-9a-f]{16}")
_SAMPLED = 1
"""The bit of a traceparent's flags."""


def is_traceparent(text: str) -> bool:
    """Tell if the text is a traceparent that can be read."""
    return _TRACEPARENT.fullmatch(text) is not None


def trace_header(traceparent: str | None) -> str | None:
    """Write a traceparent as X-Ray's header; None where there is none, or it cannot be read."""
    if not (found := _TRACEPARENT.fullmatch(traceparent or "")):
        return None
    time, rest, parent, flags = found.groups()
    return f"Root=1-{time}-{rest};Parent={parent};Sampled={int(flags, 16) & _SAMPLED}"


def traceparent(header: str | None) -> str | None:
    """Read X-Ray's header as a traceparent; None where it names no trace, or no span of it."""
    fields = dict(field.strip().partition("=")[::2] for field in (header or "").split(";"))
    root, parent = _ROOT.fullmatch(fields.get("Root", "")), _PARENT.fullmatch(fields.get("Parent", ""))
    if not (root and parent):
        return None
    return f"00-{root[1]}{root[2]}-{parent[0]}-{int(fields.get('Sampled') == '1'):02x}"

r"""Header values with parameters, such as `form-data; name="file"` (RFC 9110, section 5.6.6).

Names are case-insensitive, values are tokens or quoted strings. Browsers write a quotation mark as %22 and
leave a backslash as it is (the HTML standard's form encoding), so `"a\"` may also be a complete string.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[^"\\]|\\.)*"|"[^"]*"'
_PARAMETER = re.compile(
    rf"""[ \t]*+;[ \t]*+                                              # an empty parameter is allowed
    (?:(?P<name>{_NAME})
       (?:[ \t]*+=[ \t]*+(?:(?P<quoted>{_QUOTED})|(?P<plain>[^";][^;]*)?))?)?
    [ \t]*(?=;|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class HeaderValue(NamedTuple):
    """Value in lower case, and its parameters by their names in lower case."""

    value: str
    parameters: Mapping[str, str]


def parse_header_value(text: str) -> HeaderValue:
    """Split a value from its parameters.

    Raises:
        ValueError: a quoted string does not end, or a parameter is given twice.
    """
    value = text.partition(";")[0]
    parameters: dict[str, str] = {}
    position = len(value)
    while position < len(text):
        match = _PARAMETER.match(text, position)
        if match is None:
            raise ValueError(f"its parameters cannot be read from character {position + 1} on")
        _add(parameters, match)
        position = match.end()
    return HeaderValue(value.strip(" \t").lower(), parameters)


def _add(parameters: dict[str, str], match: re.Match[str]) -> None:
    if match["name"] is None:
        return
    name = match["name"].lower()
    if name in parameters:
        raise ValueError(f"its parameter {name!r} is given twice")
    quoted = match["quoted"]
    parameters[name] = _ESCAPED.sub(r"\1", quoted[1:-1]) if quoted else (match["plain"] or "").rstrip(" \t")

"""The roles that an operator gives permissions to."""

from enum import StrEnum


class Role(StrEnum):
    """Who runs which commands."""

    PUBLISHER = "publisher"
    """`serve`, `process`, `relay`"""
    CONSUMER = "consumer"
    """`consume`"""
    OPERATOR = "operator"
    """`status`, `verify`, `doctor`, `dlq`, `replay`"""
    PROVISIONER = "provisioner"
    """`provision`, `teardown`"""

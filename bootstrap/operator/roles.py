"""IAM roles of the service and its operators."""

from enum import StrEnum


class Role(StrEnum):
    """Role with the permissions of its commands."""

    PUBLISHER = "publisher"
    """`serve`, `process`, `relay`"""
    CONSUMER = "consumer"
    """`consume`"""
    OPERATOR = "operator"
    """`status`, `verify`, `doctor`, `dlq`, `replay`"""
    PROVISIONER = "provisioner"
    """`provision`, `teardown`"""
    ERASER = "eraser"
    """`erase`"""

"""Resolver of names with the answers of a test."""

from collections.abc import Sequence
from ipaddress import ip_address

from adapters.web.addresses import Address


class Names:
    """Resolver with the answers of a test; it counts how often it was asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[Address]:
        self.asked.append(host)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return [ip_address(each) for each in answer.split()]

"""Account and region that a command works on."""

import logging
from threading import Thread
from typing import NamedTuple

from bootstrap.aws.caller import caller_identity
from bootstrap.aws.clients import AwsAccess
from domain.model.errors import ConfigurationError, InfrastructureError

MAX_SECONDS = 5.0
"""Longest wait for the account, without which a command works as well."""

logger = logging.getLogger(__name__)


class AwsPlace(NamedTuple):
    """Region and account, as an operator compares them with what is meant."""

    region: str
    account: str | None
    problem: str = ""  # why the account is not known

    def __str__(self) -> str:
        known = f"account {self.account}" if self.account else f"account not known: {self.problem}"
        return f"Region {self.region}, {known}"


def place_of(access: AwsAccess) -> AwsPlace:
    """Ask STS for the account of the credentials, for a few seconds at most; a failure is part of the answer.

    Raises:
        ConfigurationError: the AWS configuration is invalid.
    """
    try:
        seconds = min(access.timeout_seconds, MAX_SECONDS)
        return AwsPlace(access.region, caller_identity(access, timeout_seconds=seconds).account)
    except InfrastructureError as error:
        return AwsPlace(access.region, None, str(error))


class PlaceLookup:
    """Asks STS in the background, and logs the answer: a service starts and ends without waiting for it."""

    def __init__(self, access: AwsAccess) -> None:
        self._access = access
        self.place = AwsPlace(access.region, None, "STS has not answered yet")
        Thread(target=self._look_up, name="account", daemon=True).start()

    def _look_up(self) -> None:
        try:
            self.place = place_of(self._access)
        except ConfigurationError as error:  # the first client for events or messages raises it as well
            self.place = self.place._replace(problem=str(error))
        found = {"region": self.place.region, "account": self.place.account or "unknown"}
        logger.info(
            "working on AWS", extra=found | ({"reason": self.place.problem} if self.place.problem else {})
        )

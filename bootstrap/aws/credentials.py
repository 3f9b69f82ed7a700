"""Credentials that others renew: whoever writes short-lived keys to a file writes new ones when they expire.

botocore reads such a file once in the life of a session (botocore#704). So a process would be refused from
then on until it is started anew, though the file holds keys that are good.
"""

import logging
from collections.abc import Callable
from threading import Lock
from typing import Any

from botocore.credentials import Credentials, ReadOnlyCredentials, create_credential_resolver
from botocore.session import Session, get_session

from adapters.aws.errors import CREDENTIAL_CODES

logger = logging.getLogger(__name__)


class RenewedCredentials:
    """What the default chain has found; looked for again after AWS has refused it.

    Only the source that was good at first is believed: while a file is rewritten, the chain may find
    somebody else, such as the role of the instance. Safe to use from several threads.

    Attributes:
        method: botocore's name of the source.
    """

    def __init__(self, session: Session, found: Credentials) -> None:
        self._region = session.get_config_variable("region")
        self._found = found
        self._are_refused = False
        self._lock = Lock()
        self.method = found.method
        session.register("after-call", self._look_at)

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """What botocore signs a request with."""
        if self._are_refused:
            self._renew()
        return self._found.get_frozen_credentials()

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        """How botocore asks for the account, for endpoints that are named by it."""
        return lambda: getattr(self._found, name, None)

    def _look_at(self, **answer: Any) -> None:  # noqa: ANN401 - as botocore tells it
        """Take note of an answer of AWS that refuses them, or what a role is assumed with."""
        if str(answer["parsed"].get("Error", {}).get("Code")) in CREDENTIAL_CODES:
            self._are_refused = True

    def _renew(self) -> None:
        """One thread looks, the others wait for it. What is still refused is looked for again."""
        with self._lock:
            if self._are_refused:
                found = self._look()
                if found and found.method == self.method:
                    self._found = found
                self._are_refused = False

    def _look(self) -> Credentials | None:
        session = get_session()  # a new one: sessions remember the profiles that they have read
        session.register("after-call", self._look_at)
        try:
            return _look_up(session, self._region)
        except Exception as error:  # noqa: BLE001 - half a file, or whatever a program of the user's may do
            context = {"error_type": type(error).__name__}
            logger.warning("AWS credentials could not be looked up again", extra=context)
            return None


class RenewingChain:
    """The default chain of a session, as botocore asks for it; the session's clients share what it finds."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def load_credentials(self) -> RenewedCredentials | None:
        """What the chain finds now; None for nothing."""
        found = _look_up(self._session, self._session.get_config_variable("region"))
        return RenewedCredentials(self._session, found) if found else None


def renewing_session() -> Session:
    """A botocore session whose clients recover where their credentials were renewed by others."""
    session = get_session()
    session.register_component("credential_provider", RenewingChain(session))
    return session


def _look_up(session: Session, region: str | None) -> Credentials | None:
    return create_credential_resolver(session, region_name=region).load_credentials()

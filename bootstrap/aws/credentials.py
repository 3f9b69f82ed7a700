"""Credentials of the default chain (requirement 9.4); what AWS can only refuse is named as what it is.

Shells, editors and secret stores add quotes, line ends and byte order marks; botocore would sign with them,
or fail with an error of the network. No message quotes a value.
"""

import json
import logging
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.credentials import (
    DeferredRefreshableCredentials,
    EnvProvider,
    InstanceMetadataProvider,
    create_credential_resolver,
)
from botocore.exceptions import BotoCoreError, ConfigParseError, ProfileNotFound
from botocore.session import Session
from botocore.utils import InstanceMetadataFetcher, resolve_imds_endpoint_mode

from adapters.aws.errors import CredentialFaultError
from domain.model.errors import ConfigurationError

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

logger = logging.getLogger(__name__)

METADATA_CONNECT_SECONDS = 0.25
METADATA_READ_SECONDS = 1

PROCESS = "credential_process"
UNFINISHED_COMMAND = ("No closing quotation", "No escaped character")
"""Errors of `shlex`, with which botocore splits the command."""
EXPIRY = (
    "the expiry time of the credentials (Expiration of credential_process, or AWS_CREDENTIAL_EXPIRATION) "
    "cannot be read: write ISO 8601 with a time zone, such as 2026-11-23T18:00:00Z"
)
PERMANENT, TEMPORARY = "AKIA", "ASIA"
"""Prefixes of AWS's own access keys (IAM User Guide, "Understanding unique ID prefixes")."""
ACCESS_KEY = re.compile(f"(?:{PERMANENT}|{TEMPORARY})[A-Z0-9]{{16}}")
ENCODED = re.compile("%2[BbFf]")
SECRET_KEY = re.compile("[A-Za-z0-9/+]{40}")
QUOTES = "\"'`\u201c\u201d\u2018\u2019"

_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_WORDS = ("access key id", "secret access key", "session token")


class CheckedCredentials:
    """Credentials of botocore's that are checked before the first call is signed with their values."""

    def __init__(self, credentials: "Credentials") -> None:
        self._credentials = credentials
        self._checked: ReadOnlyCredentials | None = None  # the values that were checked last

    def __getattr__(self, name: str) -> object:
        return getattr(self._credentials, name)

    def get_frozen_credentials(self) -> "ReadOnlyCredentials":
        """Return the values for a signature, refreshed where they were about to expire.

        Raises:
            CredentialFaultError: their source failed, or a value is none that AWS could accept.
        """
        with naming_faults():
            found = self._credentials.get_frozen_credentials()
        if found != self._checked:
            check_form(found.access_key, found.secret_key, found.token, method=self._credentials.method)
            self._checked = found
        return found


class CheckedResolver:
    """Takes the place of a session's chain of credentials."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def load_credentials(self) -> CheckedCredentials | None:
        """Return the first credentials of the chain; None where there are none."""
        with naming_faults():
            return _checked(create_credential_resolver(self._session).load_credentials())


def credentials_found(session: Session | None = None) -> bool:
    """Check that the default credential chain finds credentials, without a long time-out.

    The last provider of the chain, an instance's metadata service, is asked only where its address accepts
    connections: elsewhere botocore would wait for seconds.

    Raises:
        ConfigurationError: the configured credentials are invalid.
    """
    session = session or Session()
    with naming_what_is_wrong():
        chain = create_credential_resolver(session)
        chain.remove(InstanceMetadataProvider.METHOD)
        with naming_faults():
            found = _checked(chain.load_credentials())
        return found is not None or _instance_has_a_role(session)


@contextmanager
def naming_what_is_wrong() -> Iterator[None]:
    """Turn botocore's errors about the configuration into one of ours."""
    try:
        yield
    except CredentialFaultError as error:
        raise ConfigurationError(f"The AWS credentials cannot be used: {error}.") from None
    except ProfileNotFound:
        raise ConfigurationError(_unknown_profile()) from None
    except ConfigParseError as error:
        raise ConfigurationError(_unparsable(Path(str(error.kwargs["path"])).expanduser())) from None
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(
            f"The AWS configuration is invalid ({type(error).__name__}): {error}"
        ) from error


@contextmanager
def naming_faults() -> Iterator[None]:
    """Name what botocore fails over by accident while it reads credentials.

    Raises:
        CredentialFaultError: the values cannot be read, or have expired.
    """
    try:
        yield
    except json.JSONDecodeError as error:
        mark = ", but a byte order mark first" if "BOM" in error.msg else ""
        raise CredentialFaultError(fault=f"{PROCESS} printed no JSON{mark}") from None
    except UnicodeDecodeError:
        raise CredentialFaultError(fault=f"{PROCESS} printed no UTF-8, but perhaps UTF-16") from None
    except AttributeError:
        raise CredentialFaultError(fault=f"{PROCESS} printed JSON that is no object") from None
    except (ValueError, TypeError, OverflowError) as error:
        is_quotation = str(error) in UNFINISHED_COMMAND
        fault = f"{PROCESS} has a quotation that does not end" if is_quotation else EXPIRY
        raise CredentialFaultError(fault=fault) from None
    except OSError as error:
        raise CredentialFaultError(fault=f"{error.filename or PROCESS}: {error.strerror}") from None
    except RuntimeError:
        raise CredentialFaultError(
            fault="they have expired, and their source returned no newer ones"
        ) from None


def check_form(access_key: object, secret_key: object, token: object, *, method: str) -> None:
    """Check what AWS would refuse for its form alone.

    Raises:
        CredentialFaultError: names the value by its variable, or by its word and the provider of the chain.
    """
    named = dict(zip(_names(method), (access_key, secret_key, token or ""), strict=True))
    for name, value in named.items():
        if fault := _fault_of(value):
            raise CredentialFaultError(fault=f"{name} {fault}")
    if fault := _fault_of_all(*map(str, named.values())):
        raise CredentialFaultError(fault=fault.format(*named))


def _names(method: str) -> tuple[str, ...]:
    return _VARIABLES if method == EnvProvider.METHOD else tuple(f"the {word} of {method}" for word in _WORDS)


def _fault_of(value: object) -> str | None:
    if not isinstance(value, str):
        return "is no text"
    faults = (
        (
            "\ufeff" in value,
            "contains a byte order mark, as editors of Windows write it: save it as UTF-8 without",
        ),
        (bool({"\r", "\n"} & {*value}), "contains a line end, as of a file or a secret store: remove it"),
        (value != value.strip(), "begins or ends with white space: remove it"),
        (any(map(str.isspace, value)), "contains white space, perhaps a comment behind it: remove it"),
        (
            value.endswith(("\\n", "\\r")),
            "ends with a line end that is written out as a backslash and a letter",
        ),
        (
            bool({value[:1], value[-1:]} & {*QUOTES}),
            "is in quotation marks, which are part of it here: remove them",
        ),
        (not (value.isascii() and value.isprintable()), "contains a character that is not printable ASCII"),
        (value.startswith(("${", "$(")), "is the name of a variable that was not replaced"),
    )
    return next((fault for is_so, fault in faults if is_so), None)


def _fault_of_all(access_key: str, secret_key: str, token: str) -> str | None:
    if ACCESS_KEY.fullmatch(secret_key) and SECRET_KEY.fullmatch(access_key):
        return "{0} and {1} are swapped"
    if not ACCESS_KEY.fullmatch(access_key):
        return None  # of LocalStack or another emulator
    if access_key.startswith(TEMPORARY) and not token:
        return "{2} is missing: {0} begins with ASIA, so it is temporary and needs one"
    if access_key.startswith(PERMANENT) and token:
        return "{2} does not belong to {0}, which begins with AKIA and has none: remove it"
    return "{1} is encoded for a URL (%2F, %2B): decode it" if ENCODED.search(secret_key) else None


def _checked(found: "Credentials | None") -> CheckedCredentials | None:
    """Check credentials that are there already; those of a role or single sign-on are fetched later."""
    if found is None:
        return None
    checked = CheckedCredentials(found)
    if not isinstance(found, DeferredRefreshableCredentials):
        checked.get_frozen_credentials()
    return checked


def _unknown_profile() -> str:
    profile, known = os.environ.get("AWS_PROFILE", ""), Session(profile="default").available_profiles
    nearest = get_close_matches(profile, known, n=1)
    hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    return f"AWS_PROFILE={profile!r} is not a profile of this machine, which has {known or 'none'}{hint}."


def _unparsable(file: Path) -> str:
    content = file.read_bytes()
    if b"\0" in content:
        return f"{file} contains zero bytes, as UTF-16 does: save it as UTF-8."
    if content.startswith(b"\xef\xbb\xbf"):
        return f"{file} begins with a byte order mark: save it as UTF-8 without one."
    return f"{file} cannot be parsed: it needs [sections] with lines of the form name = value, in UTF-8."


def _instance_has_a_role(session: Session) -> bool:
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "false").lower() == "true":
        return False
    fetcher = InstanceMetadataFetcher(
        timeout=METADATA_READ_SECONDS,
        num_attempts=1,
        user_agent=session.user_agent(),
        config={
            "ec2_metadata_service_endpoint": session.get_config_variable("ec2_metadata_service_endpoint"),
            "ec2_metadata_service_endpoint_mode": resolve_imds_endpoint_mode(session),
        },
    )
    try:
        return _listens(fetcher.get_base_url()) and bool(fetcher.retrieve_iam_role_credentials())
    except BotoCoreError as error:  # botocore calls it through a proxy, where one is configured
        logger.warning(
            "could not get a role from the instance metadata service; add its address to NO_PROXY",
            extra={"address": fetcher.get_base_url(), "error_type": type(error).__name__},
        )
        return False


def _listens(url: str) -> bool:
    address = urlsplit(url)
    with suppress(OSError):
        socket.create_connection(
            (address.hostname or "", address.port or 80), timeout=METADATA_CONNECT_SECONDS
        ).close()
        return True
    return False

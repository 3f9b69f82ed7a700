"""Settings: read from the environment once and checked at the start (requirement 11).

The variables are a contract with operators: `.env.example` and the README list the same ones.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Self

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from bootstrap.choices import Choice
from bootstrap.settings.access import AccessSettings
from bootstrap.settings.brokers import BrokerSettings
from bootstrap.settings.events import DEFAULT_REGION_VARIABLE, EventSettings
from bootstrap.settings.jobs import JobSettings
from bootstrap.settings.redaction import RedactionSettings
from bootstrap.settings.service import ServiceSettings
from bootstrap.settings.telemetry import TelemetrySettings
from bootstrap.settings.webhook import WebhookSettings
from domain.model.errors import ConfigurationError

_SECRETS = frozenset(
    {
        "JOB_BROKER",
        "KAFKA_PASSWORD",
        "NATS_URL",
        "OPENAI_API_KEY",
        "RABBITMQ_URL",
        "WEBHOOK_SECRETS",
        "WEBHOOK_URL",
    }
)
"""Variables whose values no error quotes."""


class Settings(
    EventSettings,
    WebhookSettings,
    BrokerSettings,
    AccessSettings,
    JobSettings,
    RedactionSettings,
    ServiceSettings,
    TelemetrySettings,
):
    """Settings of the service; each group is in a module of its own."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings from a mapping such as `os.environ`; a blank variable counts as absent.

        Raises:
            ConfigurationError: names all invalid variables, and their valid values.
        """
        try:
            return cls.model_validate({name: value for name, value in environ.items() if value.strip()})
        except ValidationError as error:
            problems = (
                _explain(details, environ)
                for details in error.errors(include_url=False)
                if details["type"] != "default_factory_not_called"  # follows from another error
            )
            raise ConfigurationError("\n".join(problems)) from None


def _explain(details: ErrorDetails, environ: Mapping[str, str]) -> str:
    name = str(details["loc"][0]).upper()  # a default that is wrong has the name of the field
    value = environ.get(name, "")
    choices = _field_of(name).annotation
    if name in _SECRETS:
        return f"{name}: {_sentence(details)}"
    is_choice = details["type"] == "enum"  # other faults of a choice are explained in a sentence
    if not (is_choice and isinstance(choices, type) and issubclass(choices, Choice)):
        sentence = _sentence(details)
        return f"{name}={value!r}{'' if sentence.startswith('is not one of') else ':'} {sentence}"
    allowed = [choice.value for choice in choices]
    message = f"{name}={value!r} is not one of {', '.join(allowed)}"
    nearest = get_close_matches(value, allowed, n=1, cutoff=0.5) or get_close_matches(
        value.upper(), allowed, n=1, cutoff=0.5
    )
    return f"{message} (did you mean {nearest[0]!r}?)" if nearest else message


_UNREADABLE = {
    "string_pattern_mismatch",
    "int_parsing",
    "int_from_float",
    "int_parsing_size",
    "float_parsing",
    "bool_parsing",
}


def _field_of(variable: str) -> FieldInfo:
    return Settings.model_fields["aws_region" if variable == DEFAULT_REGION_VARIABLE else variable.lower()]


def _sentence(details: ErrorDetails) -> str:
    description = _field_of(str(details["loc"][0])).description
    if description and details["type"] in _UNREADABLE:
        return description
    text = details["msg"].removeprefix("Value error, ").replace("Input should", "must")
    return text[0].lower() + text[1:]

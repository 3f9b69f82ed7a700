"""Checks of services that speak OpenAI's protocol: key, address and model; nothing is transcribed."""

import asyncio
from datetime import date
from typing import TYPE_CHECKING

from bootstrap.factories.openai import cleaner_model, openai_access, openai_model
from bootstrap.operator.examination import Check, CheckResult
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError, TranscriptionError

if TYPE_CHECKING:
    from adapters.openai.access import OpenAiAccess

NAMED = "Correct what the message names."
REMEDY = "Correct OPENAI_API_KEY or OPENAI_BASE_URL, or ask the operator of the service."


def engine_check(settings: Settings) -> Check:
    """Check that the service of `TRANSCRIBER=openai` accepts the key and lists the model."""
    try:
        access = openai_access(settings, "TRANSCRIBER=openai")
    except ConfigurationError as error:
        return Check("engine", CheckResult.WRONG, str(error), NAMED)
    check = _check("engine", access, settings.transcriber_model)
    ends = openai_model(settings).ends_warning(date.today()) if access.is_openai else None  # noqa: DTZ011 - the operator's day
    if ends is None or check.failed:
        return check
    return check._replace(
        verdict=CheckResult.WARNING, found=f"{check.found}; {ends}", remedy="Change TRANSCRIBER_MODEL."
    )


def cleaner_check(settings: Settings) -> Check:
    """Check that the service of `CLEANER=openai` accepts the key and lists the model."""
    try:
        access, model = openai_access(settings, "CLEANER=openai"), cleaner_model(settings)
    except ConfigurationError as error:
        return Check("cleaner", CheckResult.WRONG, str(error), NAMED)
    return _check("cleaner", access, model)


def _check(name: str, access: "OpenAiAccess", model: str) -> Check:
    try:
        models = asyncio.run(_models(access))
    except TranscriptionError as error:
        return Check(name, CheckResult.WRONG, str(error), REMEDY)
    if models is None:
        found = f"{access.host} answers, but has no list of models (GET …/models)"
        return Check(name, CheckResult.WARNING, found, "Check OPENAI_BASE_URL, which often ends with /v1.")
    if model not in models:
        found = f"{access.host} accepts the key, but does not list the model {model}"
        return Check(name, CheckResult.WARNING, found, "Check the name of the model.")
    return Check(name, CheckResult.OK, f"{access.host} accepts the key and lists the model {model}")


async def _models(access: "OpenAiAccess") -> frozenset[str] | None:
    from adapters.openai.calls import Calls  # noqa: PLC0415 - an extra, and slow to import
    from adapters.openai.endpoint import models_of  # noqa: PLC0415 - likewise

    async with access.client() as client:
        return await models_of(client, Calls(access.host, pause=lambda _: 0.0))

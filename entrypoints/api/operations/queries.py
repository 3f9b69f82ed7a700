"""Parameters of operators' requests, all in the query."""

from collections.abc import Sequence
from uuid import UUID

from starlette.requests import Request

from domain.model.events.kinds import EventKind
from domain.model.messages.dead_letter import Selection
from domain.model.outbox import OutboxState
from domain.services.route.verification import DEFAULT_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS
from entrypoints.api.parameters import invalid_parameter, whole_number

DEFAULT_LIMIT, MAX_LIMIT = 100, 500
"""Events or dead letters of one answer or action; the commands have no such limit."""
MAX_IDS = 100
"""Ids in the query of one request."""


def limit_of(request: Request) -> int:
    """Read the maximum number of events or messages.

    Raises:
        InvalidParameterError: it is no number from 1 to `MAX_LIMIT`.
    """
    return whole_number("limit", request.query_params.get("limit"), default=DEFAULT_LIMIT, maximum=MAX_LIMIT)


def state_of(request: Request) -> OutboxState | None:
    """Read the state that events should have; None for any.

    Raises:
        InvalidParameterError: there is no such state.
    """
    text = request.query_params.get("state")
    if text is not None and text not in set(OutboxState):
        raise invalid_parameter("state", text, ", ".join(OutboxState))
    return None if text is None else OutboxState(text)


def kind_of(request: Request, kinds: Sequence[EventKind]) -> EventKind:
    """Read the kind of events, completed ones by default.

    Raises:
        InvalidParameterError: events of that kind are not sent.
    """
    text = request.query_params.get("kind", EventKind.COMPLETED)
    if text not in kinds:
        raise invalid_parameter("kind", text, ", ".join(kinds))
    return EventKind(text)


def timeout_of(request: Request) -> float:
    """Read how long to wait for a test event, in whole seconds.

    Raises:
        InvalidParameterError: it is no such number.
    """
    text = request.query_params.get("timeout")
    return whole_number(
        "timeout", text, default=int(DEFAULT_TIMEOUT_SECONDS), maximum=int(MAX_TIMEOUT_SECONDS)
    )


def chosen_events(request: Request) -> Sequence[UUID] | None:
    """Read the events to retry: their ids, or None for all rejected ones.

    Raises:
        InvalidParameterError: neither ids nor `all_rejected=true` are given, or both; or an id is no UUID.
    """
    ids = request.query_params.getlist("interaction_id")
    is_all = _is_true(request, "all_rejected")
    if is_all == bool(ids) or len(ids) > MAX_IDS:
        allowed = f"true without ids, or absent beside 1 to {MAX_IDS} of interaction_id"
        raise invalid_parameter("all_rejected", request.query_params.get("all_rejected"), allowed)
    return None if is_all else [_uuid("interaction_id", text) for text in ids]


def chosen_letters(request: Request) -> Selection:
    """Read which dead letters are meant: one by its id, those of a tenant, or all; at most `limit`.

    Raises:
        InvalidParameterError: not exactly one of `id`, `tenant_id` and `all=true` is given.
    """
    message_id, tenant = (request.query_params.get(name) for name in ("id", "tenant_id"))
    is_all = _is_true(request, "all")
    if [bool(message_id), bool(tenant), is_all].count(True) != 1:
        raise invalid_parameter("all", request.query_params.get("all"), "true without id and tenant_id")
    return Selection(
        id=message_id or None,
        tenant_id=_uuid("tenant_id", tenant) if tenant else None,
        limit=limit_of(request),
    )


def listed_letters(request: Request) -> Selection:
    """Read which dead letters are listed: all, or those of a tenant.

    Raises:
        InvalidParameterError: the tenant is no UUID.
    """
    tenant = request.query_params.get("tenant_id")
    return Selection(tenant_id=_uuid("tenant_id", tenant) if tenant else None, limit=limit_of(request))


def _is_true(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "false")
    if text not in {"true", "false"}:
        raise invalid_parameter(name, text, "true or false")
    return text == "true"


def _uuid(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise invalid_parameter(name, text, "a UUID") from error

"""`/console/session`: what a browser proves once, and a cookie stands for afterwards."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, JsonValue

from bootstrap.choices import Authentication
from domain.model.access import Caller, Credentials, Scope
from domain.model.api_keys import PlainKey, parse_key
from domain.model.errors import (
    AccessDeniedError,
    ApiKeyError,
    InvalidIdentityError,
    UnauthenticatedError,
    UnknownTenantError,
)
from domain.model.identity import DEFAULT_USER_ID, is_printable, uuid4_or_none
from domain.services.api_keys import SESSION_SECONDS
from entrypoints.api.access import identified
from entrypoints.api.browsers import COOKIE, WITH_KEYS, cookie_of, refuse_other_sites
from entrypoints.api.jobs.bodies import read_json
from entrypoints.api.operations.context import NOT_STORED
from entrypoints.api.parameters import invalid_parameter
from entrypoints.api.problems import InvalidParameterError

router = APIRouter(prefix="/console/session", include_in_schema=False)

NAMED_SECONDS = 365 * 86_400
"""Life of the cookie of a caller without proof."""
BODY_SECONDS = 10.0
_NOT_PROVEN = (UnauthenticatedError, AccessDeniedError, InvalidIdentityError, UnknownTenantError)


class Session(BaseModel):
    """Caller as the service knows it, and what the console must know about the service."""

    auth: Authentication
    signed_in: bool
    tenant_id: UUID | None
    user_id: str | None
    scopes: tuple[Scope, ...]
    max_upload_bytes: int
    recordings_are_kept: bool


@router.get("")
async def show_session(request: Request) -> Response:
    """Tell who the caller is; a caller without proof may ask, too."""
    try:
        return _shown(request, await identified(request))
    except _NOT_PROVEN:
        return _shown(request, None)


@router.post("")
async def open_session(request: Request) -> Response:
    """Trade a key, or the names of a caller who needs no proof, for a cookie."""
    refuse_other_sites(request)
    authentication: Authentication = request.app.state.container.settings().auth
    if authentication not in {*WITH_KEYS, Authentication.OPEN}:
        raise InvalidParameterError(f"AUTH={authentication} has no sessions: each request proves its caller.")
    body = await read_json(request, timeout_seconds=BODY_SECONDS)
    if authentication is Authentication.OPEN:
        return await _opened(request, _named(body), seconds=NAMED_SECONDS)
    return await _opened(request, await _traded(request, body), seconds=int(SESSION_SECONDS))


@router.delete("")
async def end_session(request: Request) -> Response:
    """End the session, and let the browser forget its cookie."""
    refuse_other_sites(request)
    key = parse_key(request.cookies.get(COOKIE, ""))
    if key is not None and request.app.state.container.settings().auth in WITH_KEYS:
        await _end(request, key)
    response = Response(status_code=204, headers=NOT_STORED)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return response


async def _traded(request: Request, body: Mapping[str, JsonValue]) -> str:
    """Open a session of a key that the caller proves."""
    text = body.get("key")
    key = parse_key(text.strip()) if isinstance(text, str) else None
    if key is None:
        raise UnauthenticatedError("This is no key of the service; a letter may be wrong or missing.")
    container = request.app.state.container
    await container.authenticator().identify(_bearer(key))
    issued = await asyncio.to_thread(container.api_key_service().open_session, key.id)
    session: PlainKey = issued.plain
    return session.text


async def _end(request: Request, key: PlainKey) -> None:
    """Revoke a session that the cookie proves; of another one, there is nothing to end."""
    container = request.app.state.container
    try:
        await container.authenticator().identify(_bearer(key))
        await asyncio.to_thread(container.api_key_service().end_session, key.id)
    except (UnauthenticatedError, ApiKeyError):
        return


def _bearer(key: PlainKey) -> Credentials:
    return Credentials({"authorization": [f"Bearer {key.text}"]})


def _named(body: Mapping[str, JsonValue]) -> str:
    tenant, user = body.get("tenant_id"), body.get("user_id") or DEFAULT_USER_ID
    tenant_id = uuid4_or_none(tenant) if isinstance(tenant, str) else None
    if tenant_id is None:
        raise invalid_parameter("tenant_id", tenant, "a UUID v4")
    if not isinstance(user, str) or not is_printable(user):
        raise invalid_parameter("user_id", user, "a text of printable characters")
    return cookie_of(tenant_id, user)


async def _opened(request: Request, cookie: str, *, seconds: int) -> Response:
    """Answer with the caller of the new session, and its cookie."""
    request.cookies[COOKIE] = cookie
    response = _shown(request, await identified(request))
    response.set_cookie(
        COOKIE, cookie, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict"
    )
    return response


def _shown(request: Request, caller: Caller | None) -> Response:
    """Describe a caller; a tenant that was generated for this request is none."""
    settings = request.app.state.container.settings()
    known = caller if caller is not None and caller.identity.replaced_tenant is None else None
    session = Session(
        auth=settings.auth,
        signed_in=known is not None,
        tenant_id=known and known.identity.tenant_id,
        user_id=known and known.identity.user_id,
        scopes=tuple(sorted(known.scopes)) if known else (),
        max_upload_bytes=settings.max_upload_bytes,
        recordings_are_kept=settings.recording_keep_days > 0,
    )
    return Response(session.model_dump_json(), headers=NOT_STORED, media_type="application/json")

"""`/operations`: outbox, route and dead letters, for operators with the scope `operate`."""

from contextlib import closing
from functools import partial

from fastapi import APIRouter, Request, Response

from bootstrap.operator.archives import archive_at
from bootstrap.transports import is_on_aws
from domain.model import errors
from domain.model.events.kinds import EventKind
from domain.model.messages.dead_letter import Selection
from domain.model.outbox import OutboxState
from domain.model.route.status import Inspection
from domain.services.dead_letters.dead_letters import DeadLetters
from domain.services.dead_letters.scan import Found
from domain.services.route.verification import MAX_TIMEOUT_SECONDS
from entrypoints.api import problems
from entrypoints.api.description import ACCESS, Described, problem_responses
from entrypoints.api.operations import queries, schemas
from entrypoints.api.operations.context import NOT_STORED, OperatorDependency
from entrypoints.api.request_description import query
from entrypoints.api.response_description import TEXT
from ports.event_infrastructure_port import EventInfrastructurePort
from ports.outbox_port import OutboxPort

router = APIRouter(prefix="/operations", tags=["operations"])

_OUTBOX = problem_responses(*ACCESS, problems.InvalidParameterError, errors.OutboxUnavailableError)
_QUEUES = (
    *ACCESS,
    problems.InvalidParameterError,
    errors.InfrastructureError,
    errors.CredentialsRefusedError,
)
_TRUE: Described = {"type": "boolean", "default": False}
_UUID: Described = {"type": "string", "format": "uuid"}
_LIMIT = query(
    "limit",
    "Most events or messages of one request.",
    {"type": "integer", "minimum": 1, "maximum": queries.MAX_LIMIT, "default": queries.DEFAULT_LIMIT},
)
_KIND = query("kind", "Kind of events.", {"type": "string", "enum": [*EventKind], "default": "completed"})
_TIMEOUT = query(
    "timeout",
    "Seconds to wait for the test event.",
    {"type": "integer", "minimum": 1, "maximum": int(MAX_TIMEOUT_SECONDS), "default": 30},
)
_TENANT = query("tenant_id", "Messages about this tenant alone.", _UUID)
_CHOSEN = [
    query("id", "The message with this id, or whose event has this interaction id.", TEXT),
    _TENANT,
    query("all", "Every dead letter, up to the limit.", _TRUE),
    _LIMIT,
    _KIND,
]


@router.get(
    "/outbox",
    operation_id="list_outbox",
    responses=_OUTBOX,
    openapi_extra={
        "parameters": [
            query("state", "Events in this state alone.", {"type": "string", "enum": [*OutboxState]}),
            _LIMIT,
        ]
    },
)
async def list_outbox(
    request: Request, response: Response, operator: OperatorDependency
) -> schemas.OutboxPage:
    """Count the events in the outbox, and list those added last, without their texts."""
    outbox: OutboxPort = operator.container.outbox()
    state, limit = queries.state_of(request), queries.limit_of(request)
    response.headers.update(NOT_STORED)
    return await operator.run(lambda: _page(outbox, state, limit))


@router.post(
    "/outbox/retry",
    operation_id="retry_outbox",
    responses=_OUTBOX,
    openapi_extra={
        "parameters": [
            query("interaction_id", "Event to retry; may be repeated.", {"type": "array", "items": _UUID}),
            query("all_rejected", "Retry every rejected event instead.", _TRUE),
        ]
    },
)
async def retry_outbox(request: Request, operator: OperatorDependency) -> schemas.EventsRetried:
    """Make events due at once: rejected ones wait again, waiting ones wait no longer; published ones stay."""
    chosen = queries.chosen_events(request)
    outbox: OutboxPort = operator.container.outbox()
    events = await operator.run(lambda: outbox.retry(chosen))
    operator.log("operator retried events of the outbox", events=events)
    operator.container.relay().wake()
    return schemas.EventsRetried(events=events)


@router.get("/route", operation_id="show_route", responses=problem_responses(*ACCESS))
async def show_route(response: Response, operator: OperatorDependency) -> schemas.Routes:
    """Show the resources of each route, their drift, and the messages in the queues; changes nothing."""
    response.headers.update(NOT_STORED)
    return await operator.run(partial(_routes, operator))


@router.post(
    "/route/verify",
    operation_id="verify_route",
    responses=problem_responses(*_QUEUES),
    openapi_extra={"parameters": [_KIND, _TIMEOUT]},
)
async def verify_route(request: Request, operator: OperatorDependency) -> schemas.RouteVerification:
    """Send a test event through a route, wait for it in the queue, and diagnose why it does not arrive."""
    kind, timeout = _kind(request, operator), queries.timeout_of(request)
    verification = operator.route(kind).verification()
    operator.log("operator verifies the route", kind=kind.value)
    return schemas.RouteVerification.of(kind, await operator.run(lambda: verification.verify(timeout)))


@router.get(
    "/dead-letters",
    operation_id="list_dead_letters",
    responses=problem_responses(*_QUEUES),
    openapi_extra={"parameters": [_KIND, _TENANT, _LIMIT]},
)
async def list_dead_letters(
    request: Request, response: Response, operator: OperatorDependency
) -> schemas.Letters:
    """List dead letters and the reason for each, without bodies; each look counts as a receive."""
    letters, selection = _letters(request, operator), queries.listed_letters(request)
    response.headers.update(NOT_STORED)
    return await operator.run(lambda: _listed(letters, selection))


@router.get(
    "/dead-letters/{message_id}",
    operation_id="show_dead_letter",
    responses=problem_responses(*_QUEUES, problems.DeadLetterNotFoundError),
    openapi_extra={"parameters": [_KIND]},
)
async def show_dead_letter(
    request: Request, response: Response, message_id: str, operator: OperatorDependency
) -> schemas.LetterWithBody:
    """Show one dead letter with its body, by the id of the message or of its event."""
    letters = _letters(request, operator)
    found = await operator.run(lambda: _first(letters, Selection(id=message_id)))
    operator.log("operator read the body of a dead letter", message_id=found.message.id)
    response.headers.update(NOT_STORED)
    letter = schemas.Letter.of(found.letter)
    return schemas.LetterWithBody(**letter.model_dump(), body=found.message.body)


@router.post(
    "/dead-letters/archive",
    operation_id="archive_dead_letters",
    responses=problem_responses(*_QUEUES, problems.NoArchiveError),
    openapi_extra={"parameters": _CHOSEN},
)
async def archive_dead_letters(request: Request, operator: OperatorDependency) -> schemas.Archived:
    """Move dead letters to DLQ_ARCHIVE, beyond the retention of the queue; `dlq restore` sends them again."""
    letters, selection = _letters(request, operator), queries.chosen_letters(request)
    place = operator.container.settings().dlq_archive
    if place is None:
        raise problems.NoArchiveError(
            "Set DLQ_ARCHIVE to a folder, or to an address such as s3://bucket/prefix."
        )
    archive = archive_at(place, operator.container.aws_access())
    report = await operator.run(lambda: letters.archive(selection, archive, keep=False))
    operator.log("operator archived dead letters", archived=report.done, place=place)
    return schemas.Archived.of(report, place)


@router.post(
    "/dead-letters/redrive",
    operation_id="redrive_dead_letters",
    responses=problem_responses(*_QUEUES),
    openapi_extra={"parameters": _CHOSEN},
)
async def redrive_dead_letters(request: Request, operator: OperatorDependency) -> schemas.Redriven:
    """Move dead letters back to the queue, once their cause is corrected."""
    kind, selection = _kind(request, operator), queries.chosen_letters(request)
    route = operator.route(kind)
    report = await operator.run(lambda: route.redrive().run(selection))
    operator.log("operator redrove dead letters", kind=kind.value, moved=report.moved, failed=report.failed)
    return schemas.Redriven.of(report)


def _page(outbox: OutboxPort, state: OutboxState | None, limit: int) -> schemas.OutboxPage:
    counts, records = outbox.counts(), outbox.records(state, limit=limit)
    return schemas.OutboxPage(
        counts=schemas.OutboxCounts(**counts._asdict()),
        events=[schemas.OutboxEvent.of(each) for each in records],
    )


def _routes(operator: OperatorDependency) -> schemas.Routes:
    container, settings = operator.container, operator.container.settings()
    transport = container.event_transport()
    kinds = settings.event_kinds if is_on_aws(transport) else ()
    routes = [
        schemas.Route.of(kind, _inspected(container.routes()[kind].infrastructure(), settings.archive_days))
        for kind in kinds
    ]
    ok = all(route.ok for route in routes)
    return schemas.Routes(transport=str(transport), ok=ok, routes=routes)


def _inspected(infrastructure: EventInfrastructurePort, archive_days: int | None) -> Inspection | str:
    try:
        return infrastructure.inspect(archive_days=archive_days)
    except errors.InfrastructureError as error:
        return str(error)


def _kind(request: Request, operator: OperatorDependency) -> EventKind:
    return queries.kind_of(request, operator.container.settings().event_kinds)


def _letters(request: Request, operator: OperatorDependency) -> DeadLetters:
    letters: DeadLetters = operator.route(_kind(request, operator)).dead_letter_service()
    return letters


def _listed(letters: DeadLetters, selection: Selection) -> schemas.Letters:
    counts = schemas.LetterCounts(**letters.depth()._asdict())
    with closing(letters.each(selection)) as found:
        return schemas.Letters(counts=counts, dead_letters=[schemas.Letter.of(each.letter) for each in found])


def _first(letters: DeadLetters, selection: Selection) -> Found:
    with closing(letters.each(selection)) as found:
        one = next(found, None)
    if one is None:
        raise problems.DeadLetterNotFoundError(
            "The dead-letter queue has no such message, or another reader holds it. Try again in two minutes."
        )
    return one

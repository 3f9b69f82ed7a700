"""Answers of an endpoint that did not take an event: what each status says, and what to do."""

from http import HTTPStatus

from adapters.web.webhook.client import Answer
from domain.model.route.route import Finding, RouteComponent

_SIGNATURE = "Give the endpoint the secret of WEBHOOK_SECRETS, and let it verify the raw body."
_REMEDIES = {
    HTTPStatus.UNAUTHORIZED: _SIGNATURE,
    HTTPStatus.FORBIDDEN: _SIGNATURE,
    HTTPStatus.NOT_FOUND: "Correct the path of WEBHOOK_URL.",
    HTTPStatus.METHOD_NOT_ALLOWED: "Let the endpoint accept POST, or correct the path of WEBHOOK_URL.",
    HTTPStatus.GONE: "Set WEBHOOK_URL to the new endpoint; events are kept until then.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Let the endpoint accept bodies of EVENT_MAX_BYTES, or lower that.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Let the endpoint accept application/cloudevents+json.",
    HTTPStatus.TOO_MANY_REQUESTS: "Let the endpoint accept more requests; events are tried again.",
}


def refusal(host: str, answer: Answer) -> Finding:
    """Describe an answer that accepts no event; it quotes nothing that the endpoint sent."""
    page = " with a web page" if answer.is_page else ""
    evidence = f"{host} answered {answer.status}{page}"
    return Finding(RouteComponent.ENDPOINT, "the endpoint did not take the event", evidence, _remedy(answer))


def _remedy(answer: Answer) -> str:
    if 300 <= answer.status < 400:  # noqa: PLR2004 - the class of redirects
        return "Set WEBHOOK_URL to the address to which the endpoint redirects; redirects are not followed."
    if answer.is_page:
        return "Correct WEBHOOK_URL: a proxy, a login or a parked name answers there, and takes no event."
    known = _REMEDIES.get(HTTPStatus(answer.status)) if answer.status in set(HTTPStatus) else None
    return known or "See the log of the endpoint; events are kept and tried again."

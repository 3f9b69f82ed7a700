"""Jobs: submissions, preferences (RFC 7240), and ids that no job has (RFC 9110, 9.3 and 15)."""

from tests.support.wire.case import SOUND, Case, form, get, head, post

ID = "7b1c54c5-9a0e-4b07-8b1f-1f4f3ce8a1de"
FORM = form()


def _json(body: bytes) -> bytes:
    kind = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    return head("POST /batch/jobs HTTP/1.1", *kind) + body


def _unknown(request: str, why: str, line: str, *headers: str) -> Case:
    return Case(request, why, (head(f"{line} HTTP/1.1", *headers),), 404, "job-not-found")


JOBS = (
    Case(
        "`POST /batch/jobs`",
        "9110, 15.3.3: accepted; `Location` and `Retry-After` say where and when to look",
        (post(FORM, path="/batch/jobs"),),
        202,
    ),
    Case(
        "the same in JSON, with a source of an unknown scheme",
        "ours: before the job is accepted",
        (_json(b'{"source": {"url": "gopher://a/b"}}'),),
        422,
        "source-refused",
    ),
    Case("the same without a source", "ours", (_json(b"{}"),), 400, "missing-recording"),
    Case("the same, a JSON list", "ours: an object", (_json(b"[]"),), 400, "malformed-upload"),
    Case(
        "`Prefer: respond-async` of `POST /batch/process`",
        "7240, 4.1: a job; `Preference-Applied` says so",
        (post(FORM, "Prefer: respond-async"),),
        202,
    ),
    Case(
        "`Prefer: wait=0`",
        "7240, 4.3: a job that has not ended by then",
        (post(FORM, "Prefer: wait=0"),),
        202,
    ),
    Case(
        "`Prefer` twice, with quotes and parameters",
        "7240, 2: one list",
        (post(FORM, "Prefer: foo; bar", 'Prefer: RESPOND-ASYNC, wait="0"'),),
        202,
    ),
    Case(
        "`Prefer: wait=soon`",
        "7240, 2: a preference that cannot be read is ignored",
        (post(FORM, "Prefer: wait=soon"),),
        heard=SOUND,
    ),
    Case("`GET /batch/jobs`", "9110, 9.3.1", (get("/batch/jobs"),)),
    Case(
        "`GET /batch/jobs?limit=0`",
        "ours: a value that the parameter does not have",
        (get("/batch/jobs?limit=0"),),
        400,
        "invalid-parameter",
    ),
    Case(
        "`DELETE /batch/jobs`",
        "9110, 15.5.6: only single jobs are deleted",
        (head("DELETE /batch/jobs HTTP/1.1"),),
        405,
        "method-not-allowed",
    ),
    _unknown(
        "`GET /batch/jobs/{id}`, of another tenant or of none",
        "9110, 15.5.5: the same bytes for both",
        f"GET /batch/jobs/{ID}",
    ),
    _unknown("`GET /batch/jobs/7`", "9110, 15.5.5: no job has this id", "GET /batch/jobs/7"),
    _unknown("`HEAD /batch/jobs/7`", "9110, 9.3.2: like GET, without content", "HEAD /batch/jobs/7"),
    _unknown(
        "`GET /batch/jobs/7/events`",
        "9110, 12.5.1: a problem, and no stream",
        "GET /batch/jobs/7/events",
        "Accept: text/event-stream",
    ),
    _unknown("`DELETE /batch/jobs/7`", "9110, 9.3.5", "DELETE /batch/jobs/7"),
    _unknown("`POST /batch/jobs/7/retry`", "9110, 15.5.5", "POST /batch/jobs/7/retry", "Content-Length: 0"),
)

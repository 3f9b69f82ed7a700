"""The console with a day of talk: 36,000 words that scroll, and of which one stands out at each step.

A frame is measured from its first script to the end of its painting, in Debian's Chromium without a window.
"""

import tempfile
from typing import Any
from uuid import UUID, uuid4

from adapters.sql.jobs.jobs import SqlJobs
from benchmarks.harness import percentile
from benchmarks.report import Report, Table, Target
from benchmarks.servers import service
from bootstrap.factories.database import prepare_database
from domain.model.jobs import JobResult, StoredRecording
from domain.model.transcripts import Segment, Transcript, Word
from tests.support.harness.browser import running_browser
from tests.support.samples.jobs import QUEUE, an_order, completed

SEGMENTS, WORDS_EACH = 3_600, 10
WORD_SECONDS = 0.4
STEPS = 600
FRAME_MILLISECONDS = 16
TENANT = uuid4()

FRAMES = """
async ({steps, seconds, first, follows}) => {
  const list = document.querySelector("segment-list");
  const painted = () => new Promise((resolve) => {
    const {port1, port2} = new MessageChannel();
    port1.onmessage = () => resolve(performance.now());
    port2.postMessage(null);
  });
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const found = {marks: [], frames: []};
  for (let step = 0; step < steps; step++) {
    await frame();
    const begun = performance.now();
    list.mark((first + step) * seconds, follows);
    found.marks.push(performance.now() - begun);
    found.frames.push((await painted()) - begun);
  }
  return found;
}
"""
"""Mark one word a frame; the message is handled behind the painting of the frame in which it was sent."""


def measure() -> Report:
    """Step through the words at the beginning, through all of them, and with the list following."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/transcripts.db"
        job_id = _stored(url)
        environ = {"EVENT_TRANSPORT": "noop", "DATABASE_URL": url, "CONSOLE": "true"}
        with service(environ) as running, running_browser() as browser:
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            page = context.new_page()
            page.goto(f"{running.url}/console/")
            page.evaluate(
                """(body) => fetch("session", {method: "POST", body: JSON.stringify(body),
                headers: {"Content-Type": "application/json"}})""",
                {"tenant_id": str(TENANT), "user_id": "user-7"},
            )
            page.goto(f"{running.url}/console/#/jobs/{job_id}")
            page.reload()
            page.locator("segment-list li").first.wait_for()
            still = _frames(page, seconds=WORD_SECONDS, follows=False)
            follows = _frames(page, seconds=WORD_SECONDS, follows=True)
            leaps = _frames(page, seconds=WORD_SECONDS * SEGMENTS * WORDS_EACH / STEPS, follows=True)
    return _report({"a word marked": still, "the list follows": follows, "the list leaps": leaps})


def _stored(url: str) -> UUID:
    """Store a completed job, whose recording is no longer kept."""
    database = prepare_database(url)
    jobs = SqlJobs(database)
    jobs.add(an_order(tenant_id=TENANT, recording=StoredRecording("gone", "0" * 64, 5)))
    (lease,) = jobs.claim([QUEUE], limit=1, lease_seconds=60)
    transcript = Transcript(
        duration_seconds=SEGMENTS * WORDS_EACH * WORD_SECONDS,
        segments=tuple(_segment(number) for number in range(SEGMENTS)),
    )
    result = JobResult(transcript=transcript, cleaned_text=transcript.text, cleaner="rules")
    assert jobs.complete(lease, result, completed(lease.job, result))  # noqa: S101 - such a run has no figures
    database.close()
    return lease.job.id


def _segment(number: int) -> Segment:
    begin = number * WORDS_EACH * WORD_SECONDS
    words = tuple(
        Word(
            start=begin + place * WORD_SECONDS,
            end=begin + (place + 1) * WORD_SECONDS,
            text=f"word{(number * WORDS_EACH + place) % 997}",
            confidence=0.3 if place == number % WORDS_EACH else 0.9,
        )
        for place in range(WORDS_EACH)
    )
    text = " ".join(word.text for word in words)
    return Segment(start=begin, end=begin + WORDS_EACH * WORD_SECONDS, text=text, words=words)


def _frames(page: Any, *, seconds: float, follows: bool) -> dict[str, list[float]]:  # noqa: ANN401 - Playwright is untyped here
    options = {"steps": STEPS, "seconds": seconds, "first": 1, "follows": follows}
    found: dict[str, list[float]] = page.evaluate(FRAMES, options)
    return found


def _report(found: dict[str, dict[str, list[float]]]) -> Report:
    rows = [
        (
            f"{name}: {part}",
            *(f"{percentile(values, percent):.1f}" for percent in (50, 95, 99)),
            f"{max(values):.1f}",
        )
        for name, parts in found.items()
        for part, values in (("step", parts["marks"]), ("frame", parts["frames"]))
    ]
    steps, frames = (found["the list follows"][part] for part in ("marks", "frames"))
    return Report(
        tables=(Table(("36,000 words, ms", "p50", "p95", "p99", "longest"), tuple(rows)),),
        targets=(
            Target(
                f"step p99, of {FRAME_MILLISECONDS} ms",
                percentile(steps, 99) / FRAME_MILLISECONDS,
                at_most=1.0,
            ),
            Target(
                f"frame p99, of {FRAME_MILLISECONDS} ms",
                percentile(frames, 99) / FRAME_MILLISECONDS,
                at_most=1.0,
            ),
        ),
    )

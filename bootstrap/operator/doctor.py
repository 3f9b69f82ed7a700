"""Checks of `transcripts doctor`: environment, engine, database, route; nothing is left behind or sent."""

import asyncio
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec

import boto3

from adapters.speech.decoding.versions import MENDED, ffmpeg_version, has_known_holes
from adapters.speech.workers.process import WorkerLimits, WorkerProcess
from adapters.speech.workers.program import Program
from adapters.sql.engines.sqlite import has_wal_reset_race, library
from bootstrap.aws.caller import caller_identity
from bootstrap.aws.clients import AwsAccess
from bootstrap.aws.credentials import credentials_found
from bootstrap.capacity import capacity
from bootstrap.choices import Cleaner, EventTransport, Transcriber
from bootstrap.container import Container
from bootstrap.factories.transcriber import reader_program, recogniser_program, sees_cuda
from bootstrap.operator.callers import callers
from bootstrap.operator.endpoints import cleaner_check, engine_check
from bootstrap.operator.engines import amazon_transcribe
from bootstrap.operator.examination import Check, CheckResult, run_checks
from bootstrap.operator.recordings import store_of_recordings
from bootstrap.operator.redaction import redactor
from bootstrap.operator.storage import database, disk_space, free_space
from bootstrap.operator.transports import transport_check
from bootstrap.settings.service import GIB
from bootstrap.transports import has_bus, is_on_aws, is_provisioned_elsewhere
from bootstrap.variables import misspelt
from domain.model.errors import CredentialsRefusedError, InfrastructureError
from domain.model.route.route import Finding, RouteComponent

"""Transports of AWS, whose routes are checked."""
TRY_AGAIN = "Correct what the message names, and try again."


def examine(container: Container, *, seconds: float) -> Iterator[Check]:
    """Run all checks, each for `seconds` at most, and yield each result at once."""
    return run_checks({name: partial(check, container) for name, check in _CHECKS.items()}, seconds)


def _python(_container: Container) -> Iterator[Check]:
    yield Check("python", CheckResult.OK, platform.python_version())


def _boto3(_container: Container) -> Iterator[Check]:
    yield Check("boto3", CheckResult.OK, boto3.__version__)


def _sqlite(_container: Container) -> Iterator[Check]:
    found = f"{library.sqlite_version} of {library.__name__.partition('.')[0]}"
    if has_wal_reset_race(library.sqlite_version_info):
        found += ": its WAL can lose commits, so the slower rollback journal is used"
        yield Check(
            "sqlite",
            CheckResult.WARNING,
            found,
            "Use SQLite 3.51.3 or newer: on x86-64, pysqlite3 has one.",
        )
    else:
        yield Check("sqlite", CheckResult.OK, f"{found}, without the WAL-reset race")


def _ffmpeg(_container: Container) -> Iterator[Check]:
    if find_spec("av") is None:
        yield Check("ffmpeg", CheckResult.OK, "PyAV is not installed: this machine cannot transcribe")
        return
    version = ffmpeg_version()
    if has_known_holes(version):
        remedy = f"Use Python 3.12 or newer, where PyAV has FFmpeg {MENDED} or newer."
        yield Check(
            "ffmpeg", CheckResult.WARNING, f"{version}: recordings can reach known vulnerabilities", remedy
        )
    else:
        yield Check("ffmpeg", CheckResult.OK, version)


def _variables(_container: Container) -> Iterator[Check]:
    found = misspelt(os.environ)
    for name, nearest in found.items():
        yield Check("variables", CheckResult.WARNING, f"{name} is unknown", f"Did you mean {nearest}?")
    if not found:
        yield Check("variables", CheckResult.OK, "none looks misspelt")


def _workers(container: Container) -> Iterator[Check]:
    workers, (cores, memory) = container.settings().transcriber_workers, capacity()
    yield Check(
        "workers", CheckResult.OK, f"{workers}, for {cores:g} cores and {memory / GIB:.1f} GiB of memory"
    )


def _engine(container: Container) -> Iterator[Check]:
    if find_spec("av") is None:
        yield Check("engine", CheckResult.OK, "not checked: this machine cannot transcribe")
        return
    if container.settings().transcriber is Transcriber.AMAZON_TRANSCRIBE:
        yield amazon_transcribe(container)
    elif container.settings().transcriber is Transcriber.OPENAI:
        yield engine_check(container.settings())
    else:
        program = recogniser_program(container.settings())
        worker = worker_for(program)
        seconds = asyncio.run(_seconds_to_prove(worker))
        if worker.engine is not None:
            worker.engine.check_setting(container.settings().transcriber_language)
        yield Check("engine", CheckResult.OK, f"{_described(program)}, ready {seconds:.1f} s after its start")


def _decoder(container: Container) -> Iterator[Check]:
    if find_spec("av") is None:
        return
    seconds = asyncio.run(_seconds_to_prove(worker_for(reader_program(container.settings()))))
    yield Check("decoder", CheckResult.OK, f"read half a second of sound, {seconds:.1f} s after its start")


def _cleaner(container: Container) -> Iterator[Check]:
    if container.settings().cleaner is Cleaner.OPENAI:
        yield cleaner_check(container.settings())


def _described(program: Program) -> str:
    engine = program.engine
    if engine is None or engine.folder is None:
        return f"{program.name} transcribed half a second of sound"
    return (
        f"{engine.name} transcribed half a second of sound with {engine.model} ({engine.revision}) "
        f"on {engine.device} ({'a GPU' if sees_cuda() else 'no GPU'} seen), {engine.compute_type}"
    )


def worker_for(program: Program) -> WorkerProcess:
    """Build one worker, without starting it."""
    return WorkerProcess(program, WorkerLimits(stall_seconds=60.0))


async def _seconds_to_prove(worker: WorkerProcess) -> float:
    """Start a worker process, which is ready once it has done its job on built-in sound, and end it."""
    began = time.monotonic()
    try:
        await worker.start()
        return time.monotonic() - began
    finally:
        await worker.stop()


def _credentials(container: Container) -> Iterator[Check]:
    transport = container.settings().event_transport
    found = credentials_found()
    if not (is_on_aws(transport) or transport == EventTransport.AUTO):
        seen = "found, not checked" if found else "none"
        yield Check("credentials", CheckResult.OK, f"{seen}: EVENT_TRANSPORT={transport} needs none")
    elif found:
        yield _caller(container.aws_access())
    else:
        verdict = CheckResult.WRONG if is_on_aws(transport) else CheckResult.WARNING
        remedy = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role."
        yield Check("credentials", verdict, "none found: no event reaches a bus", remedy)


def _caller(access: AwsAccess) -> Check:
    """Ask AWS who these credentials belong to: found credentials may be revoked or expired."""
    try:
        caller = caller_identity(access)
    except CredentialsRefusedError as error:
        return Check("credentials", CheckResult.WRONG, str(error), "Correct them: AWS refuses every call.")
    except InfrastructureError as error:
        return Check("credentials", CheckResult.UNKNOWN, str(error), TRY_AGAIN)
    return Check("credentials", CheckResult.OK, f"account {caller.account}, {caller.arn}")


def _route(container: Container) -> Iterator[Check]:
    transport, settings = container.event_transport(), container.settings()
    if is_provisioned_elsewhere(transport):
        yield transport_check(container)
        return
    if not is_on_aws(transport):
        yield Check("route", CheckResult.OK, f"not checked: events go to {transport}")
        return
    for kind in settings.event_kinds:
        names, infrastructure = settings.routes[kind], container.routes()[kind].infrastructure()
        bus, topic = (
            f"bus {names.bus}, rule {names.rule} and its target",
            f"topic {names.topic} and its queue",
        )
        found = f"{topic if settings.is_sns else bus} {names.queue} are as provisioned"
        yield from _checks(infrastructure.diagnose(), Check("route", CheckResult.OK, found))


def _payload_bucket(container: Container) -> Iterator[Check]:
    transport, store = container.event_transport(), container.payloads()
    name, bucket = RouteComponent.PAYLOAD_BUCKET.value, container.settings().payload_bucket
    if store is None:
        found = "PAYLOAD_BUCKET is not set: a transcript that is too large for an event is parked"
        yield Check(name, CheckResult.OK, found)
    elif not has_bus(transport):
        yield Check(name, CheckResult.OK, f"not checked: events go to {transport}")
    else:
        found = f"{bucket} exists, and seems to accept transcripts (none was stored to try)"
        yield from _checks(store.diagnose(), Check(name, CheckResult.OK, found))


def _recordings(container: Container) -> Iterator[Check]:
    yield store_of_recordings(container.settings(), container.aws_access, disk_space)


def _checks(findings: Sequence[Finding], nothing_wrong: Check) -> Iterator[Check]:
    if not findings:
        yield nothing_wrong
    for finding in findings:
        verdict = CheckResult.WRONG if finding.proven else CheckResult.UNKNOWN
        yield Check(
            finding.component.value, verdict, f"{finding.problem}: {finding.evidence}", finding.remedy
        )


_CHECKS: dict[str, Callable[[Container], Iterable[Check]]] = {
    "python": _python,
    "boto3": _boto3,
    "sqlite": _sqlite,
    "ffmpeg": _ffmpeg,
    "variables": _variables,
    "callers": callers,
    "workers": _workers,
    "engine": _engine,
    "decoder": _decoder,
    "cleaner": _cleaner,
    "redactor": redactor,
    "database": database,
    "space": free_space,
    "credentials": _credentials,
    "route": _route,
    "payload bucket": _payload_bucket,
    "recordings": _recordings,
}

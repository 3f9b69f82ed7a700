"""Contract of `TracePort`: one test for each sentence of its docstrings.

An adapter binds the contract by subclassing it and providing the fixture `traces`. One that records nothing
binds the first class alone.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

import pytest

from ports.trace_port import SpanAttributes, SpanKind, TracePort
from tests.support.samples.factories import A_TRACEPARENT, ANOTHER_TRACEPARENT

UNREADABLE = ("", "nonsense", "00-0-0-00", f"00-{'0' * 32}-{'0' * 16}-01", "\x00", "ff" + A_TRACEPARENT[2:])


@dataclass(frozen=True)
class RecordedSpan:
    """A span that has ended; contexts are traceparents."""

    name: str
    kind: str
    context: str
    parent: str | None
    links: list[str]
    attributes: dict[str, object]
    is_failed: bool
    text: str
    """All of the span as text, to look for what must not be in it."""


@dataclass(frozen=True)
class Traces:
    """An adapter, and the spans that it recorded, in the order of their ends."""

    port: TracePort
    spans: Callable[[], list[RecordedSpan]]


class TracePortContract:
    """Bound by each adapter of `TracePort`."""

    def test_the_work_is_done_and_its_result_comes_back(self, traces: Traces) -> None:
        with traces.port.span("work", SpanKind.SERVER, attributes={"a": 1}, links=[A_TRACEPARENT]) as span:
            span.rename("other work")
            span.annotate({"b": "c"})
            span.fail("SomeError")
            result = 42

        assert result == 42

    def test_an_error_of_the_work_comes_out(self, traces: Traces) -> None:
        with pytest.raises(ValueError, match="secret"), traces.port.span("work"):
            raise ValueError("secret")

    def test_no_span_is_current_outside_of_one(self, traces: Traces) -> None:
        assert traces.port.current() is None
        with traces.port.span("work"):
            pass
        assert traces.port.current() is None

    @pytest.mark.parametrize("context", UNREADABLE, ids=range(len(UNREADABLE)))
    def test_a_context_that_cannot_be_read_makes_nothing_fail(self, traces: Traces, context: str) -> None:
        with traces.port.span("work", parent=context, links=[context, None]) as span:
            assert (span.traceparent is None) is not traces.port.is_on

    def test_an_adapter_that_is_off_has_no_contexts(self, traces: Traces) -> None:
        with traces.port.span("work", parent=A_TRACEPARENT) as span:
            contexts = {span.traceparent, traces.port.current()}

        assert (contexts == {None}) is not traces.port.is_on
        assert bool(traces.spans()) is traces.port.is_on


class RecordingTracePortContract(TracePortContract):
    """Bound by each adapter that records spans."""

    def test_a_span_has_its_name_kind_attributes_and_links(self, traces: Traces) -> None:
        attributes: SpanAttributes = {"text": "a", "number": 1, "share": 0.5, "flag": True}

        with traces.port.span("work", SpanKind.PRODUCER, attributes=attributes, links=[A_TRACEPARENT, None]):
            pass

        (span,) = traces.spans()
        assert (span.name, span.kind, span.attributes) == ("work", "producer", attributes)
        assert (span.links, span.parent, span.is_failed) == ([A_TRACEPARENT], None, False)

    def test_what_is_known_later_can_be_added(self, traces: Traces) -> None:
        with traces.port.span("work", attributes={"a": 1}) as span:
            span.rename("work done")
            span.annotate({"b": 2})

        (recorded,) = traces.spans()
        assert (recorded.name, recorded.attributes) == ("work done", {"a": 1, "b": 2})

    def test_spans_nest(self, traces: Traces) -> None:
        with traces.port.span("outer") as outer:
            with traces.port.span("inner"):
                assert traces.port.current() != outer.traceparent
            assert traces.port.current() == outer.traceparent

        inner, _ = traces.spans()
        assert inner.parent == outer.traceparent

    def test_a_span_continues_the_parent_that_it_is_given(self, traces: Traces) -> None:
        with traces.port.span("outer"), traces.port.span("work", parent=ANOTHER_TRACEPARENT) as span:
            assert span.traceparent
            assert span.traceparent.split("-")[1] == ANOTHER_TRACEPARENT.split("-")[1]

    @pytest.mark.parametrize("context", UNREADABLE, ids=range(len(UNREADABLE)))
    def test_a_parent_that_cannot_be_read_counts_as_none(self, traces: Traces, context: str) -> None:
        with traces.port.span("outer") as outer, traces.port.span("work", parent=context, links=[context]):
            pass

        work, _ = traces.spans()
        assert (work.parent, work.links) == (outer.traceparent, [])

    def test_what_the_caller_does_not_sample_is_not_recorded_and_keeps_its_trace(
        self, traces: Traces
    ) -> None:
        unsampled = f"{A_TRACEPARENT[:-2]}00"

        with traces.port.span("work", parent=unsampled) as span:
            assert span.traceparent
            assert span.traceparent.split("-")[1::2] == [A_TRACEPARENT.split("-")[1], "00"]

        assert traces.spans() == []

    def test_spans_of_two_threads_and_tasks_do_not_nest(self, traces: Traces) -> None:
        async def task() -> str | None:
            with traces.port.span("task"):
                await asyncio.sleep(0)
                return traces.port.current()

        async def tasks() -> tuple[str | None, str | None]:
            return await asyncio.gather(task(), task())

        with ThreadPoolExecutor(1) as threads, traces.port.span("outer") as outer:
            assert threads.submit(traces.port.current).result() is None
            assert threads.submit(copy_context().run, traces.port.current).result() == outer.traceparent
            first, second = asyncio.run(tasks())

        assert first != second
        assert {span.parent for span in traces.spans()} == {outer.traceparent, None}

    def test_an_error_fails_its_span_by_its_type_alone(self, traces: Traces) -> None:
        with pytest.raises(ValueError, match="what she said"), traces.port.span("work"):
            raise ValueError("what she said")

        (span,) = traces.spans()
        assert (span.is_failed, span.attributes) == (True, {"error.type": "ValueError"})
        assert "what she said" not in span.text

    def test_a_cancelled_task_has_not_failed(self, traces: Traces) -> None:
        async def work() -> None:
            with traces.port.span("work"):
                await asyncio.sleep(60)

        async def cancel() -> None:
            task = asyncio.create_task(work())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(cancel())

        (span,) = traces.spans()
        assert not span.is_failed

    def test_a_span_that_is_not_current_is_no_parent(self, traces: Traces) -> None:
        async def numbers() -> AsyncGenerator[int]:
            with traces.port.span("generator", is_current=False):
                yield 1
                yield 2

        async def consume() -> None:
            with traces.port.span("consumer") as consumer:
                async with contextlib.aclosing(numbers()) as generator:
                    async for number in generator:
                        assert traces.port.current() == consumer.traceparent, number
                        break

        asyncio.run(consume())

        generator, consumer = traces.spans()
        assert (generator.name, generator.parent) == ("generator", consumer.context)

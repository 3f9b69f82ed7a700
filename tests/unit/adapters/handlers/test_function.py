import sys
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.handlers.function import FunctionHandler
from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import ConfigurationError, HandlerError
from domain.model.events.event import BatchProcessingCompleted
from tests.contracts.event_handler_port import EventHandlerPortContract, Handler
from tests.support.samples.factories import an_event

MODULE = """
import asyncio, functools, sys

SEEN = []
NOT_CALLABLE = 7

def store(received):
    SEEN.append(received)

def careless(received):
    raise ValueError(f"cannot read {received.event.data.raw_transcript!r}")

def leaves(received):
    sys.exit(0)

class Panic(BaseException):
    pass

def panics(received):
    raise Panic(received.event.data.raw_transcript)

async def later(received):
    pass

def one_by_one(received):
    yield received

class Later:
    async def __call__(self, received):
        pass

class Shop:
    def store(self, received, *, table="calls"):
        SEEN.append(received)

def none():
    pass

shop = Shop()
later_object = Later()
partly = functools.partial(store)
wrapped = lambda received: later(received)
generating = lambda received: one_by_one(received)
waits_itself = lambda received: asyncio.run(later(received))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Create a module in the current folder, under a name that no other test uses."""
    name = f"handlers_{uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return name


def failure_of(name: str) -> str:
    with pytest.raises(HandlerError) as failure:
        FunctionHandler.load(name).handle(ReceivedEvent(an_event(raw_transcript="secret")))
    assert "secret" not in str(failure.value)
    return str(failure.value)


def refusal_of(name: str) -> str:
    with pytest.raises(ConfigurationError, match="--handler") as refusal:
        FunctionHandler.load(name)
    return str(refusal.value)


class TestFunctionHandler(EventHandlerPortContract):
    @pytest.fixture
    def handler(self, module: str) -> Handler:
        def handled() -> list[BatchProcessingCompleted]:
            return [received.event for received in sys.modules[module].SEEN]

        return Handler(
            FunctionHandler.load(f"{module}:store"), handled, FunctionHandler.load(f"{module}:careless")
        )


@pytest.mark.parametrize("name", ["store", "shop.store", "partly", "waits_itself"])
def test_anything_that_can_be_called_with_an_event_will_do(module: str, name: str) -> None:
    received = ReceivedEvent(an_event(), replay="august", receive_count=2)

    FunctionHandler.load(f"{module}:{name}").handle(received)

    seen = sys.modules[module].SEEN
    assert seen == ([] if name == "waits_itself" else [received])


def test_an_exception_is_told_by_its_type_and_its_place(module: str, tmp_path: Path) -> None:
    assert failure_of(f"{module}:careless") == (
        f"{module}:careless raised ValueError at {tmp_path}/{module}.py:11."
    )


def test_the_text_of_an_exception_does_not_travel_along_in_a_stack_trace(module: str) -> None:
    with pytest.raises(HandlerError) as failure:
        FunctionHandler.load(f"{module}:careless").handle(ReceivedEvent(an_event()))

    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__


@pytest.mark.parametrize(("name", "kind"), [("leaves", "SystemExit"), ("panics", "Panic")])
def test_a_function_that_leaves_the_program_or_panics_has_failed(module: str, name: str, kind: str) -> None:
    assert f"{module}:{name} raised {kind}" in failure_of(f"{module}:{name}")


@pytest.mark.parametrize(("name", "kind"), [("wrapped", "coroutine"), ("generating", "generator")])
def test_work_that_was_only_prepared_is_none(module: str, name: str, kind: str) -> None:
    assert failure_of(f"{module}:{name}") == f"{module}:{name} returned a {kind}, which is not awaited."


@pytest.mark.parametrize("name", ["later", "one_by_one", "later_object"])
def test_a_function_that_does_no_work_when_it_is_called_stops_the_start(module: str, name: str) -> None:
    assert "is a coroutine or generator function" in refusal_of(f"{module}:{name}")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("handlers", "is not of the form module:function"),
        (":store", "is not of the form module:function"),
        ("handlers:", "is not of the form module:function"),
        ("no_such_module:store", "there is no module 'no_such_module' in "),
        ("no_such.module:store", "there is no module 'no_such' in "),
        ("json.no_such:store", "there is no module 'json.no_such' in "),
        ("..:store", "cannot be imported: "),
        ("{module}:stor", "there is no 'stor' (did you mean 'store'?)"),
        ("{module}:shop.stor", "there is no 'stor' (did you mean 'store'?)"),
        ("{module}:xyzzy", "there is no 'xyzzy'."),
        ("{module}:NOT_CALLABLE", "is of type int, which cannot be called"),
        ("{module}:none", "cannot be called with one event"),
    ],
)
def test_a_name_that_leads_to_no_function_stops_the_start(module: str, name: str, problem: str) -> None:
    assert problem in refusal_of(name.format(module=module))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import no_such_dependency", "ModuleNotFoundError: No module named 'no_such_dependency'"),
        ("def broken(:", "SyntaxError: "),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told_from_one_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, problem: str
) -> None:
    name = f"broken_{uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(f"{line}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    refusal = refusal_of(f"{name}:store")

    assert "cannot be imported: " in refusal
    assert problem in refusal

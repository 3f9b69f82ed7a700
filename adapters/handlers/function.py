"""Event handler that calls a Python function."""

import importlib
import inspect
import os
import sys
from collections.abc import Callable
from difflib import get_close_matches
from traceback import extract_tb
from types import ModuleType
from typing import Self

from adapters.handlers.output import forwarding_prints
from domain.model.consuming.received import ReceivedEvent
from domain.model.errors import ConfigurationError, HandlerError
from ports.event_handler_port import EventHandlerPort

Function = Callable[[ReceivedEvent], object]


class FunctionHandler(EventHandlerPort):
    """Calls a function with each `ReceivedEvent`, from several threads at once; returning means success.

    Its result is ignored, and the lines that it prints get the interaction id (`stdout_on_stderr`). An
    exception is a failure; the error names its type and place, never its text, which may quote a transcript.
    """

    def __init__(self, function: Function, *, name: str) -> None:
        self._function = function
        self._name = name

    @classmethod
    def load(cls, name: str) -> Self:
        """Import `module:function`, from the current folder first, as `python -m` does.

        Raises:
            ConfigurationError: module or function is missing or cannot be imported, or the function cannot be
                called with an event, or would not do its work within the call.
        """
        module_name, _, path = name.partition(":")
        if not module_name or not path:
            raise ConfigurationError(f"--handler {name!r} is not of the form module:function.")
        function: object = _import(module_name, name)
        for part in path.split("."):
            function = _attribute(function, part, name)
        return cls(_checked(function, name), name=name)

    def handle(self, received: ReceivedEvent, /) -> None:
        """Call the function."""
        try:
            with forwarding_prints(received.event.interaction_id):
                result = self._function(received)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - Rust libraries panic with one, others call sys.exit()
            raise HandlerError(f"{self._name} raised {_type_and_place(error, self._function)}.") from None
        if _is_unfinished(result):
            raise HandlerError(f"{self._name} returned a {type(result).__name__}, which is not awaited.")


def _import(module_name: str, name: str) -> ModuleType:
    folder = os.getcwd()  # noqa: PTH109 - sys.path holds strings
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise _failed_import(name, error) from error
        raise ConfigurationError(
            f"--handler {name!r}: there is no module {error.name!r} in {folder} or on the import path."
        ) from None
    except (Exception, SystemExit) as error:
        raise _failed_import(name, error) from error


def _failed_import(name: str, error: BaseException) -> ConfigurationError:
    return ConfigurationError(f"--handler {name!r} cannot be imported: {type(error).__name__}: {error}")


def _attribute(owner: object, part: str, name: str) -> object:
    try:
        found: object = getattr(owner, part)
    except AttributeError:
        nearest = get_close_matches(part, dir(owner), n=1)
        hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
        raise ConfigurationError(f"--handler {name!r}: there is no {part!r}{hint}.") from None
    return found


def _checked(function: object, name: str) -> Function:
    if not callable(function):
        raise ConfigurationError(
            f"--handler {name!r} is of type {type(function).__name__}, which cannot be called."
        )
    if _does_no_work(function) or _does_no_work(type(function).__call__):
        raise ConfigurationError(
            f"--handler {name!r} is a coroutine or generator function: calling it does not run it."
            " Name a plain function, which may call asyncio.run()."
        )
    if not _takes_one_argument(function):
        raise ConfigurationError(f"--handler {name!r} cannot be called with one event.")
    return function


def _does_no_work(function: object) -> bool:
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return any(is_kind(function) for is_kind in kinds)


def _takes_one_argument(function: Function) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:  # written in C, without a signature
        return True
    return True


def _is_unfinished(result: object) -> bool:
    """Return True if the call did not run the work; close a coroutine, so that Python does not warn."""
    if inspect.iscoroutine(result):
        result.close()
        return True
    return inspect.isawaitable(result) or inspect.isgenerator(result) or inspect.isasyncgen(result)


def _type_and_place(error: BaseException, function: Function) -> str:
    """Return type and place: the last line in the function's own file, else the last line of all."""
    frames = extract_tb(error.__traceback__)
    code = getattr(inspect.unwrap(function), "__code__", None)
    own = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
    place = (own or frames)[-1]
    return f"{type(error).__name__} at {place.filename}:{place.lineno}"

"""An executor of a plugin as the engine gets it: every call contained, every answer of the type it promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

import msgspec

from selftune_build.engine.executing.protocol import Executor, ExecutorType
from selftune_build.errors import InputError, UndecidedError
from selftune_build.limits import EXECUTOR_OPEN_S
from selftune_build.plugins.contain import Manner, Supplier, contained

T = TypeVar("T")

_CALLING = Manner(EXECUTOR_OPEN_S, (InputError, UndecidedError), reads_only=False)


def guarded_executor_type(each: ExecutorType, supplier: Supplier) -> ExecutorType:
    """The type with an `open` that raises nothing but InputError and UndecidedError, as all of its executor does."""

    def open_(url: str) -> Executor:
        place = f"the executor `{each.id}`"
        return GuardedExecutor(contained(supplier, f"{place} (open)", lambda: each.open(url), _CALLING), supplier, place)

    return msgspec.structs.replace(each, open=open_)


class GuardedExecutor:
    """One executor of a plugin that was opened (`engine.executing.protocol.Executor`)."""

    def __init__(self, executor: Executor, supplier: Supplier, place: str) -> None:
        self._executor = executor
        self._supplier = supplier
        self._place = place

    def slots(self) -> int:
        """How many tasks its workers run at once."""
        slots: int = self._called("slots", lambda: _of(self._executor.slots(), int))
        return slots

    def submit(self, content: bytes) -> Future[bytes]:
        """Have one worker do it."""
        return self._called("submit", lambda: _of(self._executor.submit(content), Future))

    def everywhere(self, content: bytes) -> Mapping[str, bytes | BaseException]:
        """Have every worker do it."""
        return self._called("everywhere", lambda: _answers(self._executor.everywhere(content)))

    def close(self) -> None:
        """Let go of the workers; whatever that raises, nothing is lost by it."""
        try:
            self._called("close", self._executor.close)
        except (InputError, UndecidedError):
            pass

    def _called(self, verb: str, call: Callable[[], T]) -> T:
        return contained(self._supplier, f"{self._place} ({verb})", call, _CALLING)


def _answers(value: Any) -> Mapping[str, bytes | BaseException]:
    answers = {str(name): _of(answer, (bytes, BaseException)) for name, answer in _of(value, Mapping).items()}
    return answers


def _of(value: Any, expected: Any) -> Any:
    if not isinstance(value, expected) or isinstance(value, bool):
        raise TypeError(f"it returned {type(value).__name__}, not {getattr(expected, '__name__', 'an answer')}")
    return value

"""One call into a plugin, contained: in a thread of its own, within a time, whatever it raises."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct

from selftune_build.errors import PLUGIN_FAILED, UndecidedError
from selftune_build.escape import one_line
from selftune_build.limits import CHILD_WATCH_INTERVAL_S, PLUGIN_CALL_SECONDS, PLUGIN_CANCEL_SECONDS, PLUGIN_MESSAGE_CHARACTERS
from selftune_build.plugins.audit import watched

DEBUG = "SELFTUNE_DEBUG"
"""Set in the environment, the traceback of a plugin's failure goes to stderr."""


class Supplier(Struct, frozen=True):
    """Who supplies something, as messages name it: distribution and version."""

    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


class PluginFailure(UndecidedError):
    """A plugin broke: an infrastructure error, never a verdict."""

    code = PLUGIN_FAILED

    def __init__(self, supplier: Supplier, place: str, reason: str, *, hung: bool = False) -> None:
        shown = one_line(reason, PLUGIN_MESSAGE_CHARACTERS)
        hint = f"see `selftune plugins info {supplier.name}`; {DEBUG}=1 shows the traceback"
        super().__init__(f"the plugin {supplier} failed in {place}: {shown}", hint=hint)
        self.supplier = supplier
        self.hung = hung


class Manner(NamedTuple):
    """How a plugin is called: for how long, which errors are part of the protocol, whether it may only read."""

    seconds: float = PLUGIN_CALL_SECONDS
    passes: tuple[type[BaseException], ...] = ()
    reads_only: bool = True
    cancel: threading.Event | None = None


_ORDINARY = Manner()
T = TypeVar("T")

_hung: dict[Supplier, str] = {}
"""Plugins that did not come back once: nothing waits for them again in this process."""


def contained(supplier: Supplier, place: str, call: Callable[[], T], manner: Manner = _ORDINARY) -> T:
    """What `call` returns. Raises what it raises where that is one of `passes`, and PluginFailure for everything else.

    Everything else is any other exception, SystemExit and KeyboardInterrupt among them, a call that does not return in
    time (it is left behind, and the plugin is not called again), and an attempt to write or start what it must not.
    """
    if supplier in _hung:
        raise PluginFailure(supplier, place, f"it is not called again: {_hung[supplier]}", hung=True)
    outcome = _Outcome()
    thread = threading.Thread(target=_run, args=(call, outcome, manner.reads_only), name=f"plugin {supplier}", daemon=True)
    thread.start()
    if not _ended(thread, manner):
        _hung[supplier] = f"{place} did not return within {manner.seconds:g} s"
        raise PluginFailure(supplier, place, f"it did not return within {manner.seconds:g} s", hung=True)
    if outcome.tried:
        raise PluginFailure(supplier, place, outcome.tried[0])
    if outcome.error is None:
        value: T = outcome.value
        return value
    if isinstance(outcome.error, manner.passes):
        raise outcome.error
    _debug(outcome.error)
    raise PluginFailure(supplier, place, _reason(outcome.error)) from None


class _Outcome:
    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None
        self.tried: list[str] = []


def _run(call: Callable[[], Any], outcome: _Outcome, reads_only: bool) -> None:
    with watched(reads_only=reads_only) as tried:
        try:
            outcome.value = call()
        except BaseException as error:
            outcome.error = error
    outcome.tried = tried


def _ended(thread: threading.Thread, manner: Manner) -> bool:
    """Wait for the end, the time limit, or a little longer than the moment when everything is cancelled."""
    deadline = time.monotonic() + manner.seconds
    cancelled = False
    while thread.is_alive():
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        if manner.cancel is None:
            thread.join(left)
            continue
        if manner.cancel.is_set() and not cancelled:
            cancelled, deadline = True, min(deadline, time.monotonic() + PLUGIN_CANCEL_SECONDS)
        thread.join(min(left, CHILD_WATCH_INTERVAL_S))
    return True


def _reason(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:  # the text of a stranger's exception is a stranger's code
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _debug(error: BaseException) -> None:
    if os.environ.get(DEBUG):
        sys.stderr.write("".join(traceback.format_exception(error)))

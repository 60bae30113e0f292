"""A copy of this process that does a part of its work: nothing is executed, and nothing comes of it but what it tells."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from signal import SIGKILL
from typing import Any, BinaryIO


class TwinLost(Exception):
    """The other process ended without saying what it was asked for. Whatever it was, it can be done here."""


class Line:
    """What one of the two processes says to the other; each value is a copy of what the other has."""

    def __init__(self, heard: BinaryIO, told: BinaryIO, twin: int = 0) -> None:
        self._heard = heard
        self._told = told
        self._twin = twin

    def tell(self, value: object) -> None:
        """Say something. Raises TwinLost."""
        try:
            pickle.dump(value, self._told, pickle.HIGHEST_PROTOCOL)
            self._told.flush()
        except OSError as error:
            raise TwinLost from error

    def hear(self) -> Any:
        """What the other says next, once it does. Raises TwinLost."""
        try:
            return pickle.load(self._heard)  # nobody else has the other end
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise TwinLost from error

    def hang_up(self) -> None:
        """End of what there is to say, and of the twin, which leaves nothing behind that it could leave half done."""
        for stream in (self._heard, self._told):
            with suppress(OSError):
                stream.close()
        if self._twin:
            os.kill(self._twin, SIGKILL)
            os.waitpid(self._twin, 0)
            self._twin = 0


def twin(work: Callable[[Line], None]) -> Line | None:
    """Start a copy of this process that does `work` and ends; None where there cannot be one, or where it would have to share
    one processor with this one.

    Only where a single thread runs: what another one holds would be held for ever in the copy.
    """
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2 or threading.active_count() > 1:
        return None
    (here_in, there_out), (there_in, here_out) = os.pipe(), os.pipe()
    try:
        process = os.fork()
    except OSError:
        for each in (here_in, there_out, there_in, here_out):
            os.close(each)
        return None
    if process:
        os.close(there_in)
        os.close(there_out)
        return Line(os.fdopen(here_in, "rb"), os.fdopen(here_out, "wb"), process)
    try:
        os.close(here_in)
        os.close(here_out)
        work(Line(os.fdopen(there_in, "rb"), os.fdopen(there_out, "wb")))
    finally:
        os._exit(0)  # whatever went wrong: the other one sees that nothing was said, and prints what there is to print

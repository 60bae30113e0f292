"""What is happening while it happens, on stderr: one live line on a terminal, else one plain line per finished package."""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from typing import TextIO

from selftune_build.escape import one_line
from selftune_build.graph.targets import without_case
from selftune_build.limits import MESSAGE_CHARACTERS, NAME_CHARACTERS
from selftune_build.wording import counted

_CLEAR = "\r\x1b[2K"


class Progress:
    """Counts samples as they come in, from any thread; silent with `quiet`."""

    def __init__(self, stream: TextIO | None = None, *, live: bool | None = None, quiet: bool = False, width: int = 80) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._live = self._stream.isatty() if live is None else live
        self._quiet = quiet
        self._width = width
        self._total = 0
        self._finished = 0
        self.spoke = False
        """Whether anything was said: then the report is not all there was."""
        self._outcomes: dict[str, Counter[str]] = {}
        self._guard = threading.Lock()

    def started(self, total: int, price: str | None) -> None:
        """So many more samples are about to be taken; `price` says in words what that costs, where it costs anything."""
        cost = f", {price}" if price is not None else ""
        with self._guard:
            self._total += total
            if total:
                self._note(f"running {counted(total, 'sample')}{cost}")

    def sample(self, target: str, outcome: str) -> None:
        """One sample of the row `target` came back with `outcome`, one word."""
        with self._guard:
            self._finished += 1
            self._outcomes.setdefault(_package(target), Counter())[outcome] += 1
            if self._live and not self._quiet:
                self._draw(f"[{self._finished}/{self._total}] {one_line(target, NAME_CHARACTERS)} {outcome}")

    def waiting(self, message: str) -> None:
        """Nothing moves for a reason that the user should know."""
        with self._guard:
            self._note(one_line(message, NAME_CHARACTERS))

    def warning(self, message: str) -> None:
        """Said also where nothing else is: whoever pays has to hear it."""
        with self._guard:
            self._write(f"{_CLEAR if self._live else ''}{one_line(message, MESSAGE_CHARACTERS)}\n")

    def urgent(self, message: str) -> None:
        """For signal handlers: takes no guard and no buffer, since the thread it interrupts may be inside of both."""
        if not self._quiet:
            try:
                os.write(self._stream.fileno(), f"{_CLEAR if self._live else ''}{one_line(message, NAME_CHARACTERS)}\n".encode())
            except (OSError, ValueError):
                pass

    def done(self) -> None:
        """Nothing more will come: the live line disappears, each package gets a line."""
        with self._guard:
            if self._live and not self._quiet:
                self._write(_CLEAR)
            for package, outcomes in self._outcomes.items():
                counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
                self._note(f"{one_line(package, NAME_CHARACTERS)}: {counts}")
            self._outcomes.clear()

    def _note(self, text: str) -> None:
        if self._quiet:
            return
        self._write(f"{_CLEAR if self._live else ''}{text}\n")

    def _draw(self, text: str) -> None:
        self._write(_CLEAR + one_line(text, max(self._width - 1, 1)))

    def _write(self, text: str) -> None:
        self.spoke = True
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # progress is a courtesy: nobody reading it must not stop the work
            self._quiet = True


def _package(target: str) -> str:
    return without_case(target).rpartition(":")[0] or target

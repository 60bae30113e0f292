"""The lines of a patch, one after the other, with their numbers."""

from __future__ import annotations

from selftune_build.errors import InputError
from selftune_build.model.location import Location


def split_lines(content: bytes) -> list[bytes]:
    """Each line with its LF, the last one perhaps without; only LF ends a line, so a CR belongs to it."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    return [*lines[:-1], lines[-1][:-1]] if lines[-1] != b"\n" else lines[:-1]


class Lines:
    """Reads a patch line by line."""

    def __init__(self, content: bytes, shown: str, first: int = 1) -> None:
        self._lines = content.split(b"\n")
        self._whole = self._lines[-1] == b""
        if self._whole:
            self._lines.pop()
        self._shown = shown
        self._first = first
        self._at = 0

    @property
    def left(self) -> bool:
        """Whether there is another line."""
        return self._at < len(self._lines)

    @property
    def number(self) -> int:
        """One-based number of the next line."""
        return self._first + self._at

    def peek(self) -> bytes:
        """The next line without its end."""
        return self._lines[self._at]

    def take(self) -> bytes:
        """The same, and go on. Raises InputError for a last line that does not end: the patch was cut off."""
        if self._at == len(self._lines) - 1 and not self._whole:
            raise self.fault("the patch ends in the middle of a line", "take it whole: its last line ends with a newline too")
        self._at += 1
        return self._lines[self._at - 1]

    def fault(self, message: str, hint: str, *, line: int | None = None) -> InputError:
        """What is wrong, at the next line or another one."""
        return InputError(message, at=Location(self._shown, line or self.number), hint=hint, code="bad-patch")

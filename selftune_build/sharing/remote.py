"""A place for samples that several machines reach: names and bytes, written once, never replaced."""

from __future__ import annotations

import re
from typing import Protocol

_CREDENTIALS = re.compile(r"(?<=:)//[^/@]*@")


class Remote(Protocol):
    """Names are relative, with `/` between their parts. Every method raises RemoteError."""

    def reach(self) -> None:
        """Nothing where the place answers at all."""

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders right below a folder, sorted; one that is not there has none."""

    def list(self, prefix: str) -> dict[str, int]:
        """Size by name of everything below a folder; one that is not there is empty. Too many names are TooMuch."""

    def get(self, name: str, limit: int) -> bytes | None:
        """The bytes; None where there are none under that name. More than `limit` are TooMuch."""

    def create(self, name: str, content: bytes) -> bool:
        """Write under a name that is free, whole or not at all; False where it is taken, and nothing is changed then."""


def shown(url: str) -> str:
    """A URL without the name and the password that it may hold."""
    return _CREDENTIALS.sub("//", url)


class RemoteError(Exception):
    """The place did not do what it was asked. `transient`: asking again may help, after `retry_after_s` where it says so."""

    def __init__(self, message: str, *, transient: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.transient = transient
        self.retry_after_s = retry_after_s


class TooMuch(RemoteError):
    """More than anybody sound would keep there; says nothing about the rest of the place."""

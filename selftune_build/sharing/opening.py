"""Which remote a word on the command line means."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from selftune_build.errors import UsageError
from selftune_build.escape import one_line
from selftune_build.limits import NAME_CHARACTERS, REMOTE_OPERATION_S
from selftune_build.sharing.folder import Folder
from selftune_build.sharing.patience import Patient
from selftune_build.sharing.remote import Remote
from selftune_build.sharing.url import Url

_TIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){0,3}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def open_remote(word: str, sleep: Callable[[float], object] = time.sleep, seconds: int = REMOTE_OPERATION_S) -> Remote:
    """The remote of a URL or a folder; `sleep` waits before it is asked again, no question takes longer than `seconds`.

    Raises UsageError, and UndecidedError where a library is missing.
    """
    if word.startswith("file://"):
        return Folder(Path(word.removeprefix("file://")))
    return Patient(Url(word, seconds), sleep) if is_url(word) else Folder(Path(word).expanduser().absolute())


def is_url(word: str) -> bool:
    """Whether a word is a URL, and not a folder."""
    return bool(_SCHEME.match(word))


def tier_name(word: str) -> str:
    """A tier of trust as it is written: a folder of the remote, such as `main` or `pr/7`. Raises UsageError."""
    name = word.rstrip("/")
    if not _TIER.fullmatch(name) or {"samples", "records"} & set(name.split("/")):
        raise UsageError(f"{one_line(word, NAME_CHARACTERS)!r} is no tier", hint="such as main or pr/7")
    return name

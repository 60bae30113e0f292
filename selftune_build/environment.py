"""The environment that children get: an allow-list, never the user's own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_KEPT_NAMES = ("PATH", "LANG", "LANGUAGE", "TERM", "TZ", "SYSTEMROOT")
_FIXED = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "UTC"}


def child_environment(home: Path | str, temporary: Path | str, passed: Iterable[str] = ()) -> dict[str, str]:
    """The environment a child gets: an allow-list of ours, its own HOME and TMPDIR, and the variables named in `passed`.

    Names that are not set are left out. HOME and the temporary folder are never those of the user.
    """
    wanted = {*_KEPT_NAMES, *passed}
    kept = {name: value for name, value in os.environ.items() if name in wanted or name.startswith("LC_")}
    folders = {"HOME": str(home), **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(temporary))}
    return {**kept, **folders, "PYTHONDONTWRITEBYTECODE": "1"}


def script_environment(home: Path | str, temporary: Path | str) -> dict[str, str]:
    """As `child_environment`, and the same for everybody, whatever the user's locale, time zone or hash seed is."""
    return {**child_environment(home, temporary), **_FIXED}

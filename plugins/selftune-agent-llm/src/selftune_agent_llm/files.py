"""The files of one staged skill, as the model may ask for them: those that lie in its folder, and no other."""

from __future__ import annotations

import os
from pathlib import Path

from selftune_agent_llm.events import Found

FILE_BYTES = 256 * 1024
"""What of a file a model gets at most."""


def look_up(folder: Path, asked: str) -> tuple[Found, str, str | None]:
    """What came of asking for a file: how it ended, its path in the folder (or what was asked), its text where it is read.

    Refused is whatever is not the plain relative path of a file, so also a detour that would end inside. A link is no file.
    """
    parts = asked.split("/")
    if not asked.isprintable() or "\\" in asked or any(part in ("", ".", "..") for part in parts):
        return "refused", asked, None
    if asked not in _files(folder):
        return "absent", asked, None
    return "read", asked, _text(folder / asked)


def _files(folder: Path) -> frozenset[str]:
    found = set()
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place) / name
            if path.is_file() and not path.is_symlink():
                found.add(path.relative_to(folder).as_posix())
    return frozenset(found)


def _text(path: Path) -> str | None:
    """The beginning of a file as text, None where it is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        content = opened.read(FILE_BYTES)
    try:
        return content.decode("utf-8") if len(content) < FILE_BYTES else content.decode("utf-8", "ignore")
    except UnicodeDecodeError:
        return None

"""The files that a model may see and write: those of the workspace, links out of it never followed."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from selftune_agent_openai.events import Outcome, Used
from selftune_build.errors import StoreError
from selftune_build.limits import PATH_CHARACTERS
from selftune_build.store.atomic import write_atomic

FILE_BYTES = 256 * 1024
"""What of a file a model gets at most."""
WRITTEN_CHARACTERS = 4 * 1024 * 1024
ENTRIES = 1_000
"""How many names of a folder."""
_HIDDEN = ".git"
_OUTSIDE = "That path leads out of the workspace: nothing outside of it can be read or written."


class Found(Struct, frozen=True):
    """A place in the workspace."""

    path: Path
    relative: str


def read_file(root: Path, asked: str) -> Used:
    """The beginning of a text file."""
    found = find(root, asked)
    if found is None:
        return _refused()
    try:
        if found.path.exists() and not found.path.is_file():
            return Used("failed", f"{asked} is no file: use list_folder for a folder.")
        with found.path.open("rb") as opened:
            content = opened.read(FILE_BYTES + 1)
    except OSError as error:
        return _fault(error, asked)
    text = _text(content)
    if text is None:
        return Used("done", f"{asked} is no text.", found.relative)
    if len(content) > FILE_BYTES:
        text += f"\n\n(The first {FILE_BYTES} bytes of the file; there is more.)"
    return Used("done", text, found.relative)


def list_folder(root: Path, asked: str) -> Used:
    """The names in a folder."""
    found = find(root, asked)
    if found is None:
        return _refused()
    try:
        with os.scandir(found.path) as entries:
            names = sorted(f"{each.name}/" if each.is_dir() else each.name for each in entries if each.name != _HIDDEN)
    except OSError as error:
        return _fault(error, asked)
    more = [f"and {len(names) - ENTRIES} more"] if len(names) > ENTRIES else []
    printable = [name.encode("utf-8", "replace").decode() for name in names[:ENTRIES]]
    return Used("done", "\n".join([*printable, *more]) or "The folder is empty.")


def write_file(root: Path, asked: str, content: str) -> Used:
    """Write a whole file, making the folders above it."""
    found = find(root, asked)
    if found is None or found.relative.split("/")[0] == _HIDDEN:
        return _refused()
    if len(content) > WRITTEN_CHARACTERS:
        return Used("failed", f"{asked} was not written: it has more than {WRITTEN_CHARACTERS} characters.")
    try:
        found.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(found.path, content.encode("utf-8", "replace"), durable=False)
    except OSError as error:
        return _fault(error, asked)
    except StoreError as error:
        return Used("failed", f"{asked} was not written: {error.__cause__}")
    return Used("done", f"{asked} was written.")


def find(root: Path, asked: str) -> Found | None:
    """The place that a path names, which need not be there, None where that is outside of the workspace."""
    if "\0" in asked or len(asked) > PATH_CHARACTERS:
        return None
    try:
        path = Path(os.path.realpath(root / asked))
        return Found(path, path.relative_to(root).as_posix())
    except (OSError, ValueError):
        return None


def _refused() -> Used:
    return Used("refused", _OUTSIDE)


def _fault(error: OSError, asked: str) -> Used:
    absent = isinstance(error, FileNotFoundError | NotADirectoryError)
    outcome: Outcome = "absent" if absent else "failed"
    return Used(outcome, f"There is nothing at {asked}." if absent else f"{asked}: {error.strerror}.")


def _text(content: bytes) -> str | None:
    """None for what is no UTF-8; a character that the limit cut through is no fault."""
    whole = len(content) <= FILE_BYTES
    try:
        return content.decode("utf-8") if whole else content[:FILE_BYTES].decode("utf-8", "ignore")
    except UnicodeDecodeError:
        return None

"""The files of the case in the workspace, and what the prompt says about them."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from msgspec import Struct

from selftune_build.agents.embedded.vocabulary import stems
from selftune_build.limits import EMBEDDED_CASE_FILE_DEPTH, EMBEDDED_CASE_FILES, EMBEDDED_HEADER_BYTES

_ALIASES = {"yml": "yaml", "markdown": "md", "jpeg": "jpg", "htm": "html", "text": "txt"}
_DELIMITERS = {"csv": ",;\t", "tsv": "\t"}
"""Which signs may part the cells, by suffix: the header decides between them."""


class CaseFiles(Struct, frozen=True):
    """Paths relative to the workspace: first those that the prompt names, in its order, then the others by path."""

    paths: tuple[str, ...]
    named: int
    """How many of them, from the start, the prompt names."""

    def with_suffix(self, suffix: str) -> tuple[str, ...]:
        """Those with a suffix (all for an empty one), the usual spellings of it taken as one."""
        return tuple(path for path in self.paths if not suffix or suffix_of(path) == canonical(suffix))


def find_case_files(root: Path, home: Path, prompt: str) -> CaseFiles:
    """The files below the workspace that are neither hidden nor in a hidden folder, up to a limit."""
    paths = sorted(_walk(root, home))
    named = sorted((path for path in paths if _place(path, prompt) >= 0), key=lambda path: (_place(path, prompt), path))
    return CaseFiles((*named, *(path for path in paths if path not in named)), len(named))


def suffix_of(path: str) -> str:
    """The suffix of a path in its usual spelling, without the dot."""
    return canonical(PurePosixPath(path).suffix)


def canonical(suffix: str) -> str:
    """A suffix in its usual spelling, without the dot."""
    plain = suffix.lower().lstrip(".")
    return _ALIASES.get(plain, plain)


def columns_named(root: Path, path: str, prompt: str) -> tuple[str, ...]:
    """Columns of a CSV or TSV file whose words all stand in the prompt, in the order of the prompt; file names do not count."""
    words = stems(" ".join(word for word in prompt.split() if "." not in word.strip(".,;:!?")))
    found = []
    for place, column in enumerate(columns(root, path)):
        own = stems(column)
        if own and all(word in words for word in own):
            found.append((words.index(own[0]), place, column))
    return tuple(column for _, _, column in sorted(found))


def columns(root: Path, path: str) -> tuple[str, ...]:
    """The header of a CSV or TSV file of the case; empty for every other file."""
    delimiters = _DELIMITERS.get(suffix_of(path))
    if delimiters is None:
        return ()
    try:
        with (root / path).open("rb") as file:
            first = file.read(EMBEDDED_HEADER_BYTES).decode("utf-8-sig", "replace").split("\n", 1)[0]
        row = next(csv.reader([first.rstrip("\r")], delimiter=max(delimiters, key=first.count)), [])
    except (OSError, csv.Error):
        return ()
    return tuple(column.strip() for column in row if column.strip())


def _place(path: str, prompt: str) -> int:
    """Where the prompt names the file, by its path or else by its name; -1 where it does not."""
    for name in (path, path.rpartition("/")[2]):
        found = re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", prompt)
        if found:
            return found.start()
    return -1


def _walk(root: Path, home: Path) -> Iterator[str]:
    count = 0
    for folder, folders, names in os.walk(root):
        below = Path(folder).relative_to(root)
        deep = len(below.parts) >= EMBEDDED_CASE_FILE_DEPTH
        folders[:] = [] if deep else sorted(name for name in folders if not name.startswith(".") and Path(folder, name) != home)
        for name in sorted(names):
            if name.startswith(".") or not _speakable(name):
                continue
            yield (below / name).as_posix()
            count += 1
            if count >= EMBEDDED_CASE_FILES:
                return


def _speakable(name: str) -> bool:
    """Whether a name can stand in an answer and in an argument without being taken for an option."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return name.isprintable() and not name.startswith("-")

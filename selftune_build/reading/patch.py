"""A unified diff, as `git diff` writes it, read strictly: what is not understood is refused, nothing is skipped or guessed.

The format is that of POSIX `diff -u` with the extended headers of git (git-diff, "Generating patch text with -p").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.escape import one_line
from selftune_build.limits import PATCH_BYTES, PATCH_FILES, PATCH_SHOWN_CHARACTERS
from selftune_build.model.location import Location
from selftune_build.model.patch import Fate, FilePatch
from selftune_build.reading.patch_hunks import read_hunks
from selftune_build.reading.patch_lines import Lines
from selftune_build.reading.patch_path import read_path, same_path

_HEADER = b"diff --git "
_OLD, _NEW = b"--- ", b"+++ "
_NOWHERE = b"/dev/null"
_INDEX = re.compile(rb"index [0-9a-f]{4,64}\.\.[0-9a-f]{4,64}(?: (?P<mode>[0-7]{6}))?")
_MODE = re.compile(rb"(?P<what>new file|deleted file|old|new) mode (?P<mode>[0-7]{6})")
_PLAIN, _EXECUTABLE = b"100644", b"100755"
_KINDS = {b"120000": "a symbolic link", b"160000": "a submodule", b"040000": "a folder"}
_REFUSED = (
    (b"rename ", "it renames a file", "make the patch with `git diff --no-renames`"),
    (b"copy ", "it copies a file", "make the patch with `git diff --no-renames`"),
    (b"similarity index ", "it renames or copies a file", "make the patch with `git diff --no-renames`"),
    (b"dissimilarity index ", "it rewrites a file by similarity", "make the patch without `-B`"),
    (b"GIT binary patch", "it changes a binary file", "leave binary files out of the patch"),
    (b"Binary files ", "it changes a binary file", "leave binary files out of the patch"),
)


class _Modes(Struct):
    """What the extended headers of a file say."""

    added: bool = False
    removed: bool = False
    executable: bool = False


def read_patch(content: bytes, shown: str, first: int = 1) -> tuple[FilePatch, ...]:
    """The files of a patch, in its order; `first` is the line of the file `shown` where it begins.

    Raises InputError, with the line, for everything that is no part of a patch of text files: text before, between and behind
    files, renames, copies, changes of mode, links, submodules, binary files, unsafe paths, a file that is named twice.
    """
    if len(content) > PATCH_BYTES:
        raise InputError(f"the patch is larger than {PATCH_BYTES:,} bytes", at=Location(shown), hint="split it")
    lines = Lines(content, shown, first)
    files: list[FilePatch] = []
    for file in _files(lines):
        if any(file.path == other.path for other in files):
            raise lines.fault(f"`{file.path}` is patched twice", "put its hunks together", line=file.line)
        if len(files) == PATCH_FILES:
            raise lines.fault(f"the patch has more than {PATCH_FILES:,} files", "split it", line=file.line)
        files.append(file)
    if not files:
        raise InputError("the patch is empty", at=Location(shown), hint="make one with `git diff`")
    return tuple(files)


def _files(lines: Lines) -> Iterator[FilePatch]:
    while lines.left:
        if lines.peek().startswith(_HEADER):
            yield _git_file(lines)
        elif lines.peek().startswith(_OLD):
            yield _headed_file(lines, lines.number, _Modes(), None)
        else:
            text = one_line(lines.peek().decode("utf-8", "replace"), PATCH_SHOWN_CHARACTERS)
            raise lines.fault(
                f"{text!a} is no part of a patch", "keep to what `git diff` prints: `diff --git …`, `--- a/…`, hunks"
            )


def _git_file(lines: Lines) -> FilePatch:
    start = lines.number
    named = same_path(lines.take()[len(_HEADER) :], lines)
    modes = _extended(lines)
    if lines.left and lines.peek().startswith(_OLD):
        return _headed_file(lines, start, modes, named)
    if not (modes.added or modes.removed):
        raise lines.fault(f"`{named}` is named and nothing is done to it", "remove its lines from the patch", line=start)
    return FilePatch(named, Fate.ADDED if modes.added else Fate.REMOVED, start, (), modes.executable)


def _extended(lines: Lines) -> _Modes:
    modes = _Modes()
    while lines.left and not lines.peek().startswith((_OLD, _HEADER)):
        line = lines.peek()
        for start, what, hint in _REFUSED:
            if line.startswith(start):
                raise lines.fault(f"{what}, which an overlay does not", hint)
        found, index = _MODE.fullmatch(line), _INDEX.fullmatch(line)
        if found is not None:
            _note_mode(lines, modes, found["what"], found["mode"])
        elif index is not None:
            _require_file(lines, index["mode"] or _PLAIN)
        else:
            break
        lines.take()
    return modes


def _note_mode(lines: Lines, modes: _Modes, what: bytes, mode: bytes) -> None:
    _require_file(lines, mode)
    if what in (b"old", b"new"):
        raise lines.fault("it changes the mode of a file, which an overlay does not", "leave the mode as it is")
    modes.added = modes.added or what == b"new file"
    modes.removed = modes.removed or what == b"deleted file"
    modes.executable = what == b"new file" and mode == _EXECUTABLE


def _require_file(lines: Lines, mode: bytes) -> None:
    if mode not in (_PLAIN, _EXECUTABLE):
        what = _KINDS.get(mode, f"of mode {mode.decode()}")
        raise lines.fault(f"it is about {what}: an overlay changes files alone", "leave it out of the patch")


def _headed_file(lines: Lines, start: int, modes: _Modes, named: str | None) -> FilePatch:
    """The part from `---` on. Raises InputError where the two names, or the names and the headers above, disagree."""
    old = _named(lines, _OLD, b"a/")
    if not (lines.left and lines.peek().startswith(_NEW)):
        raise lines.fault("a line `+++ b/…` has to follow `---`", "make the patch with `git diff`")
    new = _named(lines, _NEW, b"b/")
    path = new or old
    if path is None:
        raise lines.fault("both sides are /dev/null", "make the patch with `git diff`", line=start)
    if {old, new, named} - {None, path}:
        raise lines.fault("its headers name different files", "make the patch with `git diff --no-renames`", line=start)
    fate = Fate.ADDED if old is None else Fate.REMOVED if new is None else Fate.CHANGED
    if named is not None and (modes.added, modes.removed) != (fate is Fate.ADDED, fate is Fate.REMOVED):
        raise lines.fault("its headers disagree on whether the file is new or deleted", "make the patch anew", line=start)
    return FilePatch(path, fate, start, read_hunks(lines, path), modes.executable)


def _named(lines: Lines, start: bytes, prefix: bytes) -> str | None:
    text = lines.peek()[len(start) :]
    # GNU diff writes a time after a tab, git only the tab, where the name has a space.
    name = text if text.startswith(b'"') else text.partition(b"\t")[0]
    path = None if name == _NOWHERE else read_path(name, prefix, lines)
    lines.take()
    return path

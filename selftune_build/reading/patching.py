"""A patch applied to the bytes of a file: what it expects has to stand exactly there, nothing is searched for."""

from __future__ import annotations

from selftune_build.errors import InputError
from selftune_build.escape import one_line
from selftune_build.limits import PATCH_FILE_BYTES, PATCH_SHOWN_CHARACTERS
from selftune_build.model.location import Location
from selftune_build.model.patch import Fate, FilePatch, Hunk
from selftune_build.reading.patch_lines import split_lines

_OTHER = "the patch was made from another state of the file: make it anew"


def patched(file: FilePatch, before: bytes | None, shown: str) -> bytes | None:
    """The file as the patch makes it, None for one that it removes; `before` is None where there is no such file.

    Raises InputError, with the hunk and its line in the patch `shown`, where the file is not what the patch expects.
    """
    if (before is None) is not (file.fate is Fate.ADDED):
        said = f"`{file.path}` is there already" if before is not None else f"there is no file `{file.path}`"
        raise _fault(said, shown, file.line)
    after = _with_hunks(file, split_lines(before or b""), shown)
    if len(after) > PATCH_FILE_BYTES:
        message = f"`{file.path}` would have {len(after):,} bytes, more than {PATCH_FILE_BYTES:,}"
        raise InputError(message, at=Location(shown, file.line), hint="split it", code="bad-patch")
    if file.fate is not Fate.REMOVED:
        return after
    if after:
        raise _fault(f"`{file.path}` is deleted, and the patch does not name all of its lines", shown, file.line)
    return None


def _with_hunks(file: FilePatch, lines: list[bytes], shown: str) -> bytes:
    result: list[bytes] = []
    done = 0
    for number, hunk in enumerate(file.hunks, 1):
        named = f"hunk {number} of `{file.path}`"
        if hunk.start < done:
            raise _fault(f"{named} begins before the end of the one above it", shown, hunk.line)
        _require(named, hunk, lines, shown)
        result += [*lines[done : hunk.start], *hunk.new]
        done = hunk.start + len(hunk.old)
    result += lines[done:]
    open_ = next((index for index, line in enumerate(result[:-1]) if not line.endswith(b"\n")), None)
    if open_ is not None:
        raise _fault(f"line {open_ + 1} of `{file.path}` would have no newline, and is not the last", shown, file.line)
    return b"".join(result)


def _require(named: str, hunk: Hunk, lines: list[bytes], shown: str) -> None:
    if hunk.start > len(lines):
        raise _fault(f"{named} begins at line {hunk.start + 1}, and the file has {len(lines)}", shown, hunk.line)
    for index, expected in enumerate(hunk.old):
        at = hunk.start + index
        found = lines[at] if at < len(lines) else None
        if found != expected:
            there = "the file ends" if found is None else f"there is {_quoted(found)}"
            raise _fault(f"{named} does not fit: line {at + 1} should be {_quoted(expected)}, and {there}", shown, hunk.line)


def _quoted(line: bytes) -> str:
    text = repr(one_line(line.removesuffix(b"\n").decode("utf-8", "replace"), PATCH_SHOWN_CHARACTERS))
    return text if line.endswith(b"\n") else f"{text} without a newline"


def _fault(message: str, shown: str, line: int) -> InputError:
    return InputError(message, at=Location(shown, line), hint=_OTHER, code="patch-does-not-fit")

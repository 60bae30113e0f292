"""Safe relative paths: what a manifest may name, how a glob matches, which paths collide on other file systems."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.late import late
from selftune_build.limits import GLOB_CHARACTERS, GLOB_WILDCARDS, PATH_CHARACTERS
from selftune_build.model.location import Location

_RESERVED = late(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)", re.IGNORECASE)
_DRIVE = late(r"[A-Za-z]:")
_UNPRINTABLE = late(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_ANY_DEPTH = "**"


class PathFault(Struct, frozen=True):
    """Why a path is not safe on every system, and what to write instead."""

    message: str
    hint: str


def fault(path: str, *, climb: bool = False) -> PathFault | None:
    """What is wrong with a slash-separated relative path, None for a safe one. `climb` allows leading `..` segments."""
    return _whole_fault(path) or _segments_fault(path, climb=climb)


def glob_fault(pattern: str) -> PathFault | None:
    """What is wrong with a glob: everything `fault` refuses, too many wildcards, `**` inside a name, an open `[`."""
    if len(pattern) > GLOB_CHARACTERS:
        return PathFault(f"the pattern is longer than {GLOB_CHARACTERS} characters", "split it into several patterns")
    if pattern.count("*") + pattern.count("?") > GLOB_WILDCARDS:
        return PathFault(f"the pattern has more than {GLOB_WILDCARDS} wildcards", "split it into several patterns")
    for segment in pattern.split("/"):
        if _ANY_DEPTH in segment and segment != _ANY_DEPTH:
            return PathFault("`**` stands for whole folders only", f"write `**/` or `/**` in place of {_shown(segment)}")
        if segment != _ANY_DEPTH and _tokens(segment) is None:
            return PathFault(f"the `[` in {_shown(segment)} is not closed", "close it with `]`, or write `[[]` for a bracket")
    return fault(pattern)


def safe(path: str, *, at: Location | None = None) -> str:
    """The normal form of a safe relative path. Raises InputError with the place and a hint for every other one."""
    return _normal_or_raise(path, fault(path), at)


def safe_glob(pattern: str, *, at: Location | None = None) -> str:
    """The normal form of a safe relative glob. Raises InputError with the place and a hint for every other one."""
    return _normal_or_raise(pattern, glob_fault(pattern), at)


def join(base: str, path: str, *, at: Location | None = None) -> str:
    """`path`, which may start with `..`, seen from folder `base` of a root. Raises InputError when it leaves the root."""
    found = fault(path, climb=True)
    segments = [segment for segment in base.split("/") if segment not in ("", ".")]
    for segment in path.split("/") if found is None else ():
        if segment == ".." and not segments:
            found = PathFault(f"{_shown(path)} leads out of the workspace", "name a folder inside the workspace")
            break
        if segment == "..":
            segments.pop()
        elif segment not in ("", "."):
            segments.append(segment)
    return _normal_or_raise("/".join(segments) or ".", found, at)


def is_glob(pattern: str) -> bool:
    """Whether a pattern holds a wildcard, so that it may match more than the path it spells."""
    return any(character in pattern for character in "*?[")


def match_glob(pattern: str, path: str) -> bool:
    """Whether `path` fits `pattern`: `*` and `?` and `[a-z]` within one name, `**` for any number of folders, none included.

    A leading dot is an ordinary character; an open `[` matches nothing. Two pointers with one retry point (the classic
    wildcard match) instead of a regular expression: the time is bounded by the product of the two lengths.
    """
    return _match_sequence(tuple(pattern.split("/")), path.split("/"))


def match_segment(pattern: str, name: str) -> bool:
    """Whether one file name fits one segment of a glob."""
    tokens = _tokens(pattern)
    return tokens is not None and _match_name(tokens, name)


def case_collisions(paths: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Groups of paths, folders included, that are one path where names ignore case or Unicode normal form. Sorted."""
    groups: dict[tuple[str, str], set[str]] = {}
    for path in _with_folders(paths):
        folder, _, name = path.rpartition("/")
        groups.setdefault((folder, _folded(name)), set()).add(path)
    return tuple(sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1))


def _with_folders(paths: Iterable[str]) -> set[str]:
    known: set[str] = set()
    for path in paths:
        rest = path
        while rest and rest not in known:
            known.add(rest)
            rest = rest.rpartition("/")[0]
    return known


def _folded(name: str) -> str:
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _normal_or_raise(path: str, found: PathFault | None, at: Location | None) -> str:
    if found is not None:
        raise InputError(found.message, at=at, hint=found.hint, code="unsafe-path")
    return "/".join(segment for segment in path.split("/") if segment not in ("", ".")) or "."


def _whole_fault(path: str) -> PathFault | None:
    if not path:
        return PathFault("the path is empty", "name a file or folder")
    if len(path) > PATH_CHARACTERS:
        return PathFault(f"the path is longer than {PATH_CHARACTERS} characters", "use a shorter path")
    if _UNPRINTABLE.search(path):
        return PathFault(f"the path {_shown(path)} holds a character that cannot be seen", "use visible characters")
    if path.startswith(("\\\\", "//")):
        return PathFault(f"{_shown(path)} names a network share", "use a path relative to the manifest")
    if "\\" in path:
        return PathFault(f"{_shown(path)} holds a backslash", "separate folders with `/`")
    if path.startswith("/"):
        return PathFault(f"{_shown(path)} is an absolute path", "use a path relative to the manifest")
    if path.startswith("~"):
        return PathFault(f"{_shown(path)} starts with `~`, which only a shell expands", "use a path relative to the manifest")
    if _DRIVE.match(path):
        return PathFault(f"{_shown(path)} starts with a drive letter", "use a path relative to the manifest")
    return None


def _segments_fault(path: str, *, climb: bool) -> PathFault | None:
    climbing = climb
    for segment in path.rstrip("/").split("/"):
        climbing = climbing and segment in ("..", ".")
        if segment == ".." and not climbing:
            return PathFault(f"{_shown(path)} leads out with `..`", "name something inside the folder of the manifest")
        found = None if segment in (".", "..") else _segment_fault(segment, path)
        if found:
            return found
    return None


def _segment_fault(segment: str, path: str) -> PathFault | None:
    if not segment:
        return PathFault(f"{_shown(path)} holds an empty folder name", "write one `/` between two names")
    if segment[-1] in ". ":
        return PathFault(f"{_shown(segment)} ends with a dot or a space, which Windows drops", "remove the last character")
    if segment[0] == " ":
        return PathFault(f"{_shown(segment)} starts with a space", "remove the space")
    if _RESERVED.match(segment):
        return PathFault(f"{_shown(segment)} is a reserved device name on Windows", "rename it")
    return None


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:57] + "…") if _UNPRINTABLE.search(text) else f"`{text[:60]}`"


def _match_sequence(pattern: tuple[str, ...], names: list[str]) -> bool:
    at_pattern = at_name = 0
    retry_pattern, retry_name = -1, 0
    while at_name < len(names):
        if at_pattern < len(pattern) and pattern[at_pattern] == _ANY_DEPTH:
            retry_pattern, retry_name = at_pattern, at_name
            at_pattern += 1
        elif at_pattern < len(pattern) and match_segment(pattern[at_pattern], names[at_name]):
            at_pattern, at_name = at_pattern + 1, at_name + 1
        elif retry_pattern >= 0:
            retry_name += 1
            at_pattern, at_name = retry_pattern + 1, retry_name
        else:
            return False
    return all(segment == _ANY_DEPTH for segment in pattern[at_pattern:])


class _Set(Struct, frozen=True):
    """The characters of one `[…]`: single ones and ranges."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool

    def holds(self, character: str) -> bool:
        return any(low <= character <= high for low, high in self.ranges) != self.negated


_Token = str | _Set


@lru_cache(maxsize=1024)
def _tokens(segment: str) -> tuple[_Token, ...] | None:
    tokens: list[_Token] = []
    at = 0
    while at < len(segment):
        if segment[at] != "[":
            tokens.append(segment[at])
            at += 1
            continue
        end = segment.find("]", at + 3 if segment[at + 1 : at + 2] in ("!", "^") else at + 2)
        if end < 0:
            return None
        tokens.append(_character_set(segment[at + 1 : end]))
        at = end + 1
    return tuple(tokens)


def _character_set(inside: str) -> _Set:
    negated = inside[0] in "!^"
    characters = inside[1:] if negated else inside
    ranges = []
    at = 0
    while at < len(characters):
        is_range = at + 2 < len(characters) and characters[at + 1] == "-"
        ranges.append((characters[at], characters[at + 2] if is_range else characters[at]))
        at += 3 if is_range else 1
    return _Set(tuple(ranges), negated)


def _match_name(tokens: tuple[_Token, ...], name: str) -> bool:
    at_token = at = 0
    retry_token, retry = -1, 0
    while at < len(name):
        token = tokens[at_token] if at_token < len(tokens) else None
        if token == "*":
            retry_token, retry = at_token, at
            at_token += 1
        elif token is not None and (token.holds(name[at]) if isinstance(token, _Set) else token in ("?", name[at])):
            at_token, at = at_token + 1, at + 1
        elif retry_token >= 0:
            retry += 1
            at_token, at = retry_token + 1, retry
        else:
            return False
    return all(token == "*" for token in tokens[at_token:])

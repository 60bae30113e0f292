"""File names in a package: which cannot be part of a tree, and which do not work everywhere."""

from __future__ import annotations

from msgspec import Struct

from selftune_build.limits import TREE_PATH_BYTES_MAX
from selftune_build.model.finding import Severity
from selftune_build.model.package import SKILL_FILE
from selftune_build.relpath import fault

_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class TreeFault(Struct, frozen=True):
    """What is wrong with an entry of a package folder; one that is an error is left out of the tree."""

    code: str
    severity: Severity
    message: str
    hint: str | None = None


def unusable_name(name: str, relative: str) -> TreeFault | None:
    """Why an entry of this name at this path cannot be part of a tree, None where it can."""
    if relative.isascii() and name.isprintable() and len(relative) <= TREE_PATH_BYTES_MAX:
        return None
    try:
        size = len(relative.encode())
    except UnicodeEncodeError:
        return TreeFault("name-not-utf8", Severity.ERROR, "the file name is not UTF-8", "rename it")
    if size > TREE_PATH_BYTES_MAX:
        message = f"the path has {size} bytes; many systems end at {TREE_PATH_BYTES_MAX}"
        return TreeFault("path-too-long", Severity.ERROR, message, "use shorter names")
    if any(_is_control(character) for character in name):
        message = "the file name holds a control or bidirectional character"
        return TreeFault("name-control-character", Severity.ERROR, message, "rename it")
    return None


def odd_name(relative: str) -> TreeFault | None:
    """What is odd about the path of a file that is part of the tree, the first thing only."""
    if relative.endswith("/" + SKILL_FILE):
        message = "a SKILL.md inside another package: hosts that search deep offer it as a skill of its own"
        return TreeFault("nested-skill", Severity.WARNING, message)
    unsafe = fault(relative)
    return None if unsafe is None else TreeFault("name-not-portable", Severity.WARNING, unsafe.message, unsafe.hint)


def _is_control(character: str) -> bool:
    return ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 or character in "\u2028\u2029" or character in _BIDIRECTIONAL

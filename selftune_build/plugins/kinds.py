"""The kinds of things that a plugin supplies, the hook of each, and how its ids are spelled."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from selftune_build.limits import PLUGIN_ID_CHARACTERS

PROJECT = "selftune_build"
GROUP = "selftune_build.plugins"
"""Entry-point group of plugins."""

API_VERSION = 1
"""Raised when a hook changes so that plugins written for the former one break."""


class Kind(StrEnum):
    """What a plugin supplies."""

    AGENT = "agent"
    GATE = "gate"
    CHECK = "check"
    READER = "reader"
    MUTATOR = "mutator"
    REPORT = "report"
    EXECUTOR = "executor"


HOOKS = {kind: f"selftune_{kind.value}s" for kind in Kind}
"""Kind → name of its hook."""

_NAMED_BY = {Kind.CHECK: "kind", Kind.READER: "name"}
_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]*")
_SPELLING = {Kind.GATE: re.compile(r"[a-z][a-z0-9-]*"), Kind.CHECK: re.compile(r"[a-z][a-z0-9-]*/[1-9][0-9]{0,3}")}
_SPELLED = {Kind.CHECK: "`NAME/VERSION`, such as `word-count/1`", Kind.GATE: "a-z, 0-9 and `-`, from a letter on"}


def id_of(kind: Kind, supplied: Any) -> Any:
    """The id under which manifest, eval file or command line name what a plugin supplies."""
    return getattr(supplied, _NAMED_BY.get(kind, "id"), None)


def id_fault(kind: Kind, name: Any) -> str | None:
    """What is wrong with an id, None for a good one."""
    good = isinstance(name, str) and len(name) <= PLUGIN_ID_CHARACTERS and _SPELLING.get(kind, _PLAIN).fullmatch(name)
    if good:
        return None
    return f"{str(name)[:PLUGIN_ID_CHARACTERS]!r} is no id for a {kind}: {_SPELLED.get(kind, 'a-z, 0-9, `.`, `_` and `-`')}"

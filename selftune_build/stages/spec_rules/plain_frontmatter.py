"""Frontmatter so plain that the specification leaves nothing to ask: no YAML reader can take it for anything else.

`name`, `description` and at most the other fields of the specification that are texts, each once and on a line of its own, each a
word of ASCII letters followed by what no YAML gives a meaning to. That skills-ref accepts all of it is shown by a property test.
"""

from __future__ import annotations

import re

from selftune_build.limits import SPEC_COMPATIBILITY_MAX, SPEC_DESCRIPTION_MAX, SPEC_NAME_MAX

_FIELDS = frozenset({"name", "description", "license", "compatibility"})
_HEAD = re.compile(rb"---\n((?:[a-z]+: [A-Za-z0-9][A-Za-z0-9 ,.;()/'\"_-]*\n){2,4})---\n")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def is_plainly_valid(content: bytes, folder_name: str) -> bool:
    """Whether SKILL.md is UTF-8, begins with such frontmatter, and what that says is within the limits of the specification."""
    head = _HEAD.match(content)
    if head is None or b"---" in head[1] or b" \n" in head[1]:
        return False
    lines = [line.split(": ", 1) for line in head[1].decode().splitlines()]
    said = dict(lines)
    return (
        len(said) == len(lines)
        and said.keys() <= _FIELDS
        and said.get("name") == folder_name
        and _NAME.fullmatch(folder_name) is not None
        and len(folder_name) <= SPEC_NAME_MAX
        and "description" in said
        and len(said["description"]) <= SPEC_DESCRIPTION_MAX
        and len(said.get("compatibility", "")) <= SPEC_COMPATIBILITY_MAX
        and _is_text(content)
    )


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True

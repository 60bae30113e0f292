"""Another description in a SKILL.md, every other byte as it was: the scalar is found by YAML's own parser and read back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import yaml
from msgspec import Struct

from selftune_build.limits import MANIFEST_BYTES, SPEC_DESCRIPTION_MAX
from selftune_build.model.package import SKILL_FILE, Skill
from selftune_build.reading.skill import read_skill

_FRONTMATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(?P<yaml>.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_KEY = "description"


class _Scalar(Struct, frozen=True):
    """Where the value stands in the text, and how it is written."""

    start: int
    end: int
    style: str
    """`"`, `'`, `|`, `>`, or nothing for plain text."""


def with_description(content: bytes, name: str, wanted: str) -> bytes | None:
    """SKILL.md with this description; None where that is too long, or the file is not one that can be edited with certainty.

    Whoever reads it back finds the description, up to white space, and nothing else changed. What is added at the end of a
    description that stays is added in place; otherwise the value is written anew, as one line.
    """
    text = _decoded(content)
    scalar = _scalar(text) if text is not None else None
    if text is None or scalar is None or not wanted.strip() or len(wanted) > SPEC_DESCRIPTION_MAX:
        return None
    before = read_skill(content, SKILL_FILE, name).skill
    for written in _written(text, scalar, before.description, wanted):
        made = (text[: scalar.start] + written + text[scalar.end :]).encode()
        after = read_skill(made, SKILL_FILE, name).skill
        if after.description.split() == wanted.split() and _rest(before) == _rest(after):
            return made
    return None


def _rest(skill: Skill) -> object:
    return [(key, value) for key, value in skill.frontmatter.items() if key != _KEY], skill.body, skill.name


def _decoded(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _scalar(text: str) -> _Scalar | None:
    found = _FRONTMATTER.match(text)
    if found is None or len(found["yaml"]) > MANIFEST_BYTES:
        return None
    try:
        node = yaml.compose(found["yaml"], Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    value = next((value for key, value in pairs if key.value == _KEY), None)
    if not isinstance(value, yaml.ScalarNode):
        return None
    start = found.start("yaml")
    return _Scalar(start + value.start_mark.index, start + value.end_mark.index, value.style or "")


def _written(text: str, scalar: _Scalar, before: str, wanted: str) -> Iterator[str]:
    """The value as it may be written, the least change first; not each is what is wanted."""
    value = text[scalar.start : scalar.end]
    if wanted.startswith(before.strip()):
        added = wanted[len(before.strip()) :].strip()
        yield from _longer(value, scalar.style, added)
    if scalar.style == "" and "\n" not in value:
        yield wanted
    whole = json.dumps(wanted, ensure_ascii=False)
    yield f"{whole}{_line_end(value)}" if scalar.style in ("|", ">") else whole


def _longer(value: str, style: str, added: str) -> Iterator[str]:
    if style == "":
        yield f"{value.rstrip()} {added}{value[len(value.rstrip()) :]}"
    elif style == "'":
        yield value[:-1] + " " + added.replace("'", "''") + "'"
    elif style == '"':
        yield value[:-1] + " " + json.dumps(added, ensure_ascii=False)[1:]
    else:
        lines = value.rstrip().splitlines()
        indent = lines[-1][: len(lines[-1]) - len(lines[-1].lstrip())]
        end = _line_end(value)
        yield value.rstrip() + end + indent + added + value[len(value.rstrip()) :]


def _line_end(value: str) -> str:
    return "\r\n" if "\r\n" in value else "\n"

"""Waivers written into a manifest in the form that its author gave it: every other line stays byte for byte."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Any

from selftune_build.errors import InputError
from selftune_build.model.location import Location
from selftune_build.model.manifest import Waiver
from selftune_build.reading.manifest import read_manifest

_NEW = "version: 1\n"
_KEY = "accepted"


def with_waivers(content: bytes | None, path: str, waivers: Sequence[Waiver]) -> bytes:
    """The manifest with these waivers instead of those for the same rows; of None a new manifest.

    Raises InputError for a manifest that does not read, for a text that a manifest cannot hold, and where the manifest could
    not be written without losing something of it.
    """
    text = _NEW if content is None else content.decode()
    before = read_manifest(text.encode(), path)
    written = _spliced(text, waivers).encode()
    after = read_manifest(written, path)
    if {**after.data, _KEY: None} != {**before.data, _KEY: None}:
        raise InputError("it cannot be extended without changing it", at=Location(path), hint="write the waiver by hand")
    return written


def _spliced(text: str, waivers: Sequence[Waiver]) -> str:
    """Only the lines of `accepted` are made anew; of a manifest in braces all of it."""
    lines = text.splitlines(keepends=True)
    document = _yaml(text).load(text)
    if document.fa.flow_style():
        return _extended(text, waivers)
    if _KEY not in document:
        ending = "" if text.endswith("\n") else "\n"
        return text + ending + _extended(f"{_KEY}: []\n", waivers)
    places = sorted(document.lc.key(key)[0] for key in document)
    start = document.lc.key(_KEY)[0]
    end = next((place for place in places if place > start), len(lines))
    while lines[end - 1].lstrip().startswith("#") or not lines[end - 1].strip():  # they belong to what follows
        end -= 1
    return "".join([*lines[:start], _extended("".join(lines[start:end]), waivers), *lines[end:]])


def _extended(text: str, waivers: Sequence[Waiver]) -> str:
    """A text with a list under `accepted`, which gets the waivers."""
    yaml = _yaml(text)
    document = yaml.load(text)
    targets = {waiver.target for waiver in waivers}
    kept = document.setdefault(_KEY, [])
    if not kept and not document.fa.flow_style():
        kept = document[_KEY] = []
    for index in reversed([index for index, each in enumerate(kept) if each["target"] in targets]):
        del kept[index]
    kept.extend({"target": waiver.target, "key": waiver.key, "reason": waiver.reason} for waiver in waivers)
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _yaml(text: str) -> Any:
    """Reads and writes in the form of a text."""
    from ruamel.yaml import YAML
    from ruamel.yaml.util import load_yaml_guess_indent

    _, indent, offset = load_yaml_guess_indent(text)
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 2**20
    yaml.indent(mapping=2, sequence=max(indent or 2, (offset or 0) + 2), offset=offset or 0)
    return yaml

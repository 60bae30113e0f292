"""The bytes of an eval file as data: JSON and YAML by their suffix, Markdown with its frontmatter, everything else as text."""

from __future__ import annotations

import posixpath
from typing import Any

from selftune_build.errors import InputError
from selftune_build.model.location import Location
from selftune_build.reading import json_text, strict_yaml
from selftune_build.reading.document import Document, Place

BODY = "body"
FRONTMATTER = "frontmatter"
_DELIMITER = "---"
_YAML = (".yaml", ".yml")
_MARKDOWN = ".md"


def is_data(path: str) -> bool:
    """Whether a file of this name is read as JSON or YAML."""
    return _suffix(path) in (".json", *_YAML)


def is_yaml(path: str) -> bool:
    """Whether a file of this name is read as YAML."""
    return _suffix(path) in _YAML


def load_data(path: str, content: bytes, *, wild: bool) -> Document:
    """A JSON or YAML file, one of others (`wild`) with aliases. Raises InputError with the place of what is wrong."""
    if _suffix(path) in _YAML:
        return strict_yaml.load(content, path, wild=wild, references=wild)
    return json_text.load(content, path, wild=wild)


def load_any(path: str, content: bytes, *, wild: bool) -> Document:
    """A file of any kind; Markdown as `{frontmatter, body}`, what is no data as its text. Raises InputError."""
    if _suffix(path) == _MARKDOWN:
        return load_markdown(path, content)
    return load_data(path, content, wild=wild) if is_data(path) else load_text(path, content)


def load_text(path: str, content: bytes) -> Document:
    """The whole file as one text. Raises InputError where it is not UTF-8."""
    return Document(path, _decoded(path, content), lambda: Place(1, 1))


def load_markdown(path: str, content: bytes) -> Document:
    """`{"frontmatter": {…}, "body": text}`; without two delimiter lines the frontmatter is empty. Raises InputError."""
    lines = _decoded(path, content).replace("\r\n", "\n").split("\n")
    end = next((index for index in range(1, len(lines)) if lines[index].rstrip() == _DELIMITER), 0)
    if not end or lines[0].rstrip() != _DELIMITER:
        return _markdown(path, {}, "\n".join(lines), Place(1, 1), 1)
    front = strict_yaml.load("\n".join(lines[1:end]).encode(), path, wild=True, first_line=2)
    data = front.data if isinstance(front.data, dict) else {}
    document = _markdown(path, data, "\n".join(lines[end + 1 :]), front.places(), end + 2)
    return Document(document.path, document.data, document.places, front.findings)


def _markdown(path: str, front: dict[str, Any], body: str, place: Place, body_line: int) -> Document:
    root = Place(1, 1, children={FRONTMATTER: place, BODY: Place(body_line, 1)})
    return Document(path, {FRONTMATTER: front, BODY: body.strip()}, lambda: root)


def _decoded(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        raise InputError("the file is not UTF-8", at=Location(path, line), hint="save it as UTF-8") from None


def _suffix(path: str) -> str:
    return posixpath.splitext(path)[1].lower()

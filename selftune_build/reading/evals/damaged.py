"""A file of our own format that does not say so any more: read as another format it would lose its checks without a word."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from selftune_build.errors import InputError
from selftune_build.escape import one_line
from selftune_build.model.location import Location
from selftune_build.reading.document import Document, pointer_of
from selftune_build.reading.evals import native
from selftune_build.reading.evals.check_spelling import PLAIN_VALUE

SYNTAX = frozenset({"yaml-syntax", "json-syntax"})
"""Codes of what no reader of YAML or JSON takes; a limit, a comment or a second document is the business of others."""

_KEY = "format"
_FORMATS = (native.EVALS, native.UNIT_TESTS)
_NEAR = 0.8
_SHOWN = 60
_KINDS = frozenset(
    {*PLAIN_VALUE, "command", "json-path", "json-schema", "file-contains", "file-equals", "score", "rubric", "tool-count"}
)


def refuse_damaged(document: Document, expected: str) -> None:
    """Raise InputError where the data is not of our format by its word and yet by its keys; `expected` is the format meant."""
    if not isinstance(document.data, dict):
        return
    misspelled = next(_misspelled(document.data), None)
    if misspelled is not None:
        at, hint = document.locate(pointer_of([misspelled])), f"write `{_KEY}: {expected}`"
        message = f"`{one_line(str(misspelled), _SHOWN)}` is not known here; did you mean `{_KEY}: {expected}`?"
        raise InputError(message, at=at, hint=hint, code="format-missing")
    ours = next(_of_ours(document.data.get("cases")), None)
    if ours is not None:
        message = f"`{ours[1]}` is written as in {expected}, and the file does not say that it is in this format"
        hint = f"add the line `{_KEY}: {expected}` at its top"
        raise InputError(message, at=document.locate(pointer_of(["cases", *ours])), hint=hint, code="format-missing")


def refuse_emptied(path: str, content: bytes) -> None:
    """Raise InputError where nothing stands in a file but space and comments."""
    lines = (line.strip() for line in content.decode("utf-8-sig", "replace").splitlines())
    if all(not line or line.startswith("#") for line in lines):
        hint = "write its cases again (`git checkout` brings back what was committed), or delete it"
        raise InputError("the file is empty", at=Location(path, 1), hint=hint, code="file-emptied")


def _misspelled(data: dict[str, Any]) -> Iterator[str]:
    """Keys whose value names a format of ours, and keys of a suite that are nearly `format`."""
    suite = any(isinstance(data.get(key), list) for key in ("cases", "evals"))
    for key, value in data.items():
        if isinstance(key, str) and isinstance(value, str):
            near = get_close_matches(key.lower(), (_KEY,), cutoff=_NEAR) if key != _KEY else []
            named = get_close_matches(value.lower(), _FORMATS, cutoff=_NEAR)
            if named or (near and suite):
                yield key


def _of_ours(cases: object) -> Iterator[tuple[int, str]]:
    """Number of the case and name of the key, for each key that only our format has with such a value."""
    for number, case in enumerate(cases if isinstance(cases, list) else ()):
        for key, value in case.items() if isinstance(case, dict) else ():
            if _is_ours(key, value):
                yield number, key


def _is_ours(key: str, value: object) -> bool:
    if key == "observe":
        return value == "package"
    if not isinstance(value, list):
        return False
    if key == "checks":
        return any(isinstance(item, dict) and _KINDS & set(item) for item in value)
    words = value if key == "run" else [word for argv in value for word in (argv if isinstance(argv, list) else [argv])]
    return key in ("run", "setup") and bool(words) and all(isinstance(word, str) for word in words)

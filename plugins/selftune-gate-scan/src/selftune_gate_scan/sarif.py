"""Findings from SARIF 2.1.0 (OASIS), strictly: what is not understood makes the whole answer unusable."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from selftune_build.plugins import Finding, Location, Severity

_LEVELS = {"error": Severity.ERROR, "warning": Severity.WARNING, "note": Severity.NOTE, "none": Severity.NOTE}
_RESULTS = 1000
_TEXT = 300


class Unreadable(Exception):
    """Why an answer cannot be used."""


def read(output: bytes, folder: str, prefix: str) -> tuple[Finding, ...]:
    """The results of every run. `prefix`: what stands before the places. Raises Unreadable."""
    try:
        document = json.loads(output)
    except (ValueError, RecursionError):
        raise Unreadable("it is no JSON") from None
    try:
        found = tuple(_findings(document, folder, prefix))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise Unreadable(f"it is no SARIF 2.1.0 ({type(error).__name__}: {error})") from None
    if len(found) > _RESULTS:
        raise Unreadable(f"it has more than {_RESULTS} results")
    return found


def _findings(document: Any, folder: str, prefix: str) -> Iterator[Finding]:
    if document["version"] != "2.1.0" or not document["runs"]:
        raise Unreadable("it has no run of SARIF 2.1.0")
    for run in document["runs"]:
        invocations = run["invocations"]
        if not invocations or any(each["executionSuccessful"] is not True for each in invocations):
            raise Unreadable("it says itself that the scan failed")
        if any(each.get("toolExecutionNotifications") for each in invocations):
            raise Unreadable("it says that a part of the scan failed")
        for result in run["results"]:
            yield _finding(result, folder, prefix)


def _finding(result: Any, folder: str, prefix: str) -> Finding:
    level, rule, text = result.get("level", "warning"), result["ruleId"], result["message"]["text"]
    if level not in _LEVELS or not isinstance(rule, str) or not isinstance(text, str):
        raise Unreadable("a result of it is none")
    return Finding(f"scan:{_line(rule)}", _LEVELS[level], _line(text), _place(result, folder, prefix))


def _place(result: Any, folder: str, prefix: str) -> Location | None:
    locations = result.get("locations") or []
    if not locations:
        return None
    physical = locations[0]["physicalLocation"]
    path = unquote(physical["artifactLocation"]["uri"]).removeprefix("file://")
    inside = path.removeprefix(f"{os.path.realpath(folder)}/").removeprefix(prefix)
    if PurePosixPath(inside).is_absolute() or ".." in PurePosixPath(inside).parts:
        raise Unreadable("a place of it lies outside of the package")
    line = physical.get("region", {}).get("startLine")
    if not (line is None or (type(line) is int and line > 0)):
        raise Unreadable("a line of it is none")
    return Location(PurePosixPath(inside).as_posix(), line)


def _line(text: str) -> str:
    return " ".join(text.split())[:_TEXT]

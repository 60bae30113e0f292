"""The check that a file is exactly what it should be; how it differs is told as a diff."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from selftune_build.checks.context import CheckContext, failed, held, read_file
from selftune_build.checks.quote import normalised
from selftune_build.limits import CHECK_DIFF_LINE_CHARACTERS, CHECK_DIFF_LINES
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult


def judge(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the file at `path` holds exactly `text`, line ends aside, or exactly the bytes of `base64`."""
    path: str = check.params["path"]
    content = read_file(path, transcript, context)
    if content is None:
        return failed(f"no file {path}")
    if "base64" in check.params:
        import base64

        return _bytes(path, base64.b64decode(check.params["base64"]), content)
    wanted, found = _lines(check.params["text"]), _lines(content.decode("utf-8", "replace"))
    if wanted == found:
        return held(f"{path} is as expected, {len(found)} lines")
    return failed(f"{path} differs: {difference(wanted, found)}")


def difference(wanted: list[str], found: list[str]) -> str:
    """A unified diff without context, its lines joined by ` | `. What both ends have in common is passed over, and of what
    lies between only so much is compared as is compared in no time: the cost of a diff grows with the square."""
    from difflib import unified_diff

    start = _alike(wanted, found)
    left, right = wanted[start:], found[start:]
    end = _alike(left[::-1], right[::-1])
    left, right = (_clipped(lines[: len(lines) - end]) for lines in (left, right))
    heads, diff = 2, list(unified_diff(left, right, n=0, lineterm=""))
    lines = [line for line in diff[heads:] if not line.startswith("@@ ")]
    return f"at line {start + 1}: " + (" | ".join(lines) or f"after {CHECK_DIFF_LINE_CHARACTERS} characters of it")


def _alike(left: Sequence[object], right: Sequence[object]) -> int:
    """How many elements both have in common from their start."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))


def _bytes(path: str, wanted: bytes, found: bytes) -> CheckResult:
    if wanted == found:
        return held(f"{path} is as expected, {len(found)} bytes")
    return failed(f"{path} differs at byte {_alike(wanted, found)}: {len(wanted)} bytes were expected, it has {len(found)}")


def _lines(text: str) -> list[str]:
    return normalised(text).split("\n")


def _clipped(lines: list[str]) -> list[str]:
    return [line[:CHECK_DIFF_LINE_CHARACTERS] for line in lines[:CHECK_DIFF_LINES]]

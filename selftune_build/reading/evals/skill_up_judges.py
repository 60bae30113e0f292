"""The expectations and judges of skill-up as checks (see `skill_up` for where they are written down)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from selftune_build.model.case import Check
from selftune_build.reading.evals.case_files import package_file
from selftune_build.reading.evals.counterpart import any_of, counterpart, decimal, implied, matching, not_supported
from selftune_build.reading.evals.draft import entries, mapping, texts
from selftune_build.reading.evals.foreign import has_text
from selftune_build.reading.evals.source import Source
from selftune_build.reading.evals.tool_calls import tool_check
from selftune_build.relpath import fault

_EXPECTED = {
    "must_contain": ("contains", "text"),
    "must_not_contain": ("not-contains", "text"),
    "files_exist": ("file-exists", "path"),
    "files_not_exist": ("file-absent", "path"),
}
_OPPOSITE = {
    "contains": "not-contains",
    "not-contains": "contains",
    "regex": "not-regex",
    "not-regex": "regex",
    "file-exists": "file-absent",
    "file-absent": "file-exists",
    "tool-called": "tool-not-called",
}
_LEAST = "0.5"
"""What share of the criteria has to hold where the judge does not say: more than half."""

_ENDED = "exit_code"


def expected(source: Source, data: dict[str, Any], pointer: str) -> Iterator[Check | None]:
    """What is asked of every sample before any judge."""
    for key, value in data.items():
        place = f"{pointer}/{key}"
        if key in _EXPECTED:
            kind, parameter = _EXPECTED[key]
            for index, text in enumerate(texts(value)):
                yield counterpart(source, kind, {parameter: text}, f"{place}/{index}")
        elif key == "must_contain_any" and texts(value):
            yield counterpart(source, "regex", any_of(texts(value)), place)
        elif key == _ENDED and value == 0:
            implied(source, _ENDED, place)
        else:
            yield not_supported(source, f"expected `{key}`", value, place)


def judged(source: Source, judge: dict[str, Any], pointer: str) -> Iterator[Check | None]:
    """The one judge of a case; without one nothing."""
    kind = judge.get("type")
    if kind == "rule_based":
        yield from _rules(source, judge, pointer)
    elif kind == "agent_judge" and texts(judge.get("criteria")) and not judge.get("skills"):
        yield from _criteria(source, judge, pointer)
    elif kind in ("script", "script_judge") and has_text(judge.get("script_path")):
        yield _script(source, judge, pointer)
    elif judge:
        yield not_supported(source, f"`{kind}`", judge, pointer)


def _criteria(source: Source, judge: dict[str, Any], pointer: str) -> Iterator[Check]:
    """Sentences where all have to hold, else a rubric of which a share has to."""
    criteria, least = texts(judge["criteria"]), decimal(judge.get("pass_threshold")) or _LEAST
    if least != "1":
        yield counterpart(
            source, "rubric", {"criteria": [{"text": text, "weight": 1} for text in criteria], "min": least}, pointer
        )
        return
    for index, text in enumerate(criteria):
        yield counterpart(source, "sentence", {"text": text}, f"{pointer}/criteria/{index}")


def _script(source: Source, judge: dict[str, Any], pointer: str) -> Check:
    """A script of the suite that passes by its exit status. It is told of a run by variables that nobody sets here."""
    path = str(judge["script_path"])
    content = None if fault(path) else package_file(source.read, f"{source.home}/{path}".lstrip("/"))
    if content is None:
        return not_supported(source, "`script`", judge, pointer, "its script is not there")
    if b"EVAL_" in content:
        return not_supported(source, "`script`", [judge, content.hex()], pointer, "it reads variables that are not set here")
    return counterpart(source, "command", {"run": ["sh", "-c", content.decode("utf-8", "replace")]}, pointer)


def _rules(source: Source, judge: dict[str, Any], pointer: str) -> Iterator[Check | None]:
    """All of `success` have to hold, and none of `failure`."""
    for below, rule in entries(judge.get("success"), f"{pointer}/success"):
        for key, value in mapping(rule).items():
            yield from _rule(source, str(key), value, below)
    for below, rule in entries(judge.get("failure"), f"{pointer}/failure"):
        for key, value in mapping(rule).items():
            yield _denied(source, list(_rule(source, str(key), value, below)), rule, below)


def _denied(source: Source, checks: list[Check | None], rule: Any, pointer: str) -> Check:
    """The opposite of one check; of several together there is none."""
    (only,) = checks if len(checks) == 1 else (None,)
    kind = _OPPOSITE.get(only.kind) if only else None
    if only is None or kind is None or "arguments" in only.params:
        return not_supported(source, "`failure`", rule, pointer, "its opposite cannot be said")
    return counterpart(source, kind, only.params, pointer)


def _rule(source: Source, key: str, value: Any, pointer: str) -> Iterator[Check | None]:
    if key in ("output_contains", "output_matches"):
        yield from _output(source, key, value, pointer)
    elif key == _ENDED and value == 0:
        implied(source, _ENDED, pointer)
    elif key in ("files_exist", "files_not_exist"):
        kind, parameter = _EXPECTED[key]
        for path in texts(value):
            yield counterpart(source, kind, {parameter: path}, pointer)
    elif key == "tool_called":
        wanted = {"name": value} if isinstance(value, str) else mapping(value)
        arguments = {f"/{name}": f"^{re.escape(str(text))}$" for name, text in mapping(wanted.get("args")).items()}
        yield tool_check(source, "tool-called", wanted.get("name"), pointer, arguments)
    else:
        yield not_supported(source, f"rule `{key}`", value, pointer)


def _output(source: Source, key: str, value: Any, pointer: str) -> Iterator[Check]:
    """`all`, `any` and `not` of texts or patterns; a text alone stands for `all`."""
    wanted = mapping(value) if isinstance(value, dict) else {"all": value}
    plain = key == "output_contains"
    for word, found in (("all", True), ("not", False)):
        for text in texts(wanted.get(word)):
            kind = ("contains" if plain else "regex") if found else ("not-contains" if plain else "not-regex")
            yield counterpart(source, kind, {"text": text} if plain else matching(text), pointer)
    several = texts(wanted.get("any"))
    if several:
        yield counterpart(
            source, "regex", any_of(several) if plain else matching("|".join(f"(?:{text})" for text in several)), pointer
        )

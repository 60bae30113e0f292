"""Cases in the format of another tool: what it can say, with everything that it cannot named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from selftune_build.checks.registry import check_id
from selftune_build.escape import one_line
from selftune_build.model.case import Case, Check
from selftune_build.model.package import Package

_SENTENCES: dict[str, str] = {
    "sentence": "{text}",
    "contains": "The answer contains the text {text!r}",
    "not-contains": "The answer does not contain the text {text!r}",
    "regex": "The answer matches the regular expression {pattern!r}",
    "not-regex": "The answer does not match the regular expression {pattern!r}",
    "file-exists": "There is a file {path!r}",
    "file-absent": "There is no file {path!r}",
    "file-contains": "The file {path!r} contains the text {text!r}",
    "file-not-contains": "The file {path!r} does not contain the text {text!r}",
    "tool-called": "The tool {name!r} was called",
    "tool-not-called": "The tool {name!r} was not called",
}
"""Kind of check → how it is said to a judge who reads sentences; only where these parameters are all there is."""


class Loss(Struct, frozen=True):
    """Something that the other format cannot say."""

    case: str
    message: str


class Converted(Struct, frozen=True):
    """The file in the other format, how many cases are in it, and what was lost on the way."""

    content: bytes
    cases: int
    losses: tuple[Loss, ...]


def convert(format_: str, package: Package, cases: Sequence[Case]) -> Converted:
    """The cases of a package in another format. Raises KeyError for a format that is not written here."""
    return _WRITERS[format_](package, cases)


def _evals_json(package: Package, cases: Sequence[Case]) -> Converted:
    """As skill-creator reads it: ids are numbers, so that ours becomes the name; every check is a sentence for a judge."""
    losses: list[Loss] = []
    entries = [_entry(package, case, number, losses) for number, case in enumerate(cases, 1) if _has_prompt(case, losses)]
    document = {"skill_name": package.name, "evals": entries}
    return Converted(_encoded(document), len(entries), tuple(losses))


def _entry(package: Package, case: Case, number: int, losses: list[Loss]) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": number, "name": case.id, "prompt": case.prompt, "expected_output": ""}
    entry["files"] = list(_files(package, case, losses))
    entry["expectations"] = [sentence for check in case.checks if (sentence := _sentence(case, check, losses))]
    if case.should_trigger is not None:
        entry["should_trigger"] = case.should_trigger
    losses += _set_up(case)
    return entry


def _files(package: Package, case: Case, losses: list[Loss]) -> Iterator[str]:
    """Paths from the folder of the skill, where a file of the package has those bytes; the format has no place for text."""
    from selftune_build.fingerprint.digest import digest_bytes

    known = {file.digest: file.path for file in package.tree}
    for file in case.files:
        path = known.get(digest_bytes(file.content))
        if path is None:
            losses.append(Loss(case.id, f"its file `{one_line(file.dest, 60)}` is no file of the package"))
        else:
            yield path


def _sentence(case: Case, check: Check, losses: list[Loss]) -> str | None:
    template = _SENTENCES.get(check.kind)
    known = {name for name in check.params if template and f"{{{name}" in template}
    if template is None or known != set(check.params):
        losses.append(Loss(case.id, f"the check `{check_id(check)}` has no words there"))
        return None
    if check.kind != "sentence":
        losses.append(Loss(case.id, f"the check `{check_id(check)}` is a sentence for a judge there"))
    return template.format(**check.params)


def _trigger_set(_package: Package, cases: Sequence[Case]) -> Converted:
    """A list of queries and whether the skill should trigger on them."""
    losses: list[Loss] = []
    entries = []
    for case in cases:
        if not _has_prompt(case, losses):
            continue
        if case.should_trigger is None:
            losses.append(Loss(case.id, "it does not say whether the skill should trigger, so it is left out"))
            continue
        entries.append({"query": case.prompt, "should_trigger": case.should_trigger})
        losses += [Loss(case.id, f"the check `{check_id(check)}` has no place there") for check in case.checks]
        losses += [Loss(case.id, f"its file `{one_line(file.dest, 60)}` has no place there") for file in case.files]
        losses += _set_up(case)
    return Converted(_encoded(entries), len(entries), tuple(losses))


def _has_prompt(case: Case, losses: list[Loss]) -> bool:
    if case.prompt:
        return True
    losses.append(Loss(case.id, "it runs a script and has no prompt, so it is left out"))
    return False


def _set_up(case: Case) -> Iterator[Loss]:
    if case.setup:
        yield Loss(case.id, "its set-up commands have no place there")
    if case.limits is not None:
        yield Loss(case.id, "its limits have no place there")
    if case.tags:
        yield Loss(case.id, "its tags have no place there")


def _encoded(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")


_WRITERS: dict[str, Callable[[Package, Sequence[Case]], Converted]] = {
    "evals.json": _evals_json,
    "trigger-set": _trigger_set,
}
FORMATS = tuple(_WRITERS)
"""The formats that are written here."""

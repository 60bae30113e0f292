"""A case of a format of others on its way to being one: what every such reader does with what it has found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from selftune_build.limits import CASE_CHECKS
from selftune_build.model.case import Case, CaseFile, Check
from selftune_build.model.finding import Severity
from selftune_build.model.manifest import Limits
from selftune_build.reading.evals.content import check_data
from selftune_build.reading.evals.foreign import as_json, has_text
from selftune_build.reading.evals.source import Source

NO_PROMPT = "case-without-prompt"
NO_FILE = "case-file-missing"
NO_COUNTERPART = "case-not-supported"


class Draft(Struct, kw_only=True):
    """What a reader found out about one case."""

    id: str
    pointer: str
    prompt: str = ""
    checks: Iterable[Check | None] = ()
    """None stands for what is no check here."""
    files: tuple[CaseFile, ...] = ()
    setup: tuple[tuple[str, ...], ...] = ()
    should_trigger: bool | None = None
    of_other_skill: bool = False
    """Whether what it says about triggering is about another skill."""
    limits: Limits | None = None
    tags: tuple[str, ...] = ()
    unusable: tuple[str, str] | None = None
    """Code and reason where the case cannot be asked as its author meant it."""


def finished(source: Source, draft: Draft) -> Case:
    """The case. One that cannot be used, or checks nothing, is an error finding and a case that is never a pass."""
    checks = tuple(_once(draft.checks))
    unusable = draft.unusable or _without_prompt(draft.prompt)
    if unusable:
        code, reason = unusable
        severity = Severity.WARNING if code == NO_COUNTERPART else Severity.ERROR
        source.note(code, severity, f"the case cannot be used: {reason}", draft.pointer)
        asked = as_json([check_data(check) for check in checks])
        checks = (source.unsupported("unusable case", asked, reason, draft.pointer),)
    elif not checks and draft.should_trigger is None:
        _note_no_check(source, draft)
    return Case(
        id=draft.id,
        prompt=draft.prompt,
        files=draft.files,
        setup=draft.setup,
        should_trigger=None if unusable else draft.should_trigger,
        checks=_bounded(source, checks, draft.pointer),
        limits=draft.limits,
        tags=draft.tags,
        origin=source.origin(draft.pointer),
    )


def shell(lines: Any) -> tuple[tuple[str, ...], ...]:
    """Shell lines as the commands that run them."""
    return tuple(("sh", "-c", line) for line in lines if has_text(line)) if isinstance(lines, list) else ()


def texts(value: Any) -> list[str]:
    """The texts of a list; one text is a list of itself."""
    return [item for item in (value if isinstance(value, list) else [value]) if has_text(item)]


def entries(value: Any, pointer: str) -> list[tuple[str, Any]]:
    """The elements of a list with their pointers; nothing for anything else."""
    return [(f"{pointer}/{index}", item) for index, item in enumerate(value)] if isinstance(value, list) else []


def mapping(value: Any) -> dict[str, Any]:
    """A mapping, empty for anything else."""
    return value if isinstance(value, dict) else {}


def _once(checks: Iterable[Check | None]) -> Iterator[Check]:
    seen = set()
    for check in checks:
        data = as_json(check_data(check)) if check else ""
        if check and data not in seen:
            seen.add(data)
            yield check


def _without_prompt(prompt: str) -> tuple[str, str] | None:
    if "\0" in prompt:
        return NO_PROMPT, "its prompt holds a NUL character"
    return None if has_text(prompt) else (NO_PROMPT, "it has no prompt")


def _note_no_check(source: Source, draft: Draft) -> None:
    if draft.of_other_skill:
        message = "the case names another skill and checks nothing of this one"
        source.note("case-of-other-skill", Severity.NOTE, message, draft.pointer)
    else:
        message = f"`{draft.id[:60]}` checks nothing and does not say whether the skill should trigger"
        source.note("case-without-check", Severity.ERROR, message, draft.pointer, "add a check, or say whether it should trigger")


def _bounded(source: Source, checks: tuple[Check, ...], pointer: str) -> tuple[Check, ...]:
    if len(checks) <= CASE_CHECKS:
        return checks
    message = f"a case with more than {CASE_CHECKS} checks; it stays undecided"
    source.note("case-too-many-checks", Severity.ERROR, message, pointer)
    reason = f"only {CASE_CHECKS} checks of a case are read"
    rest = as_json([check_data(check) for check in checks[CASE_CHECKS:]])
    return (*checks[:CASE_CHECKS], source.unsupported("too many checks", rest, reason, pointer))

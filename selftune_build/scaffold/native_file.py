"""Cases as an eval file of our own format, for a human to review: what cannot be said in it stands there as a comment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.errors import InputError
from selftune_build.escape import one_line
from selftune_build.limits import INLINE_FILE_CHARACTERS
from selftune_build.model.case import Arm, Case, CaseFile, Check
from selftune_build.model.manifest import Limits
from selftune_build.reading.evals import read_eval_files
from selftune_build.reading.evals.check_spelling import PLAIN_VALUE
from selftune_build.reading.evals.content import text_digest
from selftune_build.reading.evals.native import EVALS

_BESIDE = frozenset(Check.__struct_fields__) & {"id", "weight", "arms"}
_INDENT = " " * 6
_NAME_DIGITS = 8
_TRIAL = "evals/trial.yaml"


class NativeFile(Struct, frozen=True):
    """The bytes of an eval file, of the files that it names, and the cases that could not be written, with the reason."""

    content: bytes
    files: Mapping[str, bytes]
    left_out: tuple[tuple[Case, str], ...]


def native_file(cases: Iterable[Case], head: str, folder: str, default: Limits) -> NativeFile:
    """An eval file with these cases in their order. Files that are no short text go below `folder`, a path in the package.

    A case of which nothing can be measured is left out of it and named in a comment; so is each check without a spelling.
    """
    files: dict[str, bytes] = {}
    lines = [f"format: {EVALS}", *(f"# {line}".rstrip() for line in head.splitlines())]
    written: list[str] = []
    left_out: list[tuple[Case, str]] = []
    for case in map(sayable, cases):
        reason = _reason(case) or _refusal(case)
        if reason is None:
            written += _section(case, folder, files, default)
        else:
            left_out.append((case, reason))
            written.append(f"  # left out: {_shown(case.id)}: {_shown(reason)}")
    listed = any(not line.startswith("  #") for line in written)
    body = ["cases:", *written] if listed else [*written, "cases: []"]
    return NativeFile("\n".join([*lines, *body, ""]).encode("utf-8", "replace"), files, tuple(left_out))


def sayable(case: Case) -> Case:
    """The case with every check that our format has no words for replaced by one that says so."""
    checks = (check if check.kind == "unsupported" else _sayable(check) for check in case.checks)
    return replace(case, checks=tuple(checks))


def _sayable(check: Check) -> Check:
    reason = _refused({"id": "a", "prompt": "p", "checks": [spelled(check)]})
    if reason is None:
        return check
    said = f"`{check.kind}`"
    return Check(
        "unsupported", {"name": said, "reason": f"{said} cannot be written: {reason}", "content": ""}, origin=check.origin
    )


def _refusal(case: Case) -> str | None:
    """Why the case itself cannot be written."""
    return _refused({"id": case.id, "prompt": case.prompt, "should_trigger": True})


def _refused(entry: dict[str, Any]) -> str | None:
    """What our own reader has against a case, None for nothing: what is written is always read."""
    content = _quoted({"format": EVALS, "cases": [entry]}).encode("utf-8", "replace")
    try:
        read_eval_files([_TRIAL], lambda _path: content, True)
    except InputError as problem:
        return problem.message
    return None


def spelled(check: Check) -> dict[str, Any]:
    """A check as it is written in our format: its kind, and beside it id, weight and arm where they are not the default."""
    params = dict(check.params)
    plain = PLAIN_VALUE.get(check.kind)
    value: Any = params
    if check.kind in ("skill-invoked", "skill-not-invoked") and not params:
        value = True
    elif plain in params and len(params) == 1:
        value = params[plain]
    beside = {name: getattr(check, name) for name in _BESIDE}
    said = {name: beside[name] for name in ("id", "weight") if beside.get(name) not in (None, 1)}
    arms: tuple[Arm, ...] | None = beside.get("arms")
    if arms is not None:
        said["arm"] = [arm.value for arm in arms]
    return {check.kind: value, **said}


def _reason(case: Case) -> str | None:
    """Why the case is left out; None where there is something to measure."""
    if case.should_trigger is not None or any(check.kind != "unsupported" for check in case.checks):
        return None
    return str(case.checks[0].params["reason"]) if case.checks else "it checks nothing"


def _section(case: Case, folder: str, files: dict[str, bytes], default: Limits) -> Iterator[str]:
    origin = case.origin
    yield f"  # {origin.format}: {_shown(str(origin.at))}" if origin else "  #"
    yield f"  - id: {_quoted(case.id)}"
    yield f"    prompt: {_block(case.prompt)}"
    if case.should_trigger is not None:
        yield f"    should_trigger: {json.dumps(case.should_trigger)}"
    yield from _listed("files", [_file(case, file, folder, files) for file in case.files])
    yield from _listed("setup", [list(argv) for argv in case.setup])
    yield from _limits(case.limits, default)
    tags = [tag[:100] for tag in case.tags if tag.isprintable()][:50]
    if tags:
        yield f"    tags: {_quoted(tags)}"
    yield from _checks(case.checks)


def _checks(checks: tuple[Check, ...]) -> Iterator[str]:
    for check in checks:
        if check.kind == "unsupported":
            yield f"    # not checked: {_shown(str(check.params['name']))}: {_shown(str(check.params['reason']))}"
    yield from _listed("checks", [spelled(check) for check in checks if check.kind != "unsupported"])


def _limits(limits: Limits | None, default: Limits) -> Iterator[str]:
    if limits is None:
        return
    said = {name: getattr(limits, name) for name in ("timeout_s", "max_turns") if getattr(limits, name) != getattr(default, name)}
    if said:
        yield f"    limits: {_quoted(said)}"


def _file(case: Case, file: CaseFile, folder: str, files: dict[str, bytes]) -> dict[str, str]:
    """Short text stands in the case, everything else in a file of its own that is named after case and content."""
    try:
        text = file.content.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None and len(text) <= INLINE_FILE_CHARACTERS and text.replace("\n", "").replace("\t", "").isprintable():
        return {"dest": file.dest, "content": text}
    digits = text_digest(f"{case.id}\0{file.dest}\0{file.content.hex()}")[:_NAME_DIGITS]
    path = f"{folder}/{digits}-{file.dest.rpartition('/')[2]}"
    files[path] = file.content
    return {"src": path, "dest": file.dest}


def _listed(name: str, items: list[Any]) -> Iterator[str]:
    if items:
        yield f"    {name}:"
        yield from (f"{_INDENT}- {_quoted(item)}" for item in items)


def _block(text: str) -> str:
    """A text of several lines as a block where that is safe to read and to write, else quoted on one line."""
    lines = text.split("\n")
    plain = len(lines) > 1 and all(line.isprintable() and line == line.rstrip() for line in lines)
    if not plain or text.endswith("\n\n") or lines[0] != lines[0].lstrip() or not lines[0] or not text.strip():
        return _quoted(text)
    last = "" if lines[-1] else lines.pop()
    keep = "|" if text.endswith("\n") else "|-"
    return "\n".join([keep, *(f"{_INDENT}{line}".rstrip() for line in lines)]) + last


def _quoted(value: Any) -> str:
    """JSON is YAML, but for what cannot be shown: YAML has an escape of its own beyond the first plane."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(character if character.isprintable() else _escaped(ord(character)) for character in text)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _shown(text: str) -> str:
    return one_line(text, 300)

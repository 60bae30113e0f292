"""Explanations for people and for machines (schema `selftune.explain/1`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from selftune_build.escape import one_line
from selftune_build.limits import SHOWN_INPUT_CHARACTERS, SHOWN_INPUTS
from selftune_build.model.explanation import Change, Explanation
from selftune_build.report.cells import indented, name, sentence, wrap
from selftune_build.report.document import envelope
from selftune_build.wording import counted

_DIGEST_SHOWN = len("sha256:") + 12


def render_json(explanations: Sequence[Explanation]) -> str:
    """One document, newline at the end."""
    return envelope("selftune.explain/1", 0, rows=msgspec.to_builtins(explanations)) + "\n"


def render(explanations: Sequence[Explanation], width: int, *, verbose: bool = False) -> str:
    """One paragraph for each row; the rows that are up to date in one line each where there are several."""
    brief = len(explanations) > 1 and not verbose
    return "\n".join("\n".join(_row(each, width, brief, verbose)) for each in explanations) + "\n"


def _row(each: Explanation, width: int, brief: bool, verbose: bool) -> Iterator[str]:
    head = f"{name(each.target)} ({each.arm}, agent {name(each.agent)}): {each.state}"
    if each.state == "up-to-date":
        yield from wrap(f"{head}, {_why_reused(each)}", width, "  ")
    else:
        yield from wrap(f"{head}, {each.n} of {counted(each.needed, 'sample')} for today's text", width, "  ")
        for reason in each.reasons:
            yield from indented(f"{name(reason.code)}: {sentence(reason.message)}", width, 2)
        yield from () if brief else _difference(each, width, verbose)
    if not brief and each.observed:
        yield "  observed, with today's digests:"
        yield from (f"    {name(seen.name)}  {_digest(seen.digest)}" for seen in each.observed)
    if verbose:
        yield f"  static key {name(each.static_key)}, made of:"
        yield from (f"    {name(key)} = {_value(value)}" for key, value in each.asked.items())


def _why_reused(each: Explanation) -> str:
    by = "a row of the lock" if each.source == "lock" else "samples of the store"
    seen = len(each.observed)
    held = f"all {seen} names they observed are unchanged" if seen else "they observed nothing that could change"
    return f"{by}: {counted(each.n, 'sample')}, asked the same, judged the same, and {held}"


def _difference(each: Explanation, width: int, verbose: bool) -> Iterator[str]:
    if each.compared_with is None:
        return
    yield from indented(f"compared with {name(each.compared_with)} as it was last settled here:", width, 2)
    shown = each.changes if verbose else each.changes[:SHOWN_INPUTS]
    for change in shown:
        yield from _change(change)
    if len(shown) < len(each.changes):
        yield f"    and {counted(len(each.changes) - len(shown), 'more input')} (-v shows all)"
    if not each.changes:
        yield "    nothing differs: the samples are not in this store"


def _change(change: Change) -> Iterator[str]:
    yield f"    {name(change.input)}"
    if change.before is not UNSET:
        yield f"      - {_value(change.before)}"
    if change.after is not UNSET:
        yield f"      + {_value(change.after)}"


def _value(value: Any | UnsetType) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return _digest(text) if text.startswith("sha256:") else one_line(text, SHOWN_INPUT_CHARACTERS)


def _digest(text: str) -> str:
    return name(text[:_DIGEST_SHOWN] if text.startswith("sha256:") else text)

"""A check of another format in our kinds; where it cannot be one of them, the check that names what was asked."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from selftune_build.errors import InputError
from selftune_build.escape import one_line
from selftune_build.late import late
from selftune_build.model.case import Arm, Check
from selftune_build.model.finding import Severity
from selftune_build.pattern import PatternError, compile_pattern
from selftune_build.reading.evals.check_params import portable
from selftune_build.reading.evals.content import has_float, text_digest
from selftune_build.reading.evals.foreign import as_json, has_text
from selftune_build.reading.evals.source import Source
from selftune_build.relpath import fault, glob_fault, is_glob

_GLOB_KINDS = ("file-exists", "file-absent")
_INLINE = late(r"\(\?([ims]+)\)")
_MOST_WEIGHT = 1000
_HINT = "say it as a sentence, or in a native eval file"


def counterpart(
    source: Source,
    kind: str,
    params: dict[str, Any],
    pointer: str,
    *,
    id: str | None = None,
    weight: int = 1,
    arms: tuple[Arm, ...] | None = None,
) -> Check:
    """The check of this kind; an unsupported one where a path is unsafe, a pattern cannot be used or a text is missing."""
    origin = source.origin(pointer)
    try:
        usable = portable(kind, params, source, origin.at)
    except InputError as problem:
        return not_supported(source, f"`{kind}`", params, pointer, problem.message)
    why = _fault(kind, usable)
    if why:
        return not_supported(source, f"`{kind}`", params, pointer, why)
    return Check(kind, usable, origin=origin, id=id, weight=weight, arms=arms)


def not_supported(source: Source, name: str, content: Any, pointer: str, why: str = "") -> Check:
    """The check that keeps its case undecided, and one finding for each name and reason in a file."""
    shown = one_line(name, 60)
    because = f": {why}" if why else ""
    message = f"checks of the shape {shown} are not measured{because}; their cases stay undecided"
    source.note_once("check-not-supported", Severity.WARNING, message, pointer, _HINT)
    reason = f"checks of the shape {shown} are not measured{because}"
    return source.unsupported(shown, text_digest(as_json(content)), reason, pointer)


def implied(source: Source, name: str, pointer: str) -> None:
    """Say that what a check asks for holds of every sample that counts, so that it is no check here."""
    message = f"`{name}` is no check here: a sample only counts once the agent has ended and answered"
    source.note_once("check-implied", Severity.NOTE, message, pointer)


def matching(pattern: str, *, flags: str = "", anywhere: bool = True) -> dict[str, Any]:
    """`pattern` and `ignore-case` of a regular expression written for Go, .NET or JavaScript.

    Flags in front of the pattern (`(?im)`) become ours; here `^` and `$` fit at every line whether `m` is given or not.
    With `anywhere` false the parameters say that it matches nowhere, for kinds that only know how to find.
    """
    found = _INLINE.match(pattern)
    if found:
        pattern, flags = pattern[found.end() :], flags + found[1]
    if "s" in flags:
        pattern = f"(?s:{pattern})"
    if not anywhere:
        pattern = rf"\A(?![\s\S]*?(?:{pattern}))"
    return {"pattern": pattern, "ignore-case": True} if "i" in flags else {"pattern": pattern}


def any_of(texts: Sequence[str], *, ignore_case: bool = False) -> dict[str, Any]:
    """`pattern` that finds one of several texts."""
    return matching("|".join(re.escape(text) for text in texts), flags="i" if ignore_case else "")


def whole_weights(weights: Sequence[Any]) -> list[int]:
    """Weights as whole numbers from 1 to 1000, in their proportion; what is no positive number weighs as much as 1 does."""
    numbers = [float(value) if _is_weight(value) else 1.0 for value in weights]
    scale = 1 if all(number == int(number) for number in numbers) else 100
    return [min(max(round(number * scale), 1), _MOST_WEIGHT) for number in numbers]


def decimal(value: Any) -> str | None:
    """A number from 0 to 1 as decimal text, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return None
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _is_weight(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _fault(kind: str, params: dict[str, Any]) -> str | None:
    path = params.get("path")
    if path is not None and (not has_text(path) or _path_fault(kind, path)):
        return "its path is not a safe path in the workspace"
    if any(key in params and not has_text(params[key]) for key in ("text", "pattern", "skill", "name")):
        return "it holds no text to look for"
    if has_float(params):
        return "it holds a fraction"
    return _pattern_fault(params)


def _path_fault(kind: str, path: str) -> bool:
    if is_glob(path):
        return kind not in _GLOB_KINDS or bool(glob_fault(path))
    return bool(fault(path))


def _pattern_fault(params: dict[str, Any]) -> str | None:
    patterns = [params["pattern"]] if "pattern" in params else []
    patterns += list(params.get("arguments", {}).values())
    for pattern in patterns:
        try:
            compile_pattern(pattern, ignore_case=params.get("ignore-case", False))
        except PatternError as problem:
            return f"its pattern cannot be used: {problem}"
    return None

"""What the readers of other people's formats share: ids, text, limits, all of it tolerant."""

from __future__ import annotations

import json
import math
from typing import Any, TypeGuard

from selftune_build.escape import one_line
from selftune_build.late import late
from selftune_build.limits import CASE_TIMEOUT_S
from selftune_build.model.finding import Severity
from selftune_build.model.manifest import Limits
from selftune_build.reading.evals.identifiers import derived_id, id_fault
from selftune_build.reading.evals.source import Source

_TIMEOUTS, _TURNS = ("timeout", "timeout_s", "timeout_seconds"), ("max_turns",)
LIMITS = frozenset({*_TIMEOUTS, *_TURNS})
"""Keys under which cases say how long they may take."""
_SECONDS = late(r"([0-9]{1,7})(ms|s|m)?")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, None: 1}


def has_text(value: Any) -> TypeGuard[str]:
    """Whether a value is text with more than white space."""
    return isinstance(value, str) and bool(value.strip())


def foreign_id(source: Source, entry: dict[str, Any], prompt: str, pointer: str) -> str:
    """The declared `id` (numbers as decimal text), else the `name`, else an id made of the prompt."""
    for key in ("id", "name"):
        declared = entry.get(key)
        if isinstance(declared, int) and not isinstance(declared, bool):
            return str(declared)
        if has_text(declared):
            fault = id_fault(declared.strip())
            if fault is None:
                return declared.strip()
            message = f"the {key} `{one_line(declared, 40)}` is not used: {fault}"
            source.note("case-id-not-used", Severity.WARNING, message, f"{pointer}/{key}")
    return derived_id(prompt or as_json(entry))


def foreign_limits(source: Source, entry: dict[str, Any], pointer: str) -> Limits | None:
    """The limits of a case that declares some, the package's for the rest."""
    if not LIMITS & entry.keys():
        return None
    timeout_s = _first(source, entry, _TIMEOUTS, pointer)
    max_turns = _first(source, entry, _TURNS, pointer)
    if timeout_s is None and max_turns is None:
        return None
    return Limits(timeout_s or source.limits.timeout_s, max_turns or source.limits.max_turns)


def seconds(value: Any) -> int | None:
    """A time as whole seconds, rounded up, None for what is none: `30`, `2.5`, `"90s"`, `"10m"`, `"500ms"`."""
    number = _whole(value)
    return number if number is not None and number > 0 else None


def as_json(value: Any) -> str:
    """Any data as one text, the same for equal data."""
    return json.dumps(value, sort_keys=True)


def _first(source: Source, entry: dict[str, Any], names: tuple[str, ...], pointer: str) -> int | None:
    for name in names:
        if entry.get(name) is None:
            continue
        number = _whole(entry[name])
        if number is not None and 1 <= number <= CASE_TIMEOUT_S:
            return number
        message = f"`{name}` is not a number from 1 to {CASE_TIMEOUT_S}"
        source.note("eval-limit-not-used", Severity.WARNING, message, f"{pointer}/{name}")
    return None


def _whole(value: Any) -> int | None:
    """Seconds or turns as a whole number, rounded up: `30`, `2.5`, `"90s"`, `"10m"`, `"500ms"`."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return math.ceil(value) if math.isfinite(value) else None
    found = _SECONDS.fullmatch(value.strip()) if isinstance(value, str) else None
    return math.ceil(int(found[1]) * _UNITS[found[2]]) if found else None

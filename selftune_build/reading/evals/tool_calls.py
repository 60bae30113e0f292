"""What other formats ask of tools and skills: names, patterns on inputs, and which skill is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from selftune_build.late import late
from selftune_build.model.case import Check
from selftune_build.reading.evals.counterpart import counterpart, matching, not_supported
from selftune_build.reading.evals.foreign import has_text
from selftune_build.reading.evals.source import Source

_NAME = late(r"[\w./:-]{1,200}")
_EXACTLY = late(r"\^?([\w./:-]{1,200})\$?")


class Activation(Struct, frozen=True):
    """What a suite says about which skills are used: about this one a polarity, about others checks."""

    should_trigger: bool | None = None
    checks: tuple[Check, ...] = ()


def activation(source: Source, wanted: Sequence[str], unwanted: Sequence[str], pointer: str) -> Activation:
    """This skill among the wanted ones should trigger, among the unwanted ones it should not; others are checks."""
    name = source.package_name
    ours = True if name in wanted else False if name in unwanted else None
    asked = [("skill-invoked", other) for other in wanted] + [("skill-not-invoked", other) for other in unwanted]
    others = [counterpart(source, kind, {"skill": other}, pointer) for kind, other in asked if other != name]
    return Activation(ours, tuple(others))


def agreed(first: bool | None, second: bool | None) -> bool | None:
    """Two statements about triggering as one: the first that says anything."""
    return second if first is None else first


def tool_check(source: Source, kind: str, tool: Any, pointer: str, arguments: dict[str, str] | None = None) -> Check:
    """`tool-called` or `tool-not-called` for a tool named outright; a pattern that fits several has no counterpart."""
    found = _EXACTLY.fullmatch(tool) if isinstance(tool, str) else None
    if found is None:
        return not_supported(source, f"`{kind}` by pattern", tool, pointer, "tools are told by their names here")
    params: dict[str, Any] = {"name": found[1]}
    if not arguments:
        return counterpart(source, kind, params, pointer)
    if kind == "tool-not-called":
        return not_supported(source, "`tool-not-called` with arguments", [tool, arguments], pointer)
    return counterpart(source, kind, {**params, "arguments": arguments}, pointer)


def argument_pattern(value: Any, *, flags: str = "") -> str | None:
    """A pattern for one argument as Python's engine reads it; None where the value is no text."""
    if not has_text(value):
        return None
    found = matching(value, flags=flags)
    return f"(?i:{found['pattern']})" if found.get("ignore-case") else str(found["pattern"])


def is_name(text: Any) -> bool:
    """Whether a text is a plain name and no pattern."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None

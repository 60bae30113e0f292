"""What a plain YAML scalar means: only what YAML 1.2 core and YAML 1.1 agree on is anything but text."""

from __future__ import annotations

import math
import re
from typing import Any

from selftune_build.late import late
from selftune_build.limits import FLOAT_CHARACTERS, INTEGER_DIGITS

_STARTS = frozenset("~-+.0123456789tTfFnNyYoO")
_CORE: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
_LOOSE: dict[str, Any] = {"Null": None, "NULL": None, "True": True, "TRUE": True, "False": False, "FALSE": False}
_SWITCHES = {
    spelling: value
    for word, value in (("yes", True), ("no", False), ("on", True), ("off", False))
    for spelling in (word, word.capitalize(), word.upper())
}
_INTEGER = late(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = late(r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
_HEXADECIMAL = late(r"0x[0-9a-fA-F]{1,15}")
_NUMBER_LIKE = late(
    r"[-+]?(?:[0-9][0-9_]*(?::[0-5]?[0-9])*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?"
    r"|0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)"
)
_DATE_LIKE = late(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?", re.DOTALL)


def resolve(text: str, *, wild: bool = False) -> tuple[Any, str | None]:
    """The value of a plain scalar and, where readers disagree about it, what another reader would take it for.

    Where readers disagree the value is the text itself; only `wild` reads `yes`, `no`, `on`, `off` as booleans.
    """
    if text and text[0] not in _STARTS:
        return text, None
    if text in _CORE:
        return _CORE[text], None
    if text in _LOOSE:
        return (_LOOSE[text], None) if wild else (text, "null" if _LOOSE[text] is None else "boolean")
    if text in _SWITCHES:
        return (_SWITCHES[text] if wild else text), "boolean"
    return _number(text, wild)


def _number(text: str, wild: bool) -> tuple[Any, str | None]:
    if len(text.lstrip("+-")) <= INTEGER_DIGITS and _INTEGER.fullmatch(text):
        return int(text), None
    if len(text) <= FLOAT_CHARACTERS and _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text), None
    if wild and _HEXADECIMAL.fullmatch(text):
        return int(text, 16), None
    if _NUMBER_LIKE.fullmatch(text):
        return text, "number"
    return text, "date" if _DATE_LIKE.fullmatch(text) else None

"""Bytes to text: UTF-8 without surprises, or with findings for files that others wrote."""

from __future__ import annotations

import re

from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.late import late
from selftune_build.limits import FINDINGS_PER_FILE
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location

_BYTE_ORDER_MARK = "\ufeff"
_UNWANTED = late("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|\r(?!\n)")
UNWANTED_VALUE = late("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
"""Characters that no value of a manifest may hold, also not by an escape."""
_PRIVATE_PLANES = range(0xF0000, 0x10FF00, 0x100)


class Text(Struct, frozen=True):
    """Decoded text. `restore` maps the stand-ins of characters that a parser would choke on back to them."""

    text: str
    findings: tuple[Finding, ...] = ()
    restore: dict[int, str] = {}


def check_size(content: bytes, path: str, limit: int) -> None:
    """Nothing for a file within the limit. Raises InputError for a larger one, before anything else looks at it."""
    if len(content) > limit:
        message = f"the file has more than {limit:,} bytes"
        raise InputError(message, at=Location(path, 1, 1, ""), hint="split it up", code="too-large")


def decode(content: bytes, path: str, *, first_line: int = 1) -> str:
    """UTF-8 text. Raises InputError that names line and column of the first byte that is none."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        at = place_in(content[: error.start].decode("utf-8"), path, first_line=first_line)
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        hint = "the file is UTF-16: save it as UTF-8" if wide else "save the file as UTF-8"
        raise InputError(f"byte 0x{content[error.start]:02x} is not UTF-8", at=at, hint=hint, code="not-utf-8") from None


def place_in(before: str, path: str, *, first_line: int = 1) -> Location:
    """The place after the text `before`, as line and column."""
    return Location(path, before.count("\n") + first_line, len(before) - before.rfind("\n"), "")


def refuse_unwanted(text: str, path: str) -> None:
    """Nothing for clean text. Raises InputError at the first byte order mark, control character or hidden line break."""
    found = _UNWANTED.search(text)
    if found:
        message, hint = _describe(found)
        raise InputError(message, at=place_in(text[: found.start()], path), hint=hint, code="unwanted-character")


def tolerate_unwanted(text: str, path: str, *, prefix: str, first_line: int = 1) -> Text:
    """Text without byte order mark and with stand-ins for unwanted characters; one finding for each, up to a limit.

    Raises InputError where no stand-ins are free: the text would have to use every private character there is.
    """
    if not _UNWANTED.search(text):
        return Text(text)
    findings = _findings(text, path, prefix, first_line)
    text = text.removeprefix(_BYTE_ORDER_MARK)
    base = next((base for base in _PRIVATE_PLANES if not re.search(f"[{chr(base)}-{chr(base + 0xFF)}]", text)), None)
    if base is None:
        at = Location(path, first_line, 1, "")
        message = "the file is full of private and control characters"
        raise InputError(message, at=at, hint="save it as plain text", code="unwanted-character")
    unwanted = sorted(set(_UNWANTED.findall(text)) - {"\r"})
    stand_ins = {ord(character): chr(base + number) for number, character in enumerate(unwanted)}
    return Text(text.translate(stand_ins), findings, {ord(stand_in): chr(code) for code, stand_in in stand_ins.items()})


def _findings(text: str, path: str, prefix: str, first_line: int) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    for found in _UNWANTED.finditer(text):
        if len(findings) == FINDINGS_PER_FILE:
            break
        message, hint = _describe(found)
        code = "byte-order-mark" if found.start() == 0 and found.group() == _BYTE_ORDER_MARK else "control-character"
        at = place_in(text[: found.start()], path, first_line=first_line)
        findings.append(Finding(f"{prefix}-{code}", Severity.WARNING, message, at, hint))
    return tuple(findings)


def _describe(found: re.Match[str]) -> tuple[str, str]:
    character = found.group()
    if character == _BYTE_ORDER_MARK and found.start() == 0:
        return "the file starts with a byte order mark", "save it as UTF-8 without BOM"
    if character == "\r":
        return "a lone carriage return hides a line break", "use LF or CRLF line ends"
    if character in "\x85\u2028\u2029":
        return f"U+{ord(character):04X} is a line break to some readers and not to others", "write a line feed or a space"
    return f"control character U+{ord(character):04X}", "remove it"

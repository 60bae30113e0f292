"""Text of strangers made safe to show: one line, no control, bidirectional or terminal characters."""

from __future__ import annotations

import re

_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
_MORE = "…"
_COMMAND = re.compile(r"(?<![^ ]):(?=:)|(?<=#)#(?=\[)")


def one_line(text: str, limit: int) -> str:
    """`text` on one line of at most `limit` characters, every character that is not printable written as an escape.

    Printable is what `str.isprintable` says: control, format (also the bidirectional overrides), surrogate, private and
    unassigned characters and every space but U+0020 are escaped, and so is what a runner of GitHub Actions takes for a command
    where a line begins with it (`::`) or anywhere (`##[`). Text that was cut ends in `…`.
    """
    text = defused(text)
    if len(text) <= limit and text.isprintable():
        return text
    parts = [_escaped(character) for character in text[: limit + 1]]
    return "".join(parts) if sum(map(len, parts)) <= limit else _cut(parts, limit)


def defused(text: str) -> str:
    """The text without what is a command of a runner, wherever a line is broken at a blank."""
    return _COMMAND.sub(lambda found: f"\\x{ord(found[0]):02x}", text) if "::" in text or "##[" in text else text


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    short = _SHORT.get(character)
    if short:
        return short
    point = ord(character)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def _cut(parts: list[str], limit: int) -> str:
    """As many whole parts as leave room for the sign that something is missing."""
    kept: list[str] = []
    room = limit - len(_MORE)
    for part in parts:
        room -= len(part)
        if room < 0:
            break
        kept.append(part)
    return "".join(kept) + _MORE

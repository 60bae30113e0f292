"""Characters that nobody sees and models read: tags, selectors, zero widths, orders of writing. Decoded where they carry text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from selftune_build.late import late
from selftune_build.model.finding import Finding
from selftune_build.security.subject import Subject, Text, found
from selftune_build.stages.spec_rules.characters import FLAGS, describe

_TAG_RUN = late("[\U000e0000-\U000e007f]+")
_SELECTOR_RUN = late("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}")
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u180e"
_ZERO_WIDTH_RUN = late(f"[{_ZERO_WIDTH}]{{8,}}")
_OVERRIDE = late("[\u202d\u202e]")
_EMBEDDING = late("[\u202a\u202b\u2066-\u2068]")
_STRAY = late("[\u202a\u202b\u2066-\u2068\u200b\u2060-\u2064\u00ad\u115f\u1160\u3164\uffa0\u180b-\u180f\u034f\ufeff]")
_LEAST_DATA = 4
"""Selectors in a row that no script needs; two stand after some symbols by accident."""
_ANY = late(
    f"[\U000e0000-\U000e01ef\ufe00-\ufe0f{_ZERO_WIDTH}\u202a-\u202e\u2066-\u2069\u00ad\u115f\u1160\u3164\uffa0\u180b-\u180f\u034f]"
)
_HINT = "remove them; an editor that shows invisible characters finds them"


def check_characters(subject: Subject) -> Iterator[Finding]:
    """Hidden text, changed order and stray invisible characters of everything that an agent gets."""
    for text in subject.staged:
        if not text.content.isascii() and _ANY.search(text.content):
            yield from _check(text)


def _check(text: Text) -> Iterator[Finding]:
    strays: list[tuple[int, str]] = []
    for number, line in enumerate(text.lines, 1):
        if line.isascii() or not _ANY.search(line):
            continue
        hidden = list(_hidden(FLAGS.sub("", line)))
        for evidence, spelled in hidden:
            said = "characters that nobody sees spell" if spelled else "characters that nobody sees, enough to carry text"
            show = f'"{spelled}"' if spelled else describe(evidence[0])
            yield found("security-hidden-text", text.path, number, said, evidence, show=show, hint=_HINT)
        yield from _order(text, number, line)
        first_line_mark = number == 1 and line.startswith("\ufeff")
        stray = None if hidden or _is_right_to_left(line) else _STRAY.search(line[1:] if first_line_mark else line)
        if stray:
            strays.append((number, stray[0]))
    if strays:
        number, character = strays[0]
        said = "an invisible character" if len(strays) == 1 else f"invisible characters in {len(strays)} lines, first"
        yield found(
            "security-invisible-character",
            text.path,
            number,
            said,
            " ".join(f"{ord(each):04x}" for _, each in strays),
            show=describe(character),
            hint=_HINT,
        )


def _hidden(line: str) -> Iterator[tuple[str, str]]:
    """Each run of characters that carries text, and what it spells where that can be told."""
    for run in _TAG_RUN.finditer(line):
        yield run[0], "".join(chr(ord(each) - 0xE0000) for each in run[0] if 0xE0020 <= ord(each) < 0xE007F)
    for run in _SELECTOR_RUN.finditer(line):
        if len(run[0]) >= _LEAST_DATA:
            yield run[0], _readable(bytes(map(_selector_value, run[0])))
    for run in _ZERO_WIDTH_RUN.finditer(line):
        yield run[0], _zero_width_text(run[0])


def _selector_value(character: str) -> int:
    point = ord(character)
    return point - 0xFE00 if point < 0xE0100 else point - 0xE0100 + 16


def _zero_width_text(run: str) -> str:
    """Two kinds of zero widths are bits; which is one, nobody says: both are tried."""
    kinds = sorted(set(run))
    for zero in kinds[:2] if len(kinds) == 2 else ():
        bits = "".join("0" if each == zero else "1" for each in run)
        spelled = _readable(bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits) - 7, 8)))
        if spelled:
            return spelled
    return ""


def _readable(content: bytes) -> str:
    """The text, where the bytes are printable ASCII; empty otherwise."""
    text = content.decode("ascii", "replace")
    return text if text.isascii() and text.isprintable() else ""


def _order(text: Text, number: int, line: str) -> Iterator[Finding]:
    """Overrides reverse any text; embeddings and isolates come into prose by pasting, and reorder only code."""
    hint = "remove them, or write the text in the order in which it is read"
    mark = _OVERRIDE.search(line) or (_EMBEDDING.search(line) if text.is_script and not _is_right_to_left(line) else None)
    if mark:
        said = "this line is shown in another order than it is read"
        yield found(
            "security-bidi-override",
            text.path,
            number,
            said,
            line,
            show=f"{describe(mark[0])} in {line.strip()!a}",
            hint=hint,
        )


def _is_right_to_left(line: str) -> bool:
    return any(unicodedata.bidirectional(character) in ("R", "AL") for character in line)

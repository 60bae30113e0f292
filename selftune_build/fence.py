"""Texts of strangers as data for a model, fenced so that they cannot pass for instructions."""

from __future__ import annotations

import hashlib
import json

from msgspec import Struct

_MARK_DIGITS = 16

Part = tuple[str, str]
"""Title, on one line, and text."""


class Fenced(Struct, frozen=True):
    """Fenced parts one below the other, and the mark that all of their fences carry."""

    mark: str
    text: str


def fenced(*parts: Part, beside: str = "") -> Fenced:
    """Each part between `<data MARK title>` and `</data MARK>`.

    The mark is a digest of all the parts and of what is told `beside` them, so no part can hold the end of one. Characters that
    cannot be seen, and with them hidden instructions, become U+FFFD.
    """
    shown = [(title, _visible(text)) for title, text in parts]
    mark = hashlib.sha256(json.dumps([shown, beside]).encode()).hexdigest()[:_MARK_DIGITS]
    return Fenced(mark, "\n\n".join(f"<data {mark} {title}>\n{text}\n</data {mark}>" for title, text in shown))


def _visible(text: str) -> str:
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)

"""Base64 and hexadecimal text that decodes to commands or instructions."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from selftune_build.late import late
from selftune_build.limits import SECURITY_ENCODED_CHARACTERS
from selftune_build.model.finding import Finding
from selftune_build.security.phrases import hostile
from selftune_build.security.subject import Subject, Text, found

_BASE64 = late(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}+={0,2}")
_HEXADECIMAL = late(r"(?<![0-9a-zA-Z])(?:[0-9a-fA-F]{2}){20,}+(?![0-9a-zA-Z])")
_ESCAPES = late(r"(?:\\x[0-9a-fA-F]{2}){12,}+")
_LEAST_READABLE = 0.9
_SHOWN = 120


def check_encoded(subject: Subject) -> Iterator[Finding]:
    """An error for what decodes to something hostile; other encoded text is data."""
    for text in subject.staged:
        for place, encoded, decoded in _decoded(text):
            if decoded and hostile(decoded):
                said, hint = "encoded, it says", "write it in the open, or remove it"
                show = decoded[:_SHOWN]
                yield found("security-encoded-text", text.path, text.line_of(place), said, encoded, show=show, hint=hint)


def _decoded(text: Text) -> Iterator[tuple[int, str, str]]:
    """Place, encoded and decoded text of whatever may be encoded."""
    for place, token in text.tokens:
        for hit in _BASE64.finditer(token):
            yield place + hit.start(), hit[0], _from_base64(hit[0])
        for hit in _HEXADECIMAL.finditer(token) if len(token) >= 40 else ():
            yield place + hit.start(), hit[0], _readable(bytes.fromhex(hit[0]))
    for hit in _ESCAPES.finditer(text.content) if "\\x" in text.content else ():
        yield hit.start(), hit[0], _readable(bytes.fromhex(hit[0].replace("\\x", "")))


def _from_base64(encoded: str) -> str:
    encoded = encoded[: SECURITY_ENCODED_CHARACTERS // 4 * 4].rstrip("=")
    try:
        return _readable(base64.b64decode(encoded.replace("-", "+").replace("_", "/") + "=" * (-len(encoded) % 4)))
    except (binascii.Error, ValueError):
        return ""


def _readable(content: bytes) -> str:
    """The text, where nearly all of it can be read (UTF-8 or UTF-16, as shells encode commands); empty otherwise."""
    wide = content[1:2] == b"\0"
    text = content.decode("utf-16-le" if wide else "utf-8", "ignore")
    printable = sum(character.isprintable() or character in "\n\t\r" for character in text)
    whole = len(text) * (2 if wide else 1) >= len(content) * _LEAST_READABLE
    return text if text and whole and printable >= len(text) * _LEAST_READABLE else ""

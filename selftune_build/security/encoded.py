"""Base64 and hexadecimal text that decodes to commands or instructions."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from selftune_build.limits import SECURITY_ENCODED_CHARACTERS
from selftune_build.security.phrases import hostile
from selftune_build.security.subject import Found, Subject, Text, found

_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}+={0,2}(?![A-Za-z0-9+/_=-])")
_HEXADECIMAL = re.compile(r"(?:\\x[0-9a-fA-F]{2}){12,}+|(?<![0-9a-zA-Z])(?:[0-9a-fA-F]{2}){20,}+(?![0-9a-zA-Z])")
_LEAST_READABLE = 0.9
_SHOWN = 120


def check_encoded(subject: Subject) -> Iterator[Found]:
    """An error for what decodes to something hostile; other encoded text is data."""
    for text in subject.staged:
        for hit in _BASE64.finditer(text.content):
            yield from _said(text, hit, _from_base64(hit[0]))
        for hit in _HEXADECIMAL.finditer(text.content):
            yield from _said(text, hit, _readable(bytes.fromhex(hit[0].replace("\\x", ""))))


def _said(text: Text, hit: re.Match[str], decoded: str) -> Iterator[Found]:
    if decoded and hostile(decoded):
        line = text.content.count("\n", 0, hit.start()) + 1
        hint = "write it in the open, or remove it"
        yield found("security-encoded-text", text.path, line, "encoded, it says", hit[0], show=decoded[:_SHOWN], hint=hint)


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

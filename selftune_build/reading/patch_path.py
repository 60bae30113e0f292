"""Names of files in a patch: `a/…` and `b/…`, quoted as git quotes them, and safe."""

from __future__ import annotations

import re

from selftune_build.reading.patch_lines import Lines
from selftune_build.relpath import fault, safe

_ESCAPE = re.compile(rb"\\(?:([0-3][0-7]{2})|(.))", re.DOTALL)
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r", b'"': b'"', b"\\": b"\\"}
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_PREFIXES = "make the patch with `git diff --src-prefix=a/ --dst-prefix=b/`"


def read_path(name: bytes, prefix: bytes, lines: Lines) -> str:
    """The path in a name that begins with `prefix`. Raises InputError for any other name, and for an unsafe path."""
    plain = _unquoted(name, lines)
    if not plain.startswith(prefix):
        raise lines.fault(f"the name does not begin with `{prefix.decode()}`", _PREFIXES)
    try:
        path = plain[len(prefix) :].decode()
    except UnicodeDecodeError:
        raise lines.fault("the name of the file is not UTF-8", "rename it") from None
    found = fault(path)
    if found is not None:
        raise lines.fault(found.message, found.hint)
    return safe(path)


def quoted(prefix: str, path: str) -> bytes:
    """The name as git writes it: in quotes where it has other characters than printable ASCII."""
    name = (prefix + path).encode()
    if all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in name):
        return name
    return b'"' + b"".join(_escaped(byte) for byte in name) + b'"'


def same_path(names: bytes, lines: Lines) -> str:
    """The path in `a/PATH b/PATH`, the two names after `diff --git`. Raises InputError where they differ."""
    first, second = _two(names)
    old, new = read_path(first, b"a/", lines), read_path(second, b"b/", lines)
    if old != new:
        raise lines.fault("it renames a file, which an overlay does not", "make the patch with `git diff --no-renames`")
    return old


def _escaped(byte: int) -> bytes:
    if byte in b'"\\':
        return b"\\" + bytes([byte])
    return bytes([byte]) if 0x20 <= byte < 0x7F else b"\\%03o" % byte


def _two(names: bytes) -> tuple[bytes, bytes]:
    """Both names. Without quotes nothing marks where the first ends, but they are equally long."""
    quoted = _QUOTED.match(names)
    if quoted is not None:
        return quoted.group(), names[quoted.end() + 1 :]
    middle = len(names) // 2
    return names[:middle], names[middle + 1 :]


def _unquoted(name: bytes, lines: Lines) -> bytes:
    if not name.startswith(b'"'):
        return name
    if not _QUOTED.fullmatch(name):
        raise lines.fault("the quoted name does not end", "make the patch with `git diff`")

    def plain(found: re.Match[bytes]) -> bytes:
        if found[1] is not None:
            return bytes([int(found[1], 8)])
        if found[2] not in _ESCAPED:
            raise lines.fault("the quoted name has an unknown escape", "make the patch with `git diff`")
        return _ESCAPED[found[2]]

    return _ESCAPE.sub(plain, name[1:-1])

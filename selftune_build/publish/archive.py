"""The `.skill` archive: a zip (as skill-creator's `package_skill.py` makes it) whose bytes are a function of what is in it.

One folder, named like the skill; names sorted, times 1980-01-01, modes 0644 or 0755, nothing compressed, because two versions of
zlib need not agree on the bytes. What is not exactly that is not an archive of ours.
"""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterable

from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.limits import ARCHIVE_BYTES, ARCHIVE_FILES
from selftune_build.model.location import Location
from selftune_build.relpath import safe

SUFFIX = ".skill"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


class ArchivedFile(Struct, frozen=True):
    """One file: slash-separated path inside the skill's folder, bytes, whether it can be executed."""

    path: str
    content: bytes
    executable: bool = False


def pack(name: str, files: Iterable[ArchivedFile]) -> bytes:
    """The archive of a skill. Equal files give equal bytes, on any machine.

    Raises InputError for a file whose name some system cannot hold: `unpack` refuses it everywhere.
    """
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(files, key=lambda each: each.path):
            entry = zipfile.ZipInfo(safe(f"{name}/{file.path}", at=Location(file.path)), _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = (stat.S_IFREG | (0o755 if file.executable else 0o644)) << 16
            archive.writestr(entry, file.content)
    return written.getvalue()


def unpack(content: bytes) -> tuple[str, list[ArchivedFile]]:
    """Name of the skill and its files. Raises InputError for what is no archive of ours, or not any more."""
    try:
        name, files = _entries(content)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise InputError("the archive is damaged, or it is no archive of a skill") from error
    if pack(name, files) != content:
        raise InputError("the archive was changed: it is not written as it is written by us")
    return name, files


def _entries(content: bytes) -> tuple[str, list[ArchivedFile]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        if not 0 < len(entries) <= ARCHIVE_FILES or len(content) > ARCHIVE_BYTES:
            raise ValueError("too many entries")
        if any(entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(content) for entry in entries):
            raise ValueError("compressed")
        names = {entry.filename.partition("/")[0] for entry in entries}
        if len(names) != 1:
            raise ValueError("several folders")
        (name,) = names
        return name, [_file(archive, entry, name) for entry in entries]


def _file(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> ArchivedFile:
    path = safe(entry.filename).removeprefix(f"{name}/")
    executable = bool(entry.external_attr >> 16 & stat.S_IXUSR)
    return ArchivedFile(path, archive.read(entry), executable)

"""What a file is by its first bytes, against what its name says. Signatures: the file formats' own specifications."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from selftune_build.late import late
from selftune_build.model.finding import Finding
from selftune_build.security.subject import PROSE_SUFFIXES, SCRIPT_SUFFIXES, found

_PROGRAMS = {
    b"\x7fELF": "an ELF program",
    b"MZ": "a Windows program",
    b"\xfe\xed\xfa\xce": "a Mach-O program",
    b"\xfe\xed\xfa\xcf": "a Mach-O program",
    b"\xce\xfa\xed\xfe": "a Mach-O program",
    b"\xcf\xfa\xed\xfe": "a Mach-O program",
    b"\xca\xfe\xba\xbe": "a Java class or Mach-O program",
    b"\x00asm": "a WebAssembly program",
    b"!<arch>\n": "a library of object files",
}
_ARCHIVES = {
    b"PK\x03\x04": "a ZIP archive",
    b"PK\x05\x06": "an empty ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\x00": "an xz archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
}
_TAR_PLACE, _TAR = 257, b"ustar"
_ARCHIVE_SUFFIXES = (
    *(
        ".zip",
        ".gz",
        ".tgz",
        ".bz2",
        ".tbz2",
        ".xz",
        ".txz",
        ".7z",
        ".rar",
        ".zst",
        ".tar",
        ".jar",
        ".whl",
        ".egg",
        ".war",
        ".apk",
    ),
    *(".vsix", ".crx", ".xpi", ".nupkg", ".gem", ".crate", ".conda", ".mcpb", ".dxt", ".skill"),
)
_DOCUMENT_SUFFIXES = (
    *(".docx", ".docm", ".dotx", ".xlsx", ".xlsm", ".xltx", ".xlsb", ".pptx", ".pptm", ".potx", ".ppsx", ".thmx", ".vsdx"),
    *(
        ".odt",
        ".ods",
        ".odp",
        ".epub",
        ".idml",
        ".sketch",
        ".fig",
        ".key",
        ".pages",
        ".numbers",
        ".3mf",
        ".kmz",
        ".npz",
        ".keras",
        ".pt",
    ),
    *(
        ".svgz",
        ".rds",
        ".rda",
        ".rdata",
        ".vtp",
        ".nii",
        ".mxl",
        ".ipa",
        ".bbmodel",
        ".xmind",
        ".drawio",
        ".excalidraw",
        ".pbix",
        ".twbx",
    ),
)
"""Documents and data whose format happens to be an archive."""
_MACRO_SUFFIXES = (".docm", ".xlsm", ".pptm", ".xlsb")
_TEXT_SUFFIXES = (
    *PROSE_SUFFIXES,
    *SCRIPT_SUFFIXES,
    ".json",
    ".yaml",
    ".yml",
    ".toml",
    ".csv",
    ".tsv",
    ".html",
    ".css",
    ".xml",
    ".svg",
    ".ini",
)
_PICTURE_SUFFIXES = (
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".webp",
    ".bmp",
    ".ico",
    ".tif",
    ".tiff",
    ".pdf",
    ".ttf",
    ".otf",
    ".woff",
    ".woff2",
)
_MARKUP = re.compile(rb"\s{0,20}(?:#!|<\?php|<script|<html|<!doctype html)", re.IGNORECASE)
_SETTINGS = late(
    r"(?:^|/)(?:\.mcp\.json|mcp\.json|hooks\.json|\.claude/settings[\w.-]{0,20}\.json|\.cursor/[\w-]{1,20}\.json|\.vscode/(?:tasks|settings)\.json"
    r"|\.gemini/settings\.json|\.codex/config\.toml|\.github/workflows/[^/]{1,80}\.ya?ml|\.envrc|\.pre-commit-config\.yaml)$"
)


class Head(Struct, frozen=True):
    """A file by its path, the digest of its bytes and the first of them; `is_text` says whether it reads as text."""

    path: str
    digest: str
    head: bytes
    is_text: bool


def check_file(file: Head) -> Iterator[Finding]:
    """What is wrong with the kind of one file; `digest` is what a waiver is bound to."""
    suffix = posixpath.splitext(file.path)[1].lower()
    program = None if file.is_text else _kind(file.head, _PROGRAMS)
    archive = None if file.is_text else _kind(file.head, _ARCHIVES) or ("a tar archive" if _is_tar(file.head) else None)
    claims_another = suffix in (*_TEXT_SUFFIXES, *_PICTURE_SUFFIXES)
    if (claims_another and (program or archive)) or (program and suffix in (*_ARCHIVE_SUFFIXES, *_DOCUMENT_SUFFIXES)):
        yield _found("security-disguised-file", file, f"named {suffix}, it is {program or archive}")
    elif program:
        yield _found("security-executable", file, f"{program}; put its source into the package, and build it where it is used")
    elif archive and (suffix not in _DOCUMENT_SUFFIXES or suffix in _MACRO_SUFFIXES):
        yield _found("security-archive", file, f"{archive}; what is in it was not looked at")
    elif suffix in _PICTURE_SUFFIXES and file.is_text and _MARKUP.match(file.head):
        yield _found("security-disguised-file", file, f"named {suffix}, it is a script or a page")
    elif suffix in _TEXT_SUFFIXES and not file.is_text and file.head:
        yield _found("security-disguised-file", file, f"named {suffix}, it is no text")
    elif suffix in (".pyc", ".pyo"):
        yield _found("security-executable", file, "compiled Python; put its source into the package")
    if _SETTINGS.search(file.path):
        yield _found("security-host-settings", file, "a host may act on these settings without being asked")


def _found(code: str, file: Head, said: str) -> Finding:
    return found(code, file.path, None, said, file.digest, show="")


def _kind(head: bytes, kinds: dict[bytes, str]) -> str | None:
    return next((name for magic, name in kinds.items() if head.startswith(magic)), None)


def _is_tar(head: bytes) -> bool:
    return head[_TAR_PLACE : _TAR_PLACE + len(_TAR)] == _TAR

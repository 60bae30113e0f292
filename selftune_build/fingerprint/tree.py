"""The package tree: names, bytes and executable bits of a skill folder, and what is wrong with them (DESIGN section 6)."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct, field

from selftune_build.errors import InputError, refuse_machine
from selftune_build.escape import one_line
from selftune_build.fingerprint.digest import digest_bytes, digest_json
from selftune_build.fingerprint.disk import DISK, AnyEntry, Disk
from selftune_build.fingerprint.links import broken_link, is_excluded, link_faults
from selftune_build.fingerprint.names import TreeFault, odd_name, unusable_name
from selftune_build.limits import (
    MIB,
    TREE_DEPTH_MAX,
    TREE_ENTRIES_MAX,
    TREE_FILE_BYTES_MAX,
    TREE_FILES_MAX,
    TREE_FINDINGS_PER_CODE_MAX,
    TREE_LINKS_MAX,
    TREE_TOTAL_BYTES_MAX,
)
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.package import MANIFEST_FILE, TreeFile
from selftune_build.probe import probed
from selftune_build.relpath import case_collisions, match_glob

EVAL_FOLDERS = ("evals/", "eval/", "tests/")

ReadDigest = Callable[[str, os.stat_result], str]
"""Absolute path of a regular file and its stat → tagged digest of its bytes; an index can answer without reading."""

_SHOWN = 120


class Tree(Struct, frozen=True):
    """The files of a package, sorted by path, what was noticed about names, links and sizes, and which of the patterns
    to exclude fit nothing."""

    files: tuple[TreeFile, ...]
    findings: tuple[Finding, ...] = ()
    idle_excludes: tuple[str, ...] = ()


class _Folder(Struct, frozen=True):
    """A folder yet to be listed; `chain` holds the real paths from the package down to it, for finding loops."""

    path: str
    prefix: str
    depth: int
    linked: bool
    chain: tuple[str, ...]


class _Walk(Struct):
    """What one scan was asked for and has gathered so far."""

    root: str
    boundary: str
    exclude: tuple[str, ...]
    read_digest: ReadDigest
    disk: Disk
    files: list[TreeFile] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    pending: list[_Folder] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    entries: int = 0
    links: int = 0
    bytes: int = 0


def read_digest(path: str, status: os.stat_result) -> str:
    """`sha256:` digest of a regular file, read once in bounded pieces. Raises OSError, also for what became no regular file."""
    # Not blocking: what was a file when it was listed may be a pipe by now.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "is no longer a regular file", path)
        state, left = hashlib.sha256(), TREE_FILE_BYTES_MAX
        wanted = min(status.st_size + 1, MIB)
        while piece := os.read(handle, wanted):
            state.update(piece)
            left -= len(piece)
            if left < 0:
                raise OSError(errno.EFBIG, "grew while it was read", path)
            if len(piece) < wanted:
                break  # that was its end
        return "sha256:" + state.hexdigest()
    finally:
        os.close(handle)


def scan(root: Path, exclude: Iterable[str], boundary: Path, *, read_digest: ReadDigest = read_digest, disk: Disk = DISK) -> Tree:
    """Every file of the package, each read once; what must not be in a package is left out and becomes an error finding.

    `boundary` is the repository root: links may leave the package, never that folder. Findings
    name paths relative to the package. Raises InputError where the folder cannot be listed, or where the whole is larger than a
    package can be.
    """
    real = os.path.realpath(root)
    walk = _Walk(real, os.path.realpath(boundary), tuple(exclude), read_digest, disk)
    walk.pending.append(_Folder(real, "", 0, False, (real,)))
    while walk.pending:
        _visit(walk, walk.pending.pop())
    walk.files.sort(key=_by_path)
    _note_collisions(walk)
    idle = tuple(pattern for pattern in walk.exclude if pattern not in walk.used)
    return Tree(tuple(walk.files), _summed_up(walk.findings), idle)


def find_boundary(folder: Path, fallback: Path) -> Path:
    """The nearest folder upwards that holds `.git`, else `fallback` (the workspace)."""
    place = os.path.realpath(folder)
    while True:
        mark = os.path.join(place, ".git")
        probed(mark)
        if os.path.exists(mark):
            return Path(place)
        place, below = os.path.dirname(place), place
        if place == below:
            return fallback


def tree_digest(files: Sequence[TreeFile]) -> str:
    """Digest of all paths, bytes, executable bits and links, whatever order they come in."""
    return digest_json([[file.path, file.digest, file.executable, file.link] for file in sorted(files, key=_by_path)])


def staged_files(files: Iterable[TreeFile], is_eval: Callable[[str], bool]) -> tuple[TreeFile, ...]:
    """What an agent gets: the tree without manifest, eval and test folders, and whatever `is_eval` names."""
    return tuple(file for file in files if is_staged(file.path, is_eval))


def is_staged(path: str, is_eval: Callable[[str], bool]) -> bool:
    """Whether an agent gets the file of a package under this path."""
    return path != MANIFEST_FILE and not path.startswith(EVAL_FOLDERS) and not is_eval(path)


def _by_path(file: TreeFile) -> str:
    return file.path


def _visit(walk: _Walk, folder: _Folder) -> None:
    for entry in _listed(walk, folder):
        relative = folder.prefix + entry.name
        if is_excluded(entry.name) or _is_unwanted(walk, relative):
            continue
        unusable = unusable_name(entry.name, relative)
        _note_fault(walk, unusable, relative)
        if unusable is None:
            _take(walk, folder, entry, relative)


def _is_unwanted(walk: _Walk, relative: str) -> bool:
    """Whether the manifest excludes the entry; every pattern is asked, so that each that is of use is known."""
    fitting = [pattern for pattern in walk.exclude if match_glob(pattern, relative)]
    walk.used.update(fitting)
    return bool(fitting)


def _listed(walk: _Walk, folder: _Folder) -> Iterator[AnyEntry]:
    try:
        with walk.disk.listing(folder.path) as entries:
            for entry in entries:
                walk.entries += 1
                if walk.entries > TREE_ENTRIES_MAX:
                    raise _too_much(walk, f"more than {TREE_ENTRIES_MAX} files and folders")
                yield entry
    except OSError as error:
        refuse_machine(error, folder.path)
        if not folder.prefix:
            raise InputError(f"the folder cannot be listed: {error.strerror}", at=Location(folder.path)) from None
        _note(walk, "unreadable-file", Severity.ERROR, f"the folder cannot be listed: {error.strerror}", folder.prefix)


def _take(walk: _Walk, folder: _Folder, entry: AnyEntry, relative: str) -> None:
    try:
        if entry.is_symlink():
            _take_link(walk, folder, entry, relative)
        elif entry.is_dir(follow_symlinks=False):
            _enter(walk, folder, relative, entry.path, folder.linked)
        else:
            _take_file(walk, entry.path, entry.stat(follow_symlinks=False), relative, folder.linked)
    except OSError as error:
        refuse_machine(error, entry.path)
        _note(walk, "unreadable-file", Severity.ERROR, f"cannot be read: {error.strerror}", relative)


def _enter(walk: _Walk, folder: _Folder, relative: str, path: str, linked: bool) -> None:
    if folder.depth >= TREE_DEPTH_MAX:
        message = f"folders are nested more than {TREE_DEPTH_MAX} deep; what is below is left out"
        _note(walk, "path-too-deep", Severity.ERROR, message, relative, "flatten the folders")
        return
    # Only below a link can a real folder be met a second time.
    real = os.path.realpath(path) if linked else path
    if linked and real in folder.chain:
        _note(walk, "link-loop", Severity.ERROR, "the link leads back to a folder that holds it", relative, "remove the link")
        return
    walk.pending.append(_Folder(path, relative + "/", folder.depth + 1, linked, (*folder.chain, real)))


def _take_file(walk: _Walk, path: str, status: os.stat_result, relative: str, link: bool) -> None:
    if not stat.S_ISREG(status.st_mode):
        message = f"a {_kind(status.st_mode)} cannot be part of a package"
        _note(walk, "special-file", Severity.ERROR, message, relative, "remove it")
        return
    if status.st_size > TREE_FILE_BYTES_MAX:
        message = f"{status.st_size} bytes are more than a file of a package may have ({TREE_FILE_BYTES_MAX})"
        _note(walk, "file-too-large", Severity.ERROR, message, relative, "fetch it when it is needed, or `exclude:` it")
        return
    walk.bytes += status.st_size
    if walk.bytes > TREE_TOTAL_BYTES_MAX:
        raise _too_much(walk, f"more than {TREE_TOTAL_BYTES_MAX} bytes")
    if len(walk.files) >= TREE_FILES_MAX:
        raise _too_much(walk, f"more than {TREE_FILES_MAX} files")
    laid = walk.disk.files.get(path)
    digest = digest_bytes(laid.content) if laid is not None else walk.read_digest(path, status)
    walk.files.append(TreeFile(relative, digest, status.st_size, bool(status.st_mode & stat.S_IXUSR), link))
    _note_fault(walk, odd_name(relative), relative)


def _take_link(walk: _Walk, folder: _Folder, entry: AnyEntry, relative: str) -> None:
    walk.links += 1
    if walk.links > TREE_LINKS_MAX:
        raise _too_much(walk, f"more than {TREE_LINKS_MAX} links, counting those below other links")
    target = os.readlink(entry.path)
    try:
        real, status = walk.disk.followed(entry.path)
    except OSError as error:
        _note_fault(walk, broken_link(error, target), relative)
        return
    faults = tuple(link_faults(walk.root, walk.boundary, real, target))
    for found in faults:
        _note_fault(walk, found, relative)
    if any(found.severity is Severity.ERROR for found in faults):
        return
    if stat.S_ISDIR(status.st_mode):
        _enter(walk, folder, relative, real, True)
    else:
        _take_file(walk, real, status, relative, True)


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISFIFO, "named pipe"), (stat.S_ISSOCK, "socket"), (stat.S_ISCHR, "device"), (stat.S_ISBLK, "device"))
    return next((name for test, name in kinds if test(mode)), "special file")


def _too_much(walk: _Walk, what: str) -> InputError:
    hint = "leave folders out with `exclude:` in selftune.yaml, or move the package into a folder of its own"
    return InputError(f"the package has {what}", at=Location(walk.root), hint=hint)


def _note(walk: _Walk, code: str, severity: Severity, message: str, relative: str, hint: str | None = None) -> None:
    walk.findings.append(Finding(code, severity, message, Location(_shown(relative.rstrip("/"))), hint))


def _note_fault(walk: _Walk, found: TreeFault | None, relative: str) -> None:
    if found is not None:
        _note(walk, found.code, found.severity, found.message, relative, found.hint)


def _shown(relative: str) -> str:
    plain = relative.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return one_line(plain, _SHOWN)


def _note_collisions(walk: _Walk) -> None:
    for group in case_collisions(file.path for file in walk.files):
        names = ", ".join(ascii(path) if not path.isascii() else path for path in group)
        message = f"one file where names ignore case or Unicode form: {names}"
        _note(walk, "name-collision", Severity.ERROR, one_line(message, 4 * _SHOWN), group[0], "rename all but one")


def _summed_up(findings: list[Finding]) -> tuple[Finding, ...]:
    """By path; of many findings of one kind the first ones and how many more there are."""
    kept: list[Finding] = []
    seen: Counter[str] = Counter()
    for found in sorted(findings, key=lambda one: (one.at.path if one.at else "", one.code)):
        seen[found.code] += 1
        if seen[found.code] <= TREE_FINDINGS_PER_CODE_MAX:
            kept.append(found)
    last = {found.code: found for found in kept}
    for code, count in seen.items():
        if count > TREE_FINDINGS_PER_CODE_MAX:
            message = f"and {count - TREE_FINDINGS_PER_CODE_MAX} more of this kind"
            kept.append(Finding(code, last[code].severity, message, last[code].at, last[code].hint))
    return tuple(kept)

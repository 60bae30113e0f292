"""Files that a case brings along: where their bytes come from and what they are called in the sample's workspace."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from selftune_build.errors import InputError
from selftune_build.limits import CASE_FILES
from selftune_build.model.case import CaseFile
from selftune_build.model.finding import Severity
from selftune_build.reading.evals.source import Source
from selftune_build.relpath import fault, join, safe


def declared_files(source: Source, entries: list[Any], pointer: str) -> tuple[CaseFile, ...]:
    """Files of a native case: a package-relative path (placed under its own name), `{src, dest}` or `{dest, content}`.

    Raises InputError for an unsafe path, a file that is not there, and two files with one destination.
    """
    files: dict[str, CaseFile] = {}
    for index, entry in enumerate(entries):
        file = _declared_file(source, entry, f"{pointer}/{index}")
        if file.dest in files:
            at = source.document.locate(f"{pointer}/{index}")
            raise InputError(
                f"two files would be placed at `{file.dest}`", at=at, hint="give one of them another `dest`", code="bad-eval"
            )
        files[file.dest] = file
    return tuple(files.values())


def found_files(source: Source, entries: Any, prompt: str, pointer: str) -> tuple[tuple[CaseFile, ...], str | None]:
    """Files of a case in a format of others, and the reason why the case cannot be used where one of them is missing.

    A path is tried from the package, then from the folder of the eval file, then from its parent; `..` may not lead out
    of the package. Where the prompt names the path as it is spelled the file is placed there, else under its own name.
    """
    if entries is None:
        return (), None
    if not isinstance(entries, list) or len(entries) > CASE_FILES:
        return (), f"`files` is not a list of at most {CASE_FILES} files"
    files: dict[str, CaseFile] = {}
    for index, entry in enumerate(entries):
        file = _found_file(source, entry, prompt, f"{pointer}/{index}")
        if isinstance(file, str):
            return (), file
        if file.dest in files:
            return (), f"two of its files would be placed at `{file.dest}`"
        files[file.dest] = file
    return tuple(files.values()), None


def placed_files(
    source: Source, wanted: Iterable[tuple[str, Any, Any]], bases: tuple[str, ...]
) -> tuple[tuple[CaseFile, ...], str | None]:
    """Files by (pointer, path, destination), and the reason why the case cannot be used where one of them is missing.

    A path is tried from each of the bases in turn; one that names a folder stands for everything below it. `..` may not
    lead out of the root. Without a destination a file is placed under its own name.
    """
    files: dict[str, CaseFile] = {}
    for pointer, path, dest in wanted:
        found = _placed(source, path, dest, bases, pointer)
        if isinstance(found, str):
            return (), found
        for file in found:
            if file.dest in files and files[file.dest] != file:
                return (), f"two of its files would be placed at `{file.dest}`"
            files[file.dest] = file
    if len(files) > CASE_FILES:
        return (), f"it brings more than {CASE_FILES} files"
    return tuple(files.values()), None


def inline_file(dest: Any, content: Any) -> CaseFile | str:
    """A file whose text stands in the suite, or the reason why it cannot be placed."""
    if not isinstance(dest, str) or fault(dest) or not isinstance(content, str):
        return f"a file cannot be placed at `{str(dest)[:60]}`"
    return CaseFile(safe(dest), content.encode("utf-8", "replace"))


def package_file(read: Callable[[str], bytes], path: str) -> bytes | None:
    """Bytes of a package file, None where there is none at this path."""
    try:
        return None if fault(path) else read(safe(path))
    except (OSError, InputError):
        return None


def _declared_file(source: Source, entry: Any, pointer: str) -> CaseFile:
    at = source.document.locate(pointer)
    if isinstance(entry, str):
        entry = {"src": entry, "dest": posixpath.basename(entry.rstrip("/"))}
    dest = safe(entry["dest"], at=at)
    if "content" in entry:
        return CaseFile(dest, entry["content"].encode())
    path = safe(entry["src"], at=at)
    content = package_file(source.read, path)
    if content is None:
        hint = "paths are relative to the folder with SKILL.md"
        raise InputError(f"there is no file `{path}` in the package", at=at, hint=hint, code="missing-file")
    return CaseFile(dest, content)


def _found_file(source: Source, entry: Any, prompt: str, pointer: str) -> CaseFile | str:
    """The file, or the reason why there is none."""
    fields = entry if isinstance(entry, dict) else {"path": entry}
    path = _first_text(fields, ("path", "src", "source", "file", "name", "dest"))
    if path is None or fault(path, climb=True):
        return "it has a file without a usable path"
    spelled = path in prompt and not fault(path)
    dest = _first_text(fields, ("dest", "destination", "target")) or (path if spelled else posixpath.basename(path))
    if fault(dest):
        return f"a file cannot be placed at `{dest[:60]}`"
    if isinstance(fields.get("content"), str):
        return CaseFile(safe(dest), fields["content"].encode("utf-8", "replace"))
    content = _resolved(source, path, pointer)
    return f"its file `{path[:60]}` is not in the package" if content is None else CaseFile(safe(dest), content)


def _placed(source: Source, path: Any, dest: Any, bases: tuple[str, ...], pointer: str) -> list[CaseFile] | str:
    if not isinstance(path, str) or fault(path, climb=True):
        return "it has a file without a usable path"
    dest = posixpath.basename(path.rstrip("/")) if dest is None else dest
    if not isinstance(dest, str) or (dest not in (".", "./") and fault(dest)):
        return f"a file cannot be placed at `{str(dest)[:60]}`"
    for base in bases:
        try:
            at = join(base, path)
        except InputError:
            continue
        content = package_file(source.read, at)
        if content is not None:
            return [CaseFile(safe(dest), content)]
        below = _below(source, at, dest)
        if below:
            return below
    return f"its file `{path[:60]}` is not there"


def _below(source: Source, folder: str, dest: str) -> list[CaseFile]:
    """Everything below a folder, placed below `dest`; nothing where there is no such folder."""
    prefix = "" if folder == "." else f"{folder}/"
    inside = source.below(folder)[: CASE_FILES + 1]
    contents = ((path, package_file(source.read, path)) for path in inside)
    return [CaseFile(join(dest, path[len(prefix) :]), content) for path, content in contents if content is not None]


def _resolved(source: Source, path: str, pointer: str) -> bytes | None:
    for base in _bases(source):
        try:
            content = package_file(source.read, join(base, path))
        except InputError:
            continue
        if content is not None:
            if base != source.home:
                _note_base(source, base, pointer)
            return content
    return None


def _note_base(source: Source, base: str, pointer: str) -> None:
    message = f"files of cases are read from `{base}/`, because they are not at these paths of the package"
    if all(finding.message != message for finding in source.findings):
        source.note("eval-file-base", Severity.NOTE, message, pointer)


def _bases(source: Source) -> Iterator[str]:
    yield source.home
    if source.folder != source.home:
        yield source.folder
    parent = posixpath.dirname(source.folder)
    if parent not in (source.folder, source.home):
        yield parent


def _first_text(fields: dict[str, Any], names: tuple[str, ...]) -> str | None:
    return next((fields[name] for name in names if isinstance(fields.get(name), str) and fields[name]), None)

"""What every reader of an eval file gets, and what it gives back."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from selftune_build.errors import InputError
from selftune_build.model.case import Case, Check, Origin
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.manifest import Limits
from selftune_build.reading.document import Document, pointer_of
from selftune_build.reading.evals.data_file import load_any
from selftune_build.relpath import fault, join, safe

_AFTER_SLASH = chr(ord("/") + 1)


class EvalReading(Struct, frozen=True):
    """The cases of eval files and what was noticed while reading them."""

    cases: tuple[Case, ...] = ()
    findings: tuple[Finding, ...] = ()
    fragment: bool = False
    """Whether the file says of itself no more than its cases, so that another file may hold them as well."""


class Source(Struct, frozen=True):
    """One eval file: its data, the files around it, and the findings gathered so far.

    Paths are relative to one root, which is the package, or for evals from elsewhere the folder that they came in.
    """

    format: str
    document: Document
    read: Callable[[str], bytes]
    package_name: str
    limits: Limits
    findings: list[Finding]
    files: Sequence[str] = ()
    """Every file there is, sorted, for formats that are made of several."""
    home: str = ""
    """The folder of the skill, where many formats start their paths."""
    parts: set[str] = field(default_factory=set)
    """Files that the suite is made of beside this one: none of them is a suite of its own."""

    @property
    def path(self) -> str:
        """Path of the file."""
        return self.document.path

    @property
    def folder(self) -> str:
        """The folder that the file lies in."""
        return posixpath.dirname(self.path)

    def origin(self, pointer: str) -> Origin:
        """Where the element under a JSON pointer stands."""
        return Origin(self.format, self.document.locate(pointer))

    def note(self, code: str, severity: Severity, message: str, pointer: str, hint: str | None = None) -> None:
        """Add a finding about the element under a JSON pointer."""
        self.findings.append(Finding(code, severity, message, self.document.locate(pointer), hint))

    def note_once(self, code: str, severity: Severity, message: str, pointer: str, hint: str | None = None) -> None:
        """As `note`, but the same words are said once for a file."""
        if all(finding.message != message for finding in self.findings):
            self.note(code, severity, message, pointer, hint)

    def unsupported(self, name: str, content: str, reason: str, pointer: str) -> Check:
        """The check that keeps its case undecided: `content` is what was asked, so that an edit of it changes the case."""
        return Check("unsupported", {"name": name, "reason": reason, "content": content}, origin=self.origin(pointer))

    def part(self, path: str) -> Source | None:
        """Another file of the same suite, by its path from the root; None where it is not there.

        One that is there and cannot be read is an error finding, and None as well.
        """
        try:
            content = self.read(safe(path))
        except (OSError, InputError):
            return None
        self.parts.add(path)
        try:
            document = load_any(path, content, wild=True)
        except InputError as problem:
            message = f"a part of the suite is not read: {problem.message}"
            self.findings.append(Finding("eval-file-unreadable", Severity.ERROR, message, problem.at, problem.hint))
            return None
        self.findings.extend(document.findings)
        return replace(self, document=document)

    def below(self, folder: str) -> Sequence[str]:
        """The files below a folder, by their paths from the root."""
        return files_below(self.files, folder)

    def beside(self, path: str) -> str | None:
        """A path as it is written in this file, seen from the root; None where it leads out of it or is unsafe."""
        if fault(path, climb=True):
            return None
        try:
            return join(self.folder, path)
        except InputError:
            return None


def files_below(files: Sequence[str], folder: str) -> Sequence[str]:
    """Of sorted paths those below a folder; all of them for the root (`""` or `.`)."""
    if folder in ("", "."):
        return files
    return files[bisect_left(files, f"{folder}/") : bisect_left(files, f"{folder}{_AFTER_SLASH}")]


def note_unknown_fields(source: Source, items: Iterable[tuple[str, object]], known: frozenset[str]) -> None:
    """One finding for each key of the mappings that no reader understands, at the first place, with the number of places."""
    note_unknown_in_parts(((source, pointer, item) for pointer, item in items), known)


def note_unknown_in_parts(items: Iterable[tuple[Source, str, object]], known: frozenset[str]) -> None:
    """As `note_unknown_fields`, for mappings that stand in several files of one suite."""
    places: dict[str, list[tuple[Source, str]]] = {}
    for source, pointer, item in items:
        if isinstance(item, dict) and not item.keys() <= known:
            for name in (name for name in item if name not in known):
                places.setdefault(name, []).append((source, pointer + pointer_of([name])))
    for name, found in places.items():
        times = f" ({len(found)} times)" if len(found) > 1 else ""
        source, pointer = found[0]
        source.note("eval-field-not-read", Severity.NOTE, f"`{name[:60]}` is not read{times}", pointer)
